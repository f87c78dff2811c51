"""Weighted sums of known scores, mixed and ranked row by row: what a search over weights asks for again and again."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from matinee.contract import Masks
from matinee.numerics.threads import in_pieces
from matinee.numerics.topk import ROWS_A_PIECE, checked_masks, empty_lists, raise_bad, rank


def mixed_top(
    terms: NDArray[np.float32], weights: NDArray[np.float32], k: int, masks: Masks
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """terms (M, B, I), weights (M,) -> the K best of sum over m of weights[m] terms[m]: items and scores (B, K).

    A member of weight 0 adds nothing. Raises as `ranking.topk.top_k` does.
    """
    _, n, n_items = terms.shape
    masked = checked_masks(n, n_items, k, masks)
    items, best, bad = empty_lists(n, k)

    def rows(start: int, stop: int) -> None:
        _mixed_rows(start, stop, terms, weights, *masked, items, best, bad)

    in_pieces(rows, n, ROWS_A_PIECE)
    raise_bad(bad, best)
    return items, best


@njit(cache=True, nogil=True)
def _mixed_rows(start, stop, terms, weights, seen_ptr, seen, blocked, items, best, bad):  # type: ignore[no-untyped-def]
    scratch = np.empty(terms.shape[2], np.float32)
    for row in range(start, stop):
        scratch[:] = 0
        for member in range(len(terms)):
            weight = weights[member]
            if weight != 0:
                for item in range(len(scratch)):
                    scratch[item] += weight * terms[member, row, item]
        hidden = blocked[min(row, len(blocked) - 1)]
        bad[row] = rank(scratch, seen[seen_ptr[row] : seen_ptr[row + 1]], hidden, items[row], best[row])
