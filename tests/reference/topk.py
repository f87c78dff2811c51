"""The K best of each row by a full sort in plain Python: slow and obvious."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from matinee.contract import Masks


def top_k(scores: NDArray[np.float32], k: int, masks: Masks) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    items = np.full((len(scores), k), -1, np.int32)
    best = np.full((len(scores), k), -np.inf, np.float32)
    for row in range(len(scores)):
        seen = set(masks.items[masks.indptr[row] : masks.indptr[row + 1]].tolist())
        free = [i for i in range(scores.shape[1])
                if i not in seen and not (masks.blocked is not None and masks.blocked[row, i])]
        free.sort(key=lambda i: (-float(scores[row, i]), i))
        for place, item in enumerate(free[:k]):
            items[row, place], best[row, place] = item, scores[row, item] + np.float32(0)
    return items, best
