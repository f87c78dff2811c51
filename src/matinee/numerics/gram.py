"""X'X of a sparse users-by-items matrix, dense, on all threads.

Row i of the result belongs to one thread, which adds up the rows of i's users, in their order, in float64.
So the result does not depend on the number of threads, and counts are exact. Time: the sum over users of
their events squared, halved by symmetry.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import DTypeLike, NDArray
from scipy.sparse import csr_array

from matinee.numerics.threads import in_pieces

ROWS_A_PIECE = 16
_EDGE = 64


class BothWays(NamedTuple):
    """A matrix of U rows and I columns that can be walked by row and by column; 20 bytes an entry."""

    indptr: NDArray[np.int64]  # (U + 1,)
    items: NDArray[np.int32]  # (n,)  ascending within a row
    values: NDArray[np.float32]  # (n,) or, where all are 1, (0,)
    item_ptr: NDArray[np.int64]  # (I + 1,)
    users: NDArray[np.int32]  # (n,)  by item, ascending
    places: NDArray[np.int64]  # (n,)  where the same entry stands in `items`


def both_ways(matrix: csr_array) -> BothWays:
    """`matrix` as of `Interactions.matrix()`: columns ascending, each once."""
    entries = csr_array((np.arange(matrix.nnz), matrix.indices, matrix.indptr), shape=matrix.shape).tocsc()
    all_one = bool(np.all(matrix.data == 1))
    return BothWays(
        matrix.indptr.astype(np.int64, copy=False),
        matrix.indices.astype(np.int32, copy=False),
        np.empty(0, np.float32) if all_one else matrix.data,
        entries.indptr.astype(np.int64, copy=False),
        entries.indices.astype(np.int32, copy=False),
        entries.data,
    )


def upper_gram(matrix: csr_array, dtype: DTypeLike = np.float32) -> NDArray[np.floating]:
    """matrix (U, I) -> (I, I) with X'X on and above the diagonal and zeros below. Adds nothing of size I^2."""
    both = both_ways(matrix)
    out = np.zeros((matrix.shape[1], matrix.shape[1]), dtype)

    def rows(start: int, stop: int) -> None:
        _upper_rows(start, stop, *both, out)

    in_pieces(rows, len(out), ROWS_A_PIECE)
    return out


def mirror(upper: NDArray[np.floating]) -> None:
    """Copy what stands above the diagonal of (n, n) below it, in place."""

    def rows(start: int, stop: int) -> None:
        _mirror_rows(start, stop, upper)

    in_pieces(rows, len(upper), _EDGE)


@njit(cache=True, nogil=True)
def add_row(item, indptr, items, values, item_ptr, users, places, upper, out):  # type: ignore[no-untyped-def]
    """out (I,) float64 += row `item` of X'X; with `upper` only what stands on the diagonal or right of it."""
    for entry in range(item_ptr[item], item_ptr[item + 1]):
        user = users[entry]
        start, stop = places[entry] if upper else indptr[user], indptr[user + 1]
        if len(values):
            value = np.float64(values[places[entry]])
            for place in range(start, stop):
                out[items[place]] += value * values[place]
        else:
            for place in range(start, stop):
                out[items[place]] += 1


@njit(cache=True, nogil=True)
def _upper_rows(  # type: ignore[no-untyped-def]
    start, stop, indptr, items, values, item_ptr, users, places, out
):
    total = np.empty(len(out), np.float64)
    for item in range(start, stop):
        total[:] = 0
        add_row(item, indptr, items, values, item_ptr, users, places, True, total)
        for other in range(item, len(out)):
            out[item, other] = total[other]


@njit(cache=True, nogil=True)
def _mirror_rows(start, stop, upper):  # type: ignore[no-untyped-def]
    for left in range(0, stop, _EDGE):  # squares, so that both sides stay in the cache
        for row in range(start, stop):
            for column in range(left, min(left + _EDGE, row)):
                upper[row, column] = upper[column, row]
