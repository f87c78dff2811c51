"""What a log is like, subject by subject, in figures: what the data report shows and what a reader may conclude.

Each file has one subject and one function of a data set (and of a split, where it is about what is hidden) that gives
JSON-able figures: shares in 0..1, times as ISO text in UTC. A subject that the data cannot tell of says
`{"absent": why}`. Letters in shapes: U users, I items, E events, G labels, T bins of time.
"""
