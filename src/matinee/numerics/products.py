"""A sparse matrix times a dense table, on all threads: each row the sum of the table's rows that it names.

A row's sum runs over its entries in the order in which they stand, for each number by itself in float32. So a row has
the same bits in any company and at any thread count, which a product by BLAS does not promise.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.sparse import csr_array

from matinee.numerics.threads import in_pieces

ROWS_A_PIECE = 64


def product(matrix: csr_array, table: NDArray[np.float32]) -> NDArray[np.float32]:
    """matrix (R, N), as `Interactions.matrix()` or turned round; table (N, D) -> (R, D)."""
    indptr, columns = matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32, copy=False)
    weights = matrix.data.astype(np.float32, copy=False)
    flat, dim = np.ascontiguousarray(table).reshape(-1), np.uint64(table.shape[1])
    out = np.zeros((matrix.shape[0], table.shape[1]), np.float32)

    def rows(start: int, stop: int) -> None:
        _product_rows(start, stop, indptr, columns, weights, flat, dim, out)

    in_pieces(rows, len(out), ROWS_A_PIECE)
    return out


@njit(cache=True, nogil=True)
def _product_rows(start, stop, indptr, columns, weights, table, dim, out):  # type: ignore[no-untyped-def]
    """Four entries at a time, so that `out` is read and written a quarter as often; past the end the last entry
    stands in, with weight 0. Unsigned positions spare a test for negative ones.
    """
    for row in range(start, stop):
        sums, last = out[row], indptr[row + 1] - 1
        for k in range(indptr[row], indptr[row + 1], 4):
            k1, k2, k3 = min(k + 1, last), min(k + 2, last), min(k + 3, last)
            a, b = np.uint64(columns[k]) * dim, np.uint64(columns[k1]) * dim
            c, e = np.uint64(columns[k2]) * dim, np.uint64(columns[k3]) * dim
            p0 = weights[k]
            p1 = weights[k1] if k + 1 <= last else np.float32(0)
            p2 = weights[k2] if k + 2 <= last else np.float32(0)
            p3 = weights[k3] if k + 3 <= last else np.float32(0)
            for d in range(dim):
                sums[d] = (((sums[d] + p0 * table[a + d]) + p1 * table[b + d]) + p2 * table[c + d]) + p3 * table[e + d]
