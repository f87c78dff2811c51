"""A history's profile, the weighted sum of its items' vectors, compared with every item, ranked as it is computed.

An item's vector has F sparse entries and D dense ones after them. Every sum is taken in float32 and in one order: a
profile over the history's distinct items, ascending; a product over an item's sparse entries and then over its dense
ones. So one user and many, ranking and scoring, give the same bits at any number of threads.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.sparse import csr_array

from matinee.contract import Masks
from matinee.numerics.threads import in_pieces
from matinee.numerics.topk import checked_masks, empty_lists, raise_bad, rank

ROWS_A_PIECE = 16

Lists = tuple[NDArray[np.int32], NDArray[np.float32]]


class Vectors(NamedTuple):
    """I items, in the order in which the kernels take their parts."""

    indptr: NDArray[np.int64]  # (I + 1,)
    features: NDArray[np.int32]  # (n,) in [0, F)
    weights: NDArray[np.float32]  # (n,)
    dense: NDArray[np.float32]  # (I, D)  an item a row, as it is added to a profile
    by_dimension: NDArray[np.float32]  # (D, I)  the same, as a profile is compared with all items
    bonus: NDArray[np.float32]  # (I,)
    n_features: int


def scores(vectors: Vectors, history: csr_array) -> NDArray[np.float32]:
    """history (B, I) -> scores (B, I): each row's profile at length 1 times each item, plus the item's bonus."""
    out = np.empty(history.shape, np.float32)
    asked = _asked(history)

    def rows(start: int, stop: int) -> None:
        _score_rows(start, stop, *asked, *vectors, out)

    in_pieces(rows, len(out), ROWS_A_PIECE)
    return out


def top(vectors: Vectors, history: csr_array, k: int, masks: Masks) -> Lists:
    """The K best of `scores` for each row, without writing (B, I). Raises as `ranking.topk.top_k` does."""
    n, n_items = history.shape
    masked = checked_masks(n, n_items, k, masks)
    items, best, bad = empty_lists(n, k)
    asked = _asked(history)

    def rows(start: int, stop: int) -> None:
        _rank_rows(start, stop, *asked, *vectors, *masked, items, best, bad)

    in_pieces(rows, n, ROWS_A_PIECE)
    raise_bad(bad, best)
    return items, best


def _asked(history: csr_array) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float32]]:
    return (history.indptr.astype(np.int64, copy=False), history.indices.astype(np.int32, copy=False),
            history.data.astype(np.float32, copy=False))


@njit(cache=True, nogil=True)
def _score_rows(  # type: ignore[no-untyped-def]
    start, stop, asked_ptr, asked, values, indptr, features, weights, dense, by_dimension, bonus, n_features, out
):
    profile = np.empty(n_features + dense.shape[1], np.float32)
    for row in range(start, stop):
        mine = slice(asked_ptr[row], asked_ptr[row + 1])
        _add_up(asked[mine], values[mine], indptr, features, weights, dense, profile)
        _compare(profile, indptr, features, weights, by_dimension, bonus, out[row])


@njit(cache=True, nogil=True)
def _rank_rows(  # type: ignore[no-untyped-def]
    start, stop, asked_ptr, asked, values, indptr, features, weights, dense, by_dimension, bonus, n_features,
    seen_ptr, seen, blocked, items, best, bad
):  # fmt: skip
    profile = np.empty(n_features + dense.shape[1], np.float32)
    scores = np.empty(len(bonus), np.float32)
    for row in range(start, stop):
        mine = slice(asked_ptr[row], asked_ptr[row + 1])
        _add_up(asked[mine], values[mine], indptr, features, weights, dense, profile)
        _compare(profile, indptr, features, weights, by_dimension, bonus, scores)
        hidden = blocked[min(row, len(blocked) - 1)]
        bad[row] = rank(scores, seen[seen_ptr[row] : seen_ptr[row + 1]], hidden, items[row], best[row])


@njit(cache=True, nogil=True)
def _add_up(asked, values, indptr, features, weights, dense, profile):  # type: ignore[no-untyped-def]
    """profile (F + D,) = the sum of values[j] x vector of item asked[j], scaled to length 1; zeros for nothing."""
    dim = dense.shape[1]
    first = len(profile) - dim
    profile[:] = 0
    for j in range(len(asked)):
        item, value = asked[j], values[j]
        for at in range(indptr[item], indptr[item + 1]):
            profile[features[at]] += value * weights[at]
        for d in range(dim):
            profile[first + d] += value * dense[item, d]
    square = 0.0
    for f in range(len(profile)):
        square += np.float64(profile[f]) * np.float64(profile[f])
    if square > 0:
        scale = np.float32(1 / np.sqrt(square))
        for f in range(len(profile)):
            profile[f] *= scale


@njit(cache=True, nogil=True)
def _compare(profile, indptr, features, weights, by_dimension, bonus, out):  # type: ignore[no-untyped-def]
    """out (I,) = the product of a profile with each item, plus the item's bonus."""
    dim = len(by_dimension)
    first = len(profile) - dim
    for item in range(len(out)):
        total = np.float32(0)
        for at in range(indptr[item], indptr[item + 1]):
            total += profile[features[at]] * weights[at]
        out[item] = total
    for d in range(dim):
        value, column = profile[first + d], by_dimension[d]
        for item in range(len(out)):
            out[item] += value * column[item]
    for item in range(len(out)):
        out[item] += bonus[item]
