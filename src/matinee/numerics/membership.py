"""Who has what already: each question a binary search in one user's items, on all threads."""

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
    asked = np.ascontiguousarray(items if items.ndim == 2 else items[None])
    out = np.empty((len(rows), asked.shape[1]), np.bool_)

    def some(start: int, stop: int) -> None:
        _look_up(start, stop, indptr, columns, rows, asked, out)

    in_pieces(some, len(rows), ROWS_A_PIECE)
    return out


@njit(cache=True, nogil=True)
def _look_up(start, stop, indptr, columns, rows, asked, out):  # type: ignore[no-untyped-def]
    for n in range(start, stop):
        row = asked[n] if len(asked) == len(out) else asked[0]
        first, end = indptr[rows[n]], indptr[rows[n] + 1]
        for j in range(len(row)):
            low, high = first, end
            while low < high:
                middle = (low + high) >> 1
                if columns[middle] < row[j]:
                    low = middle + 1
                else:
                    high = middle
            out[n, j] = low < end and columns[low] == row[j]
