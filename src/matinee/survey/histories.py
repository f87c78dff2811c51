"""How much each user did: lengths of histories, and how much of the log the busiest hold."""

from __future__ import annotations

import numpy as np

from matinee.data.interactions import Interactions
from matinee.survey.figures import NO_EVENTS, Figures, absent, share

BARS = 24
SHORT = (5, 10, 20)


def histories(log: Interactions) -> Figures:
    """Quantiles and a histogram by a logarithmic scale of events a user, among users who have some."""
    lengths = log.counts[log.counts > 0]
    if not len(lengths):
        return absent(NO_EVENTS)
    edges = np.unique(np.geomspace(lengths.min(), lengths.max() + 1, BARS + 1).round().astype(np.int64))
    if len(edges) < 2:
        edges = np.array([edges[0], edges[0] + 1])
    ordered = np.sort(lengths)[::-1]
    low, median, high = np.quantile(lengths, (0.05, 0.5, 0.95))
    return {
        "users": len(lengths),
        "users_without_events": log.n_users - len(lengths),
        "shortest": int(lengths.min()),
        "q05": float(low),
        "median": float(median),
        "mean": float(lengths.mean()),
        "q95": float(high),
        "longest": int(lengths.max()),
        "edges": edges.tolist(),
        "counts": np.histogram(lengths, edges)[0].tolist(),
        "shorter_than": {str(least): share((lengths < least).sum(), len(lengths)) for least in SHORT},
        "busiest_tenth_share": share(ordered[: max(1, len(ordered) // 10)].sum(), len(log)),
    }
