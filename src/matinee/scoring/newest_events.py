"""What a model that reads the order reads of a history."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from matinee.data.interactions import Interactions


def newest(history: Interactions, rows: NDArray[np.int64], most: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Of the histories `rows` (b,), the newest items, `most` at most, oldest first, and where each begins (b + 1,)."""
    lengths = np.minimum(history.counts[rows], most)
    starts = np.zeros(len(rows) + 1, np.int64)
    np.cumsum(lengths, out=starts[1:])
    events = np.arange(starts[-1]) + np.repeat(history.indptr[rows + 1] - starts[1:], lengths)
    return history.items[events].astype(np.int64), starts
