"""Transitions as loops over plain numbers: every pair of a user's events, one by one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from matinee.data.interactions import Interactions


def transitions(log: Interactions, window: int, shrink: float, backward: float, targets: int) -> NDArray[np.float64]:
    """(I, I) row a, column b; all but the `targets` largest of a row are zero, the smaller item first where equal."""
    counts = np.zeros((log.n_items, log.n_items))
    for user in range(log.n_users):
        mine = [(int(log.items[e]), float(log.values[e])) for e in range(log.indptr[user], log.indptr[user + 1])]
        for later, (b, d) in enumerate(mine):
            for w in range(1, window + 1):
                if w <= later:
                    a, c = mine[later - w]
                    counts[a, b] += c * d / w
                    counts[b, a] += backward * c * d / w
    out = np.zeros(counts.shape)
    for a, row in enumerate(counts):
        total = sum(row.tolist()) + shrink
        chances = [(-np.float32(n / total), b) for b, n in enumerate(row.tolist()) if n > 0]
        for chance, b in sorted(chances)[:targets]:
            out[a, b] = -chance
    return out


def scores(weights: NDArray[np.float64], log: Interactions, decay: float, length: int) -> NDArray[np.float64]:
    """(B, I) the rows of each user's newest items, newest first; a repeated item counts once, at its newest."""
    out = np.zeros((log.n_users, log.n_items))
    for user in range(log.n_users):
        newest = log.items[log.indptr[user] : log.indptr[user + 1]][::-1][:length].tolist()
        for place, item in enumerate(newest):
            if item not in newest[:place]:
                out[user] += decay**place * weights[item]
    return out
