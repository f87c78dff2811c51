"""Products of some rows of a table with some rows of another one: the scores of drawn pairs, and their gradients.

Every sum is taken in float32, in an order that hangs on D alone and not on the thread.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from matinee.numerics.threads import in_pieces

ROWS_A_PIECE = 256
_SUMS = {"contract", "reassoc", "nsz"}  # in the order that vector instructions like


def sampled_products(
    left: NDArray[np.float32], right: NDArray[np.float32], items: NDArray[np.int32]
) -> NDArray[np.float32]:
    """left (P, D), right (I, D), items (P, C) -> (P, C) left[p] . right[items[p, c]]."""
    out = np.empty(items.shape, np.float32)
    flat = np.ascontiguousarray(right).reshape(-1)

    def rows(start: int, stop: int) -> None:
        _rows(start, stop, left, flat, items, out)

    in_pieces(rows, len(items), ROWS_A_PIECE)
    return out


@njit(cache=True, nogil=True, fastmath=_SUMS)
def _rows(start, stop, left, right, items, out):  # type: ignore[no-untyped-def]
    dim = left.shape[1]
    for p in range(start, stop):
        own = left[p]
        for c in range(items.shape[1]):
            at = np.int64(items[p, c]) * dim
            total = np.float32(0)
            for d in range(dim):
                total += own[d] * right[at + d]
            out[p, c] = total
