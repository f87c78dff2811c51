"""Ridge regressions of many rows on one table of factors, each by preconditioned conjugate gradients.

A row of a sparse matrix has entries i with weights c_i, and the table has a vector y_i for each of N columns. The
row's vector x minimises

    sum over the row's entries of c_i (1 - x.y_i)^2  +  sum over d of curvature_d x_d^2  +  ridge |x|^2

where the curvature is what all N columns together ask of x, in a basis where it is diagonal: see `principal_axes`.
In that basis a product with the whole system costs two passes over the row's entries and nothing that grows with
D^2, and the diagonal curvature x (1 + weight of the row / mass) + ridge is so near to the system that a few
steps do: it would be the system itself, were the row's entries a fair sample of the columns. No system is formed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.sparse import csr_array
from threadpoolctl import threadpool_limits

from matinee.numerics.threads import in_pieces

ROWS_A_PIECE = 64
NOTHING = np.float32(1e-30)
"""A residual so small, squared, is no direction any more: a step along it would divide by what float32 cannot hold."""

# A sum over D may be taken in the order that vector instructions like. That order is fixed when the kernel is
# compiled: it hangs on D alone, not on the block, the thread or the row's neighbours. NaN and infinity stay themselves.
_SUMS = {"contract", "reassoc", "nsz"}


@dataclass(frozen=True, eq=False)
class Table:
    """The side that is held fixed."""

    factors: NDArray[np.float32]  # (N, D)
    curvature: NDArray[np.float32]  # (D,)
    mass: float
    """The curvature is that of N columns which weigh so much together."""


def by_count(matrix: csr_array, l2: float, mass: float, exponent: float) -> NDArray[np.float32]:
    """(R,) the ridge l2 (n + mass)^exponent of each row of n entries."""
    counts: NDArray[np.int64] = np.diff(matrix.indptr)
    return (l2 * (counts + mass) ** exponent).astype(np.float32)


def principal_axes(
    factors: NDArray[np.float32], weight: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """curvature (D,) and basis (D, D), such that weight x Z'Z = diag(curvature) for Z = factors @ basis.

    Raises FloatingPointError where the factors are not finite.
    """
    with threadpool_limits(1, "blas"), np.errstate(over="ignore", invalid="ignore"):
        # more threads would part the sums, and so the bits, in another way
        gram = (weight * (factors.T @ factors)).astype(np.float64)
        if not np.isfinite(gram).all():
            raise FloatingPointError("factors are not finite")
        curvature, basis = np.linalg.eigh(gram)
    return np.maximum(curvature, 0).astype(np.float32), basis.astype(np.float32)


def turned(factors: NDArray[np.float32], basis: NDArray[np.float32]) -> NDArray[np.float32]:
    """factors (N, D) @ basis (D, D), the same bits whatever the number of threads."""
    with threadpool_limits(1, "blas"):
        return factors @ basis


def solve(
    matrix: csr_array,
    table: Table,
    ridge: NDArray[np.float32],
    start: NDArray[np.float32],
    *,
    steps: int,
    tolerance: float = 0.0,
) -> float:
    """Improve the vectors `start` (R, D) of the matrix's (R, N) rows in place; returns what they minimised before.

    ridge      (R,) positive
    steps      at most so many for each row
    tolerance  a row is done where its preconditioned residual has shrunk to this share
    What is returned is the formula above, over all rows. A row's bits hang on that row alone.
    """
    indptr, columns = matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32, copy=False)
    weights = matrix.data.astype(np.float32, copy=False)
    losses = np.zeros(len(start))

    def rows(first: int, end: int) -> None:
        _solve_rows(first, end, indptr, columns, weights, table.factors.reshape(-1), table.curvature,
                    np.float32(1 / table.mass), ridge, start, steps, np.float32(tolerance) ** 2, losses)

    in_pieces(rows, len(start), ROWS_A_PIECE)
    return float(losses.sum())


@njit(cache=True, nogil=True, fastmath=_SUMS, error_model="numpy")
def _solve_rows(  # type: ignore[no-untyped-def]
    first, end, indptr, columns, weights, table, curvature, per_mass, ridge, vectors, steps, tolerance, losses
):
    dim = len(curvature)
    own, near = np.empty(dim, np.float32), np.empty(dim, np.float32)
    residual, direction, image = np.empty(dim, np.float32), np.empty(dim, np.float32), np.empty(dim, np.float32)
    for row in range(first, end):
        x, start, stop = vectors[row], indptr[row], indptr[row + 1]
        weight = np.float32(0)
        for k in range(start, stop):
            weight += weights[k]
        for d in range(dim):
            own[d] = curvature[d] + ridge[row]  # the part of the system without the row's entries
            near[d] = 1 / (own[d] + curvature[d] * weight * per_mass)
            residual[d] = -own[d] * x[d]
            losses[row] -= residual[d] * x[d]
        losses[row] += _add_pull(table, columns, weights, start, stop, np.float32(1), x, residual)
        size = np.float32(0)
        for d in range(dim):
            direction[d] = near[d] * residual[d]
            size += residual[d] * direction[d]
        enough = max(tolerance * size, NOTHING)
        for _ in range(steps):
            if size <= enough:
                break
            for d in range(dim):
                image[d] = -own[d] * direction[d]
            _add_pull(table, columns, weights, start, stop, np.float32(0), direction, image)
            size = _step(x, residual, direction, image, near, size)


@njit(cache=True, nogil=True, fastmath=_SUMS, error_model="numpy")
def _step(x, residual, direction, image, near, size):  # type: ignore[no-untyped-def]
    """One step of conjugate gradients; `image` is minus the system times `direction`. Returns the new size."""
    bend = np.float32(0)
    for d in range(len(x)):
        bend -= direction[d] * image[d]
    length = size / bend
    left = np.float32(0)
    for d in range(len(x)):
        x[d] += length * direction[d]
        residual[d] += length * image[d]
        left += residual[d] * residual[d] * near[d]
    keep = left / size
    for d in range(len(x)):
        direction[d] = near[d] * residual[d] + keep * direction[d]
    return left


@njit(cache=True, nogil=True, fastmath=_SUMS, error_model="numpy")
def _add_pull(table, columns, weights, start, stop, target, x, out):  # type: ignore[no-untyped-def]
    """out += sum over the entries of c_i (target - x.y_i) y_i; returns the sum of c_i (target - x.y_i)^2.

    Four entries at a time, so that `out` is read and written a quarter as often; past the end the last entry
    stands in, with weight 0. Unsigned positions spare a test for negative ones.
    """
    dim, last = np.uint64(len(x)), stop - 1
    error = 0.0
    for k in range(start, stop, 4):
        k1, k2, k3 = min(k + 1, last), min(k + 2, last), min(k + 3, last)
        a, b = np.uint64(columns[k]) * dim, np.uint64(columns[k1]) * dim
        c, e = np.uint64(columns[k2]) * dim, np.uint64(columns[k3]) * dim
        s0, s1, s2, s3 = np.float32(0), np.float32(0), np.float32(0), np.float32(0)
        for d in range(dim):
            s0 += table[a + d] * x[d]
            s1 += table[b + d] * x[d]
            s2 += table[c + d] * x[d]
            s3 += table[e + d] * x[d]
        s0, s1, s2, s3 = target - s0, target - s1, target - s2, target - s3
        p0 = weights[k] * s0
        p1 = weights[k1] * s1 if k + 1 < stop else np.float32(0)
        p2 = weights[k2] * s2 if k + 2 < stop else np.float32(0)
        p3 = weights[k3] * s3 if k + 3 < stop else np.float32(0)
        for d in range(dim):
            out[d] += p0 * table[a + d] + p1 * table[b + d] + p2 * table[c + d] + p3 * table[e + d]
        error += p0 * s0 + p1 * s1 + p2 * s2 + p3 * s3
    return error
