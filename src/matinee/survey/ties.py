"""How much of the order inside histories is known: events of one user at the same moment, and how fine times are."""

from __future__ import annotations

from math import gcd

import numpy as np

from matinee.data.interactions import Interactions
from matinee.survey.figures import DAY, Figures, absent, share, without_times

SIZES = (("alone", 1), ("2", 2), ("3", 3), ("4 to 5", 4), ("6 to 9", 6), ("10 and more", 10))
"""Name and smallest size of groups of events at one moment."""


def ties(log: Interactions) -> Figures:
    """Events by the size of their group of one user and moment; steps without order; users whose newest is unsure."""
    why = without_times(log)
    if why:
        return absent(why)
    users, times = log.users, log.times
    same = (users[1:] == users[:-1]) & (times[1:] == times[:-1])
    starts = np.flatnonzero(np.concatenate([[True], ~same]))
    sizes = np.diff(np.append(starts, len(log)))
    limits = [least for _, least in SIZES]
    of_events = np.bincount(np.searchsorted(limits, sizes, side="right") - 1, sizes, len(SIZES))
    several = np.flatnonzero(log.counts > 1)
    newest = log.indptr[1:][several] - 1
    unsure = times[newest] == times[newest - 1]
    steps = int((users[1:] == users[:-1]).sum())
    return {
        "groups": {name: int(events) for (name, _), events in zip(SIZES, of_events, strict=True)},
        "tied_events": int(sizes[sizes > 1].sum()),
        "tied_share": share(sizes[sizes > 1].sum(), len(log)),
        "largest": int(sizes.max()),
        "steps_without_order_share": share(same.sum(), steps),
        "users": len(several),
        "newest_unsure": int(unsure.sum()),
        "newest_unsure_share": share(unsure.sum(), len(several)),
        "resolution": _resolution(log),
    }


def _resolution(log: Interactions) -> str:
    """What all times are whole numbers of."""
    step = int(np.gcd.reduce(log.times))
    for name, seconds in (("days", DAY), ("hours", 3600), ("minutes", 60)):
        if gcd(step, seconds) == seconds:
            return name
    return "seconds"
