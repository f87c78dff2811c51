"""Who has what already, on all threads: by binary searches in a user's items, or by marking these in one list."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.sparse import csr_array

from matinee.numerics.threads import in_pieces

ROWS_A_PIECE = 256


def has(owned: csr_array, rows: NDArray[np.int64], items: NDArray[np.int64]) -> NDArray[np.bool_]:
    """owned (R, I) as `Interactions.matrix()` makes it, rows (N,), items (N, k), or (k,) for all rows -> (N, k)."""
    indptr, columns = owned.indptr.astype(np.int64), owned.indices
    out = np.zeros((len(rows), items.shape[-1]), np.bool_)
    asked = np.ascontiguousarray(items)
    if items.ndim == 1:
        head, after = np.full(owned.shape[1], -1), np.empty(len(asked), np.int64)
        _chain(asked, head, after)

    def some(start: int, stop: int) -> None:
        if items.ndim == 1:
            _mark(start, stop, indptr, columns, rows, head, after, out)
        else:
            _look_up(start, stop, indptr, columns, rows, asked, out)

    in_pieces(some, len(rows), ROWS_A_PIECE)
    return out


@njit(cache=True, nogil=True)
def _look_up(start, stop, indptr, columns, rows, asked, out):  # type: ignore[no-untyped-def]
    for n in range(start, stop):
        first, end = indptr[rows[n]], indptr[rows[n] + 1]
        for j in range(asked.shape[1]):
            low, high = first, end
            while low < high:
                middle = (low + high) >> 1
                if columns[middle] < asked[n, j]:
                    low = middle + 1
                else:
                    high = middle
            out[n, j] = low < end and columns[low] == asked[n, j]


@njit(cache=True, nogil=True)
def _chain(asked, head, after):  # type: ignore[no-untyped-def]
    """Where an item stands in `asked`: head[item], then after[of that] ..., until -1."""
    for j in range(len(asked)):
        after[j] = head[asked[j]]
        head[asked[j]] = j


@njit(cache=True, nogil=True)
def _mark(start, stop, indptr, columns, rows, head, after, out):  # type: ignore[no-untyped-def]
    for n in range(start, stop):
        for k in range(indptr[rows[n]], indptr[rows[n] + 1]):
            j = head[columns[k]]
            while j >= 0:
                out[n, j] = True
                j = after[j]
