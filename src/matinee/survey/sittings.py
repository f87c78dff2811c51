"""Over how long users were active: at one moment, in a sitting, within a day, or over months and years."""

from __future__ import annotations

import numpy as np

from matinee.data.interactions import Interactions
from matinee.data.sessions import GAP_HOURS, one_day_dumps, session_starts
from matinee.survey.figures import DAY, Figures, absent, share, without_times

STEPS = (("one second", 1), ("an hour", 3600), ("a day", DAY), ("a week", 7 * DAY), ("a month", 30 * DAY),
         ("a year", 365 * DAY), ("longer", 2**62))
"""Name and seconds that a span is shorter than."""


def sittings(log: Interactions) -> Figures:
    """Users with several events by their span, those within one day, and sessions."""
    why = without_times(log)
    if why:
        return absent(why)
    several = log.counts > 1
    if not several.any():
        return absent("no user has several events")
    spans = log.last_times()[several] - log.times[log.indptr[:-1][several]]
    quick = one_day_dumps(log)
    counts = np.histogram(spans, [0, *(limit for _, limit in STEPS)])[0]
    begins = session_starts(log)
    sessions = np.diff(np.searchsorted(np.flatnonzero(begins), log.indptr))[several]
    return {
        "users": int(several.sum()),
        "spans": {name: int(count) for (name, _), count in zip(STEPS, counts, strict=True)},
        "within_one_day": int(quick.sum()),
        "within_one_day_share": share(quick.sum(), several.sum()),
        "within_one_day_events_share": share(log.counts[quick].sum(), len(log)),
        "median_events_within_one_day": float(np.median(log.counts[quick])) if quick.any() else 0.0,
        "median_events_others": float(np.median(log.counts[several & ~quick])) if (several & ~quick).any() else 0.0,
        "median_span_days": float(np.median(spans)) / DAY,
        "sessions_by": "the data's own" if "session" in log.columns else f"pauses over {GAP_HOURS:g} hours",
        "sessions": int(begins.sum()),
        "median_sessions": float(np.median(sessions)),
        "one_session_share": share((sessions == 1).sum(), len(sessions)),
    }
