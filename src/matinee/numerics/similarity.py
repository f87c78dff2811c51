"""The most similar items of every item, one row of X'X at a time: never a matrix of items by items.

Ties at the edge of a neighbourhood go to the smaller item. The result does not depend on the number of threads.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.sparse import csr_array

from matinee.numerics.gram import ROWS_A_PIECE, add_row, both_ways
from matinee.numerics.threads import in_pieces
from matinee.numerics.topk import finish, offer_all


def nearest(matrix: csr_array, neighbours: int, shrink: float) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """matrix (U, I) -> each item's N nearest others (I, N), best first, and their similarities (I, N).

    Similarity of i and j: x_i . x_j / (|x_i| |x_j| + shrink), where x is a column. Items that share no user are no
    neighbours: -1 and -inf pad a short list. Time: the sum over users of their events squared; 20 bytes an event and
    12 bytes an item and thread beside the result.
    """
    n_items = matrix.shape[1]
    squares = np.square(matrix.data, dtype=np.float64)
    norms = np.sqrt(np.bincount(matrix.indices, weights=squares, minlength=n_items))
    both = both_ways(matrix)
    items = np.full((n_items, neighbours), -1, np.int32)
    similarities = np.full((n_items, neighbours), -np.inf, np.float32)

    def rows(start: int, stop: int) -> None:
        _nearest_rows(start, stop, *both, norms, shrink, items, similarities)

    in_pieces(rows, n_items, ROWS_A_PIECE)
    return items, similarities


@njit(cache=True, nogil=True)
def _nearest_rows(  # type: ignore[no-untyped-def]
    start, stop, indptr, items, values, item_ptr, users, places, norms, shrink, best_items, best
):
    shared, similar = np.empty(len(norms), np.float64), np.empty(len(norms), np.float32)
    for item in range(start, stop):
        shared[:] = 0
        add_row(item, indptr, items, values, item_ptr, users, places, False, shared)
        shared[item] = 0
        for other in range(len(norms)):
            near = shared[other] / (norms[item] * norms[other] + shrink) if shared[other] > 0 else -np.inf
            similar[other] = near
        size = offer_all(similar, 0, best[item], best_items[item], 0)
        finish(best[item], best_items[item], size)
