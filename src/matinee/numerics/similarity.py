"""The most similar items of every item, one row of X'X at a time: never a matrix of items by items.

Two items that share a user are met once, and each is offered to the other. A thread keeps lists of its own, joined in
the end; which of two equal similarities stays is the smaller item's, so the result does not depend on the threads.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.sparse import csr_array

from matinee.numerics.gram import add_row, both_ways
from matinee.numerics.threads import allowed, in_pieces
from matinee.numerics.topk import STRETCH, finish, offer


def nearest(matrix: csr_array, neighbours: int, shrink: float) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """matrix (U, I) -> each item's N nearest others (I, N), best first, and their similarities (I, N).

    Similarity of i and j: x_i . x_j / (|x_i| |x_j| + shrink), where x is a column. Items that share no user are no
    neighbours: -1 and -inf pad a short list. Time: the sum over users of their events squared, halved; 20 bytes an
    event and 8 N bytes an item and thread beside the result.
    """
    n_items = matrix.shape[1]
    squares = np.square(matrix.data, dtype=np.float64)
    norms = np.sqrt(np.bincount(matrix.indices, weights=squares, minlength=n_items))
    both = both_ways(matrix)
    lanes = max(1, min(allowed(), n_items))
    items = np.full((lanes, n_items, neighbours), -1, np.int32)
    similarities = np.full((lanes, n_items, neighbours), -np.inf, np.float32)
    sizes = np.zeros((lanes, n_items), np.int64)

    def lane(start: int, stop: int) -> None:
        for at in range(start, stop):
            _nearest_rows(at, lanes, *both, norms, shrink, items[at], similarities[at], sizes[at])

    in_pieces(lane, lanes, 1)
    _join(items, similarities, sizes)
    return items[0], similarities[0]


@njit(cache=True, nogil=True, error_model="numpy")
def _nearest_rows(  # type: ignore[no-untyped-def]
    first, step, indptr, items, values, item_ptr, users, places, norms, shrink, best_items, best, sizes
):
    """The rows first, first + step, ... against all later items; both sides of a pair are offered each other."""
    n, k = len(norms), best.shape[1]
    shared, similar = np.empty(n, np.float64), np.full(n, -np.inf, np.float32)
    least = np.full(n, -np.inf, np.float32)  # of each item's list, once it is full
    for item in range(first, n, step):
        shared[item:] = 0
        add_row(item, indptr, items, values, item_ptr, users, places, True, shared)
        for other in range(item + 1, n):
            near = np.float32(shared[other] / (norms[item] * norms[other] + shrink))
            similar[other] = near if shared[other] > 0 else np.float32(-np.inf)
        for start in range(item + 1, n, STRETCH):
            stop = min(start + STRETCH, n)
            hits = 0
            for other in range(start, stop):  # vector instructions; most stretches of a long row hold nothing new
                hits += (similar[other] >= least[item]) | (similar[other] >= least[other])
            if hits == 0:
                continue
            for other in range(start, stop):
                score = similar[other]
                if score == -np.inf:
                    continue
                if score >= least[item]:
                    sizes[item] = offer(best[item], best_items[item], sizes[item], k, score, other)
                    if sizes[item] == k:
                        least[item] = best[item, 0]
                if score >= least[other]:
                    sizes[other] = offer(best[other], best_items[other], sizes[other], k, score, item)
                    if sizes[other] == k:
                        least[other] = best[other, 0]


@njit(cache=True, nogil=True)
def _join(items, similarities, sizes):  # type: ignore[no-untyped-def]
    """All lanes' heaps into the first's, as lists."""
    for item in range(items.shape[1]):
        best_items, best, size = items[0, item], similarities[0, item], sizes[0, item]
        for lane in range(1, len(items)):
            for at in range(sizes[lane, item]):
                size = offer(best, best_items, size, len(best), similarities[lane, item, at], items[lane, item, at])
        finish(best, best_items, size)
