"""Minus the inverse of a large symmetric positive definite matrix, in place, the same bits at any thread count.

The sweep operator (Beaton 1964; Goodnight, The American Statistician 1979) on blocks of columns. Each step is a
matrix product a block row, handed out to threads that each run a single-threaded BLAS: a BLAS that shares
one product among threads gives other bits for another number of them, and waits in circles on a busy machine.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dpotrf, dpotri
from threadpoolctl import threadpool_limits

from matinee.errors import ModelError
from matinee.numerics.threads import in_pieces

BLOCK = 512


def sweep(upper: NDArray[np.floating]) -> None:
    """(n, n) with A on and above the diagonal -> -inverse(A) there; what stands below is not read and means nothing.

    n^3 multiplications, half of what they would be without symmetry; 2 n x 512 numbers beside the matrix.
    float32 or float64. Raises ModelError (`singular`) where A is not positive definite to this precision.
    """
    n = len(upper)
    count = max(1, -(-n // BLOCK))
    cuts = [slice(n * b // count, n * (b + 1) // count) for b in range(count)]
    width = max(cut.stop - cut.start for cut in cuts)
    panel, scaled = np.empty((n, width), upper.dtype), np.empty((n, width), upper.dtype)
    with threadpool_limits(1, user_api="blas"):
        for pivot in range(count):
            _sweep_block(upper, cuts, pivot, panel, scaled)


def _sweep_block(
    upper: NDArray[np.floating],
    cuts: list[slice],
    pivot: int,
    panel: NDArray[np.floating],
    scaled: NDArray[np.floating],
) -> None:
    """One step: A_ij -= A_ip D A_pj and A_ip = A_ip D, where D is the inverse of the pivot block A_pp."""
    middle = cuts[pivot]
    inverse = _inverse(upper[middle, middle]).astype(upper.dtype)
    size = len(inverse)

    def scale(block: int, _: int) -> None:
        rows = cuts[block]
        if block != pivot:
            above = block < pivot
            panel[rows, :size] = upper[rows, middle] if above else upper[middle, rows].T
            np.matmul(panel[rows, :size], inverse, out=scaled[rows, :size])

    def update(block: int, _: int) -> None:
        rows = cuts[block]
        product = np.empty((rows.stop - rows.start, panel.shape[1]), upper.dtype)
        for other in range(block, len(cuts)):
            if pivot in (block, other):
                continue
            columns = cuts[other]
            part = product[:, : columns.stop - columns.start]
            np.matmul(scaled[rows, :size], panel[columns, :size].T, out=part)
            upper[rows, columns] -= part

    in_pieces(scale, len(cuts), 1)
    in_pieces(update, len(cuts), 1)
    upper[: middle.start, middle] = scaled[: middle.start, :size]
    upper[middle, middle.stop :] = scaled[middle.stop :, :size].T
    upper[middle, middle] = -inverse


def _inverse(upper: NDArray[np.floating]) -> NDArray[np.float64]:
    """The inverse of a block of which only the upper triangle holds, in float64 throughout."""
    factor, failed = dpotrf(upper.astype(np.float64))  # reads the upper triangle alone
    if not failed:
        half, failed = dpotri(factor, overwrite_c=1)
    if failed:
        raise ModelError("singular", f"the matrix cannot be inverted in {upper.dtype}",
                         "raise l2, or compute in float64")
    whole: NDArray[np.float64] = half + np.triu(half, 1).T
    return whole


def others_than(
    inverse: NDArray[np.floating], left_out: Sequence[NDArray[np.int64]]
) -> NDArray[np.float32]:
    """Column i: feature left_out[i][0] regressed on all features but those in left_out[i].

    inverse (F, F), plus or minus the inverse of X'X and a ridge, whole -> (F, columns) float32. A column is
    -P[:, S] (P[S, S])^-1 e, with zeros in S; time F times the size of S, 4 F bytes a column a thread.
    """
    out = np.empty((len(inverse), len(left_out)), np.float32)

    def columns(start: int, stop: int) -> None:
        found = np.empty((stop - start, len(inverse)), np.float32)
        for at, mine in enumerate(left_out[start:stop]):
            unit = np.zeros(len(mine))
            unit[0] = 1
            shares = np.linalg.solve(inverse[np.ix_(mine, mine)].astype(np.float64), unit)
            found[at] = -(shares.astype(inverse.dtype) @ inverse[mine])
            found[at, mine] = 0
        out[:, start:stop] = found.T

    with threadpool_limits(1, user_api="blas"):
        in_pieces(columns, len(left_out), 64)
    return out
