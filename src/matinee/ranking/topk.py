"""Scores to ranked lists. Masking and ties live here, never in a model."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from matinee.contract import Masks
from matinee.errors import DataError
from matinee.numerics.topk import select


def top_k(scores: NDArray[np.float32], k: int, masks: Masks) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """The exact K best items of each row: scores (B, I) -> items (B, K), scores (B, K), best first.

    Order: score descending, then item ascending (the order of external ids); -0.0 equals 0.0 and comes
    out as 0.0. A masked item never appears. -1 and -inf pad a row with fewer than K items left.

    Raises ScoreError (`nan-score`, `infinite-score`; it knows `row` and `item`) for a score that is not
    finite, masked or not; DataError for scores of another type or masks of another shape; UsageError for k < 1.
    """
    if scores.ndim != 2 or scores.dtype != np.float32:
        raise DataError("bad-scores", f"scores are {scores.dtype} of shape {scores.shape}", "float32 (B, I) is due")
    return select(scores, k, masks)
