"""Pairs of items as features of a history: which are chosen, and which a history has."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.sparse import csr_array

from matinee.numerics.topk import offer


def most_frequent(gram: NDArray[np.floating], count: int) -> NDArray[np.int32]:
    """gram (I, I), X'X above the diagonal -> the `count` pairs that are had together most, (M, 2) i < j, ascending.

    Fewer where fewer are had at all. Of equally frequent pairs the smaller items go first.
    """
    best, places = np.empty(count, gram.dtype), np.empty(count, np.int64)
    found = _most_frequent(gram, best, places)
    return np.stack(np.divmod(np.sort(places[:found]), len(gram)), axis=1).astype(np.int32)


def with_pairs(matrix: csr_array, pairs: NDArray[np.int32]) -> csr_array:
    """matrix (B, I), columns ascending -> (B, I + M): a pair is had where both its items are, at the smaller value."""
    n, n_items = matrix.shape
    first = np.searchsorted(pairs[:, 0], np.arange(n_items + 1)).astype(np.int64)
    parts = (matrix.indptr.astype(np.int64, copy=False), matrix.indices.astype(np.int32, copy=False),
             matrix.data.astype(np.float32, copy=False))
    second = np.ascontiguousarray(pairs[:, 1])
    counts = np.zeros(n + 1, np.int64)
    _count(*parts, first, second, counts[1:])
    indptr = np.cumsum(counts + np.append(0, np.diff(parts[0])))
    items, values = np.empty(indptr[-1], np.int32), np.empty(indptr[-1], np.float32)
    _fill(*parts, first, second, indptr, items, values)
    return csr_array((values, items, indptr), shape=(n, n_items + len(pairs)))


@njit(cache=True, nogil=True)
def _most_frequent(gram, best, places):  # type: ignore[no-untyped-def]
    n, count, size = len(gram), len(best), 0
    for i in range(n):
        for j in range(i + 1, n):
            if gram[i, j] > 0 and (size < count or gram[i, j] > best[0]):
                size = offer(best, places, size, count, gram[i, j], np.int64(i) * n + j)
    return size


@njit(cache=True, nogil=True)
def _count(indptr, items, values, first, second, counts):  # type: ignore[no-untyped-def]
    """The pairs that each row has, into counts (B,)."""
    held = np.zeros(len(first), np.float32)
    for row in range(len(indptr) - 1):
        for at in range(indptr[row], indptr[row + 1]):
            held[items[at]] = values[at]
        for at in range(indptr[row], indptr[row + 1]):
            for pair in range(first[items[at]], first[items[at] + 1]):
                counts[row] += held[second[pair]] != 0
        for at in range(indptr[row], indptr[row + 1]):
            held[items[at]] = 0


@njit(cache=True, nogil=True)
def _fill(indptr, items, values, first, second, out_ptr, out_items, out_values):  # type: ignore[no-untyped-def]
    held = np.zeros(len(first), np.float32)
    for row in range(len(indptr) - 1):
        to = out_ptr[row]
        for at in range(indptr[row], indptr[row + 1]):
            held[items[at]] = values[at]
            out_items[to], out_values[to] = items[at], values[at]
            to += 1
        for at in range(indptr[row], indptr[row + 1]):
            for pair in range(first[items[at]], first[items[at] + 1]):
                other = held[second[pair]]
                if other != 0:
                    out_items[to], out_values[to] = len(first) - 1 + pair, min(values[at], other)
                    to += 1
        for at in range(indptr[row], indptr[row + 1]):
            held[items[at]] = 0
