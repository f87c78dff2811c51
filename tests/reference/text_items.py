"""What an item with a text says, in float64, item by item."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]


def vector(own: Numbers, projection: Numbers, text: Numbers, had: bool, join: str) -> Numbers:
    """own (D,), projection (D, T), text (T,): of an item that somebody had, or nobody."""
    said = np.array([sum(p * t for p, t in zip(row, text, strict=True)) for row in projection])
    learnt = own if had else np.zeros(len(own))
    return learnt + said if join == "sum" else np.concatenate([learnt, said])
