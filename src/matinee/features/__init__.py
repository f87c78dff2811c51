"""Named features: what is known of a user, of an item, or of the two together, for models that read more than the log.

`feature.py` is the contract and the three decorators, `functions/` the features themselves, `registry.py` finds one by
its name and `fitted.py` puts them beside the data that a model learns from. `encoding.py` turns columns into inputs.
"""
