"""k-means: rows gathered round centres so that the squared distances to them are small. For users and for items.

Lloyd, "Least squares quantization in PCM", IEEE Trans. Inf. Theory 1982; the start of Arthur, Vassilvitskii,
"k-means++: the advantages of careful seeding", SODA 2007. Distances are summed in float64, in the order of the
dimensions and each row for itself, centres in the order of the rows: the bits do not depend on the threads. A centre
left without rows moves to the row that is farthest from its own.

Cost: N x k x D multiplications a round; 8 (N + k D) bytes beside the rows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from matinee.errors import UsageError
from matinee.numerics.threads import in_pieces

ROWS_A_PIECE = 256
MOST_ROUNDS = 100
"""Where so many rounds did not settle it, what moves on are a few rows at the borders."""

Vectors = NDArray[np.float32]


class Clusters(NamedTuple):
    centres: Vectors  # (k, D)
    labels: NDArray[np.int32]  # (N,)  each row's nearest centre, the first of equally near ones
    inertia: float
    """The sum over the rows of the squared distance to the centre."""
    rounds: int


def _unheard(rounds: int) -> None:
    """Nobody counts."""


def kmeans(
    vectors: Vectors, k: int, rng: np.random.Generator, heard: Callable[[int], None] = _unheard
) -> Clusters:
    """vectors (N, D), finite, in k clusters; `heard` is told each round. Raises UsageError where k is not in 1 to N.

    With fewer than k different rows some clusters stay empty.
    """
    return lloyd(vectors, scattered(vectors, k, rng), heard=heard)


def scattered(vectors: Vectors, k: int, rng: np.random.Generator) -> Vectors:
    """k rows to start from (k, D): each drawn in proportion to the squared distance from those drawn before."""
    n = len(vectors)
    if not 1 <= k <= n:
        raise UsageError("bad-clusters", f"{k} clusters of {n} rows were asked for", f"ask for 1 to {n}")
    chosen = np.zeros(k, np.int64)
    chosen[0] = rng.integers(n)
    gaps = nearest_centre(vectors, vectors[chosen[:1]])[1]
    for at in range(1, k):
        far = np.cumsum(gaps)
        drawn = np.searchsorted(far, rng.random() * far[-1], side="right") if far[-1] > 0 else rng.integers(n)
        chosen[at] = min(int(drawn), n - 1)
        gaps = np.minimum(gaps, nearest_centre(vectors, vectors[chosen[at : at + 1]])[1])
    return vectors[chosen]


def lloyd(
    vectors: Vectors, centres: Vectors, *, rounds: int = MOST_ROUNDS, heard: Callable[[int], None] = _unheard
) -> Clusters:
    """From these centres (k, D) until no row changes its cluster, or for so many rounds."""
    labels, gaps = nearest_centre(vectors, centres)
    done = 0
    for done in range(1, rounds + 1):
        heard(done)
        centres = _means(vectors, labels, gaps, centres)
        before, (labels, gaps) = labels, nearest_centre(vectors, centres)
        if np.array_equal(before, labels):
            break
    return Clusters(centres, labels, float(gaps.sum()), done)


def nearest_centre(vectors: Vectors, centres: Vectors) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Each row's nearest centre (N,), the first of equally near ones, and the squared distance to it (N,)."""
    labels, gaps = np.empty(len(vectors), np.int32), np.empty(len(vectors), np.float64)
    turned = np.ascontiguousarray(centres.T)

    def rows(start: int, stop: int) -> None:
        _nearest_rows(start, stop, vectors, turned, labels, gaps)

    in_pieces(rows, len(vectors), ROWS_A_PIECE)
    return labels, gaps


def squared_distances(vectors: Vectors, centres: Vectors) -> NDArray[np.float64]:
    """(N, k) from each row to each centre; the bits of a row do not depend on the others."""
    out = np.empty((len(vectors), len(centres)), np.float64)
    turned = np.ascontiguousarray(centres.T)

    def rows(start: int, stop: int) -> None:
        for row in range(start, stop):
            _distances(vectors[row], turned, out[row])

    in_pieces(rows, len(vectors), ROWS_A_PIECE)
    return out


def memberships(vectors: Vectors, centres: Vectors, temperature: float) -> Vectors:
    """(N, k) the share of each row in each cluster: in proportion to exp(-squared distance / temperature), each row's
    sum 1; with temperature 0 all in the nearest."""
    gaps = squared_distances(vectors, centres)
    out = np.zeros(gaps.shape, np.float32)

    def rows(start: int, stop: int) -> None:
        _share_rows(start, stop, gaps, temperature, out)

    in_pieces(rows, len(out), ROWS_A_PIECE)
    return out


def _means(
    vectors: Vectors, labels: NDArray[np.int32], gaps: NDArray[np.float64], before: Vectors
) -> Vectors:
    """(k, D) the means of the rows of each cluster. The empty ones get the farthest rows, one each."""
    counts, sums = np.zeros(len(before), np.int64), np.zeros(before.shape, np.float64)
    _add_rows(vectors, labels, counts, sums)
    made = (sums / np.maximum(counts, 1)[:, None]).astype(np.float32)
    empty = np.flatnonzero(counts == 0)
    made[empty] = before[empty]
    farthest = np.argsort(-gaps, kind="stable")[: len(empty)]
    farthest = farthest[gaps[farthest] > 0]  # a row that stands on its centre needs no other
    made[empty[: len(farthest)]] = vectors[farthest]
    return made


@njit(cache=True, nogil=True)
def _nearest_rows(start, stop, vectors, turned, labels, gaps):  # type: ignore[no-untyped-def]
    far = np.empty(turned.shape[1], np.float64)
    for row in range(start, stop):
        _distances(vectors[row], turned, far)
        best = 0
        for c in range(1, len(far)):
            if far[c] < far[best]:
                best = c
        labels[row], gaps[row] = best, far[best]


@njit(cache=True, nogil=True)
def _share_rows(start, stop, gaps, temperature, out):  # type: ignore[no-untyped-def]
    k = gaps.shape[1]
    for row in range(start, stop):
        best = np.argmin(gaps[row])
        if temperature == 0:
            out[row, best] = 1
            continue
        total = 0.0
        for c in range(k):
            total += np.exp((gaps[row, best] - gaps[row, c]) / temperature)
        for c in range(k):
            out[row, c] = np.exp((gaps[row, best] - gaps[row, c]) / temperature) / total


@njit(cache=True, nogil=True)
def _distances(vector, turned, out):  # type: ignore[no-untyped-def]
    """out (k,) = squared distances of vector (D,) from the columns of turned (D, k)."""
    out[:] = 0
    for d in range(len(vector)):
        x = np.float64(vector[d])
        for c in range(len(out)):  # side by side in memory: vector instructions
            gap = x - turned[d, c]
            out[c] += gap * gap


@njit(cache=True, nogil=True)
def _add_rows(vectors, labels, counts, sums):  # type: ignore[no-untyped-def]
    for row in range(len(vectors)):
        counts[labels[row]] += 1
        for d in range(vectors.shape[1]):
            sums[labels[row], d] += vectors[row, d]
