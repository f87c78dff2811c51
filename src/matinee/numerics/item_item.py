"""history x (items by items), ranked while it is summed up: dense weights in tiles, sparse weights row by row.

Every score is the sum, in float32, of value x weight over the history's distinct items in ascending order,
whatever the block, the tile and the thread. So one user and many, ranking and scoring, give the same bits.
Histories come as `Interactions.matrix()`.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.sparse import csr_array

from matinee.contract import Masks
from matinee.numerics.threads import allowed, in_pieces
from matinee.numerics.topk import (
    checked_masks,
    empty_lists,
    finish,
    first_bad,
    offer,
    offer_all,
    raise_bad,
    rank,
    select,
)

Lists = tuple[NDArray[np.int32], NDArray[np.float32]]
Rows = tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float32]]
"""A sparse matrix: `indptr`, columns, values."""

TILE = 128
"""Columns of a tile: at 7,000 items it takes 3.6 MB. Narrower ones fit a smaller cache, and cost more steps than that
saves."""
FEW = 1024
"""So many rows, or fewer, are ranked without tiles, whose making costs as much as 500 rows."""
ROWS_A_PIECE = 16


def dense_scores(weights: NDArray[np.float32], history: csr_array) -> NDArray[np.float32]:
    """weights (F, I), row = item, or other feature, of the history; history (B, F) -> scores (B, I)."""
    indptr, items, values = _parts(history)
    scores = np.zeros((history.shape[0], weights.shape[1]), np.float32)

    def rows(start: int, stop: int) -> None:
        _dense_rows(start, stop, weights, indptr, items, values, scores)

    in_pieces(rows, len(scores), ROWS_A_PIECE)
    return scores


def dense_top(weights: NDArray[np.float32], history: csr_array, k: int, masks: Masks) -> Lists:
    """The K best of `dense_scores` for each row, without writing (B, I). Raises as `ranking.topk.top_k` does."""
    n, n_items = history.shape[0], weights.shape[1]
    if n <= FEW:
        return select(dense_scores(weights, history), k, masks)
    seen_ptr, seen, blocked = checked_masks(n, n_items, k, masks)
    seen = _ascending(seen_ptr, seen, n_items)
    asked = _parts(history)
    lanes = [empty_lists(n, k) for _ in range(min(allowed(), -(-n_items // TILE)))]

    def lane(start: int, stop: int) -> None:
        for at in range(start, stop):
            _tiles(at, len(lanes), weights, *asked, seen_ptr, seen, blocked, *lanes[at])

    in_pieces(lane, len(lanes), 1)
    best_items, best, bad = lanes[0]
    for other in lanes[1:]:
        _join(best_items, best, bad, *other)
    _finish(best_items, best, bad)
    raise_bad(bad, best)
    return best_items, best


def sparse_scores(weights: Rows, history: csr_array) -> NDArray[np.float32]:
    """weights (I, I), row = item of the history, what is not stored is zero; history (B, I) -> scores (B, I)."""
    indptr, items, values = _parts(history)
    scores = np.zeros(history.shape, np.float32)

    def rows(start: int, stop: int) -> None:
        for row in range(start, stop):
            mine = slice(indptr[row], indptr[row + 1])
            _scatter(*weights, items[mine], values[mine], scores[row])

    in_pieces(rows, len(scores), ROWS_A_PIECE)
    return scores


def sparse_top(weights: Rows, history: csr_array, k: int, masks: Masks) -> Lists:
    """The K best of `sparse_scores` for each row, without writing (B, I). Raises as `ranking.topk.top_k` does."""
    n, n_items = history.shape
    masked = checked_masks(n, n_items, k, masks)
    asked = _parts(history)
    best_items, best, bad = empty_lists(n, k)

    def rows(start: int, stop: int) -> None:
        _sparse_rows(start, stop, *weights, *asked, *masked, best_items, best, bad)

    in_pieces(rows, n, ROWS_A_PIECE)
    raise_bad(bad, best)
    return best_items, best


def pooled_scores(weights: Rows, history: csr_array, largest: bool) -> NDArray[np.float32]:
    """As `sparse_scores`, but of all value x weight stored for an item the largest, or their mean; 0 of none."""
    indptr, items, values = _parts(history)
    scores = np.zeros(history.shape, np.float32)

    def rows(start: int, stop: int) -> None:
        _pooled_rows(start, stop, *weights, indptr, items, values, largest, scores)

    in_pieces(rows, len(scores), ROWS_A_PIECE)
    return scores


def pooled_top(weights: Rows, history: csr_array, largest: bool, k: int, masks: Masks) -> Lists:
    """The K best of `pooled_scores` for each row, without writing (B, I). Raises as `ranking.topk.top_k` does."""
    n, n_items = history.shape
    masked = checked_masks(n, n_items, k, masks)
    asked = _parts(history)
    best_items, best, bad = empty_lists(n, k)

    def rows(start: int, stop: int) -> None:
        _pooled_lists(start, stop, *weights, *asked, largest, *masked, best_items, best, bad)

    in_pieces(rows, n, ROWS_A_PIECE)
    raise_bad(bad, best)
    return best_items, best


def _parts(matrix: csr_array) -> Rows:
    """`indptr`, `indices` and `data` in the types that the kernels are compiled for."""
    return (matrix.indptr.astype(np.int64, copy=False), matrix.indices.astype(np.int32, copy=False),
            matrix.data.astype(np.float32, copy=False))


def _ascending(indptr: NDArray[np.int64], items: NDArray[np.int32], n_items: int) -> NDArray[np.int32]:
    """The items of each row in ascending order, repeats kept."""
    rows = np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))
    return (np.sort(rows * n_items + items) - rows * n_items).astype(np.int32)


@njit(cache=True, nogil=True)
def _dense_rows(start, stop, weights, indptr, items, values, scores):  # type: ignore[no-untyped-def]
    n_items = weights.shape[1]
    for row in range(start, stop):
        _add_rows(weights, items, values, indptr[row], indptr[row + 1], scores[row], n_items)


@njit(cache=True, nogil=True)
def _add_rows(weights, items, values, start, stop, out, width):  # type: ignore[no-untyped-def]
    """out (W,) += values[j] * weights[items[j]] for j = start, ..., stop - 1, in this order for each entry.

    Eight rows at a time, so that `out` is read and written an eighth as often. A constant width compiles to
    straight vector code.
    """
    j = start
    while j + 8 <= stop:
        a, b, c, d = weights[items[j]], weights[items[j + 1]], weights[items[j + 2]], weights[items[j + 3]]
        e, f, g, h = weights[items[j + 4]], weights[items[j + 5]], weights[items[j + 6]], weights[items[j + 7]]
        va, vb, vc, vd = values[j], values[j + 1], values[j + 2], values[j + 3]
        ve, vf, vg, vh = values[j + 4], values[j + 5], values[j + 6], values[j + 7]
        for i in range(width):
            near = (((out[i] + va * a[i]) + vb * b[i]) + vc * c[i]) + vd * d[i]
            out[i] = (((near + ve * e[i]) + vf * f[i]) + vg * g[i]) + vh * h[i]
        j += 8
    while j + 4 <= stop:
        a, b, c, d = weights[items[j]], weights[items[j + 1]], weights[items[j + 2]], weights[items[j + 3]]
        va, vb, vc, vd = values[j], values[j + 1], values[j + 2], values[j + 3]
        for i in range(width):
            out[i] = (((out[i] + va * a[i]) + vb * b[i]) + vc * c[i]) + vd * d[i]
        j += 4
    while j < stop:
        a, va = weights[items[j]], values[j]
        for i in range(width):
            out[i] += va * a[i]
        j += 1


@njit(cache=True, nogil=True)
def _tiles(  # type: ignore[no-untyped-def]
    lane, lanes, weights, indptr, items, values, seen_ptr, seen, blocked, best_items, best, bad
):
    """The tiles lane, lane + lanes, ... for all rows; a row's best of these tiles wait in its list, as a heap."""
    n, n_items, filtered = len(indptr) - 1, weights.shape[1], blocked.shape[1] > 0
    tile = np.empty((len(weights), TILE), np.float32)
    scores = np.empty(TILE, np.float32)
    size = np.zeros(n, np.int64)
    next_seen = seen_ptr[:n].copy()
    for first in range(lane * TILE, n_items, lanes * TILE):
        width = min(TILE, n_items - first)
        _lay_out(weights, first, width, tile)
        for row in range(n):
            scores[:] = 0
            _add_rows(tile, items, values, indptr[row], indptr[row + 1], scores, TILE)
            at = first_bad(scores)
            if at >= 0 and bad[row] < 0:
                bad[row], best[row, 0] = first + at, scores[at]
            if bad[row] >= 0:
                continue
            scores[width:] = -np.inf
            here = next_seen[row]
            while here < seen_ptr[row + 1] and seen[here] < first + width:
                if seen[here] >= first:
                    scores[seen[here] - first] = -np.inf
                here += 1
            next_seen[row] = here
            if filtered:
                for i in range(width):
                    if blocked[row, first + i]:
                        scores[i] = -np.inf
            size[row] = offer_all(scores, first, best[row], best_items[row], size[row])


@njit(cache=True, nogil=True)
def _join(best_items, best, bad, more_items, more, more_bad):  # type: ignore[no-untyped-def]
    """Two lanes' heaps, or first bad scores, into the first one's."""
    k = best.shape[1]
    for row in range(len(bad)):
        if more_bad[row] >= 0 and (bad[row] < 0 or more_bad[row] < bad[row]):
            bad[row], best[row, 0] = more_bad[row], more[row, 0]
        if bad[row] >= 0:
            continue
        size = _size(best_items[row])
        for at in range(_size(more_items[row])):
            size = offer(best[row], best_items[row], size, k, more[row, at], more_items[row, at])


@njit(cache=True, nogil=True)
def _finish(best_items, best, bad):  # type: ignore[no-untyped-def]
    for row in range(len(bad)):
        if bad[row] < 0:
            finish(best[row], best_items[row], _size(best_items[row]))


@njit(cache=True, nogil=True)
def _size(items):  # type: ignore[no-untyped-def]
    """How many places of a heap are taken."""
    size = 0
    while size < len(items) and items[size] >= 0:
        size += 1
    return size


@njit(cache=True, nogil=True)
def _lay_out(weights, first, width, tile):  # type: ignore[no-untyped-def]
    """tile (I, TILE) = `width` columns of the weights from `first` on, and zeros."""
    if width == TILE:  # a constant width compiles to straight vector code
        for item in range(len(weights)):
            for i in range(TILE):
                tile[item, i] = weights[item, first + i]
        return
    tile[:] = 0
    for item in range(len(weights)):
        for i in range(width):
            tile[item, i] = weights[item, first + i]


@njit(cache=True, nogil=True)
def _scatter(weight_ptr, targets, weights, items, values, out):  # type: ignore[no-untyped-def]
    for j in range(len(items)):
        for at in range(weight_ptr[items[j]], weight_ptr[items[j] + 1]):
            out[targets[at]] += values[j] * weights[at]


@njit(cache=True, nogil=True)
def _sparse_rows(  # type: ignore[no-untyped-def]
    start, stop, weight_ptr, targets, weights, indptr, items, values, seen_ptr, seen, blocked, best_items, best, bad
):
    scores = np.empty(len(weight_ptr) - 1, np.float32)
    for row in range(start, stop):
        scores[:] = 0
        mine = slice(indptr[row], indptr[row + 1])
        _scatter(weight_ptr, targets, weights, items[mine], values[mine], scores)
        hidden = blocked[min(row, len(blocked) - 1)]
        bad[row] = rank(scores, seen[seen_ptr[row] : seen_ptr[row + 1]], hidden, best_items[row], best[row])


@njit(cache=True, nogil=True, error_model="numpy")
def _pool(weight_ptr, targets, weights, items, values, largest, heard, out):  # type: ignore[no-untyped-def]
    """out (I,) the largest or the mean of what the items say; heard (I,) is scratch."""
    heard[:] = 0
    out[:] = 0
    for j in range(len(items)):
        for at in range(weight_ptr[items[j]], weight_ptr[items[j] + 1]):
            target, said = targets[at], values[j] * weights[at]
            if largest:
                if heard[target] == 0 or said > out[target]:
                    out[target] = said
            else:
                out[target] += said
            heard[target] += 1
    if not largest:
        for item in range(len(out)):
            out[item] /= np.float32(max(heard[item], 1))


@njit(cache=True, nogil=True)
def _pooled_rows(  # type: ignore[no-untyped-def]
    start, stop, weight_ptr, targets, weights, indptr, items, values, largest, scores
):
    heard = np.empty(len(weight_ptr) - 1, np.int32)
    for row in range(start, stop):
        mine = slice(indptr[row], indptr[row + 1])
        _pool(weight_ptr, targets, weights, items[mine], values[mine], largest, heard, scores[row])


@njit(cache=True, nogil=True)
def _pooled_lists(  # type: ignore[no-untyped-def]
    start, stop, weight_ptr, targets, weights, indptr, items, values, largest, seen_ptr, seen, blocked, best_items,
    best, bad
):
    heard, scores = np.empty(len(weight_ptr) - 1, np.int32), np.empty(len(weight_ptr) - 1, np.float32)
    for row in range(start, stop):
        mine = slice(indptr[row], indptr[row + 1])
        _pool(weight_ptr, targets, weights, items[mine], values[mine], largest, heard, scores)
        hidden = blocked[min(row, len(blocked) - 1)]
        bad[row] = rank(scores, seen[seen_ptr[row] : seen_ptr[row + 1]], hidden, best_items[row], best[row])
