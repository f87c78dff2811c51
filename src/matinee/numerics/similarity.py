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

Rows = tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float32]]
K1, B = 1.2, 0.8
"""Of BM25, as implicit has them: how soon a weight saturates, and how far a popular item's users count less."""


def nearest(
    matrix: csr_array, neighbours: int, shrink: float, measure: str = "cosine", alpha: float = 0.5
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """matrix (U, I) -> for each item i the N others j that are most similar (I, N), best first, and s_ij (I, N).

    `measure` is one of these, with x a column of the matrix and d = shrink:

        cosine             s_ij = x_i . x_j / (|x_i| |x_j| + d);            tfidf: the same of `weighted` columns
        asymmetric_cosine  s_ij = x_i . x_j / (|x_i|^2(1-alpha) |x_j|^2alpha + d) = P(i|j)^alpha P(j|i)^(1-alpha)
        jaccard            s_ij = x_i . x_j / (|x_i|^2 + |x_j|^2 - x_i . x_j + d)
        bm25               s_ij = x_i . x_j / (1 + d)                       of `weighted` columns

    Items that share no user are no neighbours: -1 and -inf pad a short list. Time: the sum over users of their events
    squared, halved; 20 bytes an event and 8 N bytes an item and thread beside the result.
    """
    n_items = matrix.shape[1]
    if measure in ("tfidf", "bm25"):
        matrix = weighted(matrix, measure)
    norms, union = _norms(matrix, measure, alpha), measure == "jaccard"
    both = both_ways(matrix)
    lanes = max(1, min(allowed(), n_items))
    items = np.full((lanes, n_items, neighbours), -1, np.int32)
    similarities = np.full((lanes, n_items, neighbours), -np.inf, np.float32)
    sizes = np.zeros((lanes, n_items), np.int64)

    def lane(start: int, stop: int) -> None:
        for at in range(start, stop):
            _nearest_rows(at, lanes, *both, *norms, shrink, union, items[at], similarities[at], sizes[at])

    in_pieces(lane, lanes, 1)
    _join(items, similarities, sizes)
    return items[0], similarities[0]


def by_speaker(items: NDArray[np.int32], similarities: NDArray[np.float32]) -> Rows:
    """The lists of `nearest`, turned round: row j holds the items that j speaks for, ascending, and how loudly."""
    n, kept = len(items), items >= 0
    indptr = np.append(0, np.cumsum(kept.sum(axis=1)))
    rows = csr_array((similarities[kept], items[kept], indptr), shape=(n, n)).T.tocsr()
    return rows.indptr.astype(np.int64), rows.indices.astype(np.int32), rows.data


def weighted(matrix: csr_array, how: str) -> csr_array:
    """The values x_ui, times what the user tells: who has few of I items tells more. n_u of them has u.

    tfidf   x_ui ln(1 + I / n_u)
    bm25    x_ui (K1 + 1) / (x_ui + K1 (1 - B + B l_i / mean l)) ln(1 + (I - n_u + 0.5) / (n_u + 0.5)), where l_i sums
            the values of item i's users
    """
    n_items, counts = matrix.shape[1], np.diff(matrix.indptr)
    values = matrix.data.astype(np.float64)
    if how == "tfidf":
        tells = np.log1p(n_items / np.maximum(counts, 1))
    else:
        tells = np.log1p((n_items - counts + 0.5) / (counts + 0.5))
        lengths = np.bincount(matrix.indices, weights=values, minlength=n_items)
        relative = (lengths / max(lengths.mean(), np.finfo(np.float64).tiny))[matrix.indices]
        values *= (K1 + 1) / (values + K1 * (1 - B + B * relative))
    values *= np.repeat(tells, counts)
    return csr_array((values.astype(np.float32), matrix.indices, matrix.indptr), shape=matrix.shape)


def _norms(matrix: csr_array, measure: str, alpha: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Of the item spoken for and of the one that speaks, what stands below; one array where it is the same."""
    squares = np.zeros(matrix.shape[1])
    squares += np.bincount(matrix.indices, np.square(matrix.data, dtype=np.float64), matrix.shape[1])
    if measure == "asymmetric_cosine" and alpha != 0.5:
        return np.power(squares, 1 - alpha), np.power(squares, alpha)
    norms = {"jaccard": squares, "bm25": np.ones_like(squares)}.get(measure, np.sqrt(squares))
    return norms, norms


@njit(cache=True, nogil=True, error_model="numpy")
def _nearest_rows(  # type: ignore[no-untyped-def]
    first, step, indptr, items, values, item_ptr, users, places, target, source, shrink, union, best_items, best, sizes
):
    """The rows first, first + step, ... against all later items; both sides of a pair are offered each other."""
    n, k = len(target), best.shape[1]
    shared, speaks = np.empty(n, np.float64), np.full(n, -np.inf, np.float32)  # for `item`
    back = speaks if target is source else np.full(n, -np.inf, np.float32)  # and what `item` says for the other
    least = np.full(n, -np.inf, np.float32)  # of each item's list, once it is full
    for item in range(first, n, step):
        shared[item:] = 0
        add_row(item, indptr, items, values, item_ptr, users, places, True, shared)
        _compare(item, shared, target, source, shrink, union, speaks)
        if back is not speaks:
            _compare(item, shared, source, target, shrink, union, back)
        for start in range(item + 1, n, STRETCH):
            stop = min(start + STRETCH, n)
            hits = 0
            for other in range(start, stop):  # vector instructions; most stretches of a long row hold nothing new
                hits += (speaks[other] >= least[item]) | (back[other] >= least[other])
            if hits == 0:
                continue
            for other in range(start, stop):
                if shared[other] <= 0:
                    continue
                if speaks[other] >= least[item]:
                    sizes[item] = offer(best[item], best_items[item], sizes[item], k, speaks[other], other)
                    if sizes[item] == k:
                        least[item] = best[item, 0]
                if back[other] >= least[other]:
                    sizes[other] = offer(best[other], best_items[other], sizes[other], k, back[other], item)
                    if sizes[other] == k:
                        least[other] = best[other, 0]


@njit(cache=True, nogil=True, error_model="numpy")
def _compare(item, shared, mine, theirs, shrink, union, out):  # type: ignore[no-untyped-def]
    """out[j] for the items after `item`: their similarity as float32, -inf where nobody is shared."""
    if union:
        for other in range(item + 1, len(out)):
            near = np.float32(shared[other] / (mine[item] + theirs[other] - shared[other] + shrink))
            out[other] = near if shared[other] > 0 else np.float32(-np.inf)
    else:
        for other in range(item + 1, len(out)):
            near = np.float32(shared[other] / (mine[item] * theirs[other] + shrink))
            out[other] = near if shared[other] > 0 else np.float32(-np.inf)


@njit(cache=True, nogil=True)
def _join(items, similarities, sizes):  # type: ignore[no-untyped-def]
    """All lanes' heaps into the first's, as lists."""
    for item in range(items.shape[1]):
        best_items, best, size = items[0, item], similarities[0, item], sizes[0, item]
        for lane in range(1, len(items)):
            for at in range(sizes[lane, item]):
                size = offer(best, best_items, size, len(best), similarities[lane, item, at], items[lane, item, at])
        finish(best, best_items, size)
