"""What leaving out unpopular items would cost: items, events and users that stay, threshold by threshold."""

from __future__ import annotations

import numpy as np

from matinee.data.interactions import Interactions
from matinee.survey.figures import NO_EVENTS, Figures, absent, share

LEAST = (2, 3, 5, 10, 20, 50, 100, 200, 500, 1000, 1200, 1500, 1750, 2000, 3000, 4000, 5000, 10_000, 20_000)


def thresholds(log: Interactions) -> Figures:
    """One row a threshold k: only items with at least k events stay. Up to the popularity of the most popular item."""
    if not len(log):
        return absent(NO_EVENTS)
    counts = np.bincount(log.items, minlength=log.n_items)
    of_events = counts[log.items]  # (E,)
    starts = log.indptr[:-1][log.counts > 0]
    lengths = log.counts[log.counts > 0]
    with_events = int((counts > 0).sum())
    rows = []
    for least in (1, *(k for k in LEAST if k <= max(2, counts.max()))):
        kept = of_events >= least
        left = np.add.reduceat(kept, starts, dtype=np.int64)
        rows.append({
            "least": least,
            "items": int((counts >= least).sum()),
            "items_share": share((counts >= least).sum(), with_events),
            "events": int(kept.sum()),
            "events_share": share(kept.sum(), len(log)),
            "users": int((left > 0).sum()),
            "users_share": share((left > 0).sum(), len(lengths)),
            "median_history": float(np.median(left)),
        })
    return {"items": with_events, "rows": rows}
