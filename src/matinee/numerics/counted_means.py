"""Means over some rows of a table, a group at a time; a group's mean has the same bits in any company."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def counted_means(states, counted, starts):  # type: ignore[no-untyped-def]
    """states (N, D), counted (N,), starts (B + 1,) -> (B, D) means over the counted rows of each group, in order."""
    out = np.zeros((len(starts) - 1, states.shape[1]), np.float32)
    for b in range(len(out)):
        n = 0
        for row in range(starts[b], starts[b + 1]):
            if counted[row]:
                n += 1
                for d in range(states.shape[1]):
                    out[b, d] += states[row, d]
        for d in range(states.shape[1]):
            out[b, d] /= max(n, 1)
    return out
