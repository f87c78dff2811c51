"""Every column of a Gram matrix as an elastic net on the others, by coordinate descent.

    min over w of  1/2 |x_i - X w|^2 + l1 |w|_1 + 1/2 sum_k l2_k w_k^2,   w_i = 0, and w >= 0 where asked

needs X'X alone (covariance updates: Friedman, Hastie, Tibshirani, Journal of Statistical Software 2010). A column is
solved on a working set, which holds the weights that are not zero and, round after round, the items whose own step
would be longest; its part of X'X fits a core's cache. It is done when no item, inside or out, would step as far as
the tolerance. Each column is solved on one thread alone, so the bits do not depend on their number.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.sparse import csr_array

from matinee.numerics.threads import in_told_pieces
from matinee.numerics.topk import offer

COLUMNS_A_PIECE = 64
"""Columns whose gradients are made together, from rows of X'X that a cache then holds."""
PIECES_A_TELL = 16
"""After so many pieces progress is told."""
TILE = 1024
"""Entries of a row that are added up at a time."""
INNER = np.float32(0.1)
"""Within a working set passes are cheap: they go on to this share of the tolerance, so that few rounds are needed."""
LEAST_ADDED = 64
"""So many items, or as many as there are weights, may join a working set in a round."""


@dataclass(frozen=True)
class Penalty:
    l1: float
    l2: NDArray[np.float32]  # (I,)
    non_negative: bool


@dataclass(frozen=True)
class Effort:
    passes: int
    """Over a column's working set, at most, all rounds together."""
    tolerance: float
    """Weights that would move less than this stand."""


@dataclass(frozen=True)
class Found:
    by_column: csr_array  # (I, I)  row i: the weights of the items that speak for item i
    passes: NDArray[np.int64]  # (I,)
    converged: NDArray[np.bool_]  # (I,)


def solve(
    gram: NDArray[np.float32],
    penalty: Penalty,
    effort: Effort,
    candidates: NDArray[np.int32] | None = None,
    tell: Callable[[int], None] = lambda done: None,
) -> Found:
    """gram (I, I) whole; candidates (I, N): only these may have weights in a column, -1 fills up.

    Time: some 10 to 100 passes of the squared number of weights a column, and 3 to 6 times that number times I.
    Beside the result 9 I COLUMNS_A_PIECE bytes a thread.
    """
    n = len(gram)
    parts: list[csr_array] = [csr_array((0, n), dtype=np.float32)] * (-(-n // COLUMNS_A_PIECE))
    passes, converged = np.zeros(n, np.int64), np.zeros(n, bool)
    allowed = np.empty((n, 0), np.int32) if candidates is None else candidates
    settings = np.float32(penalty.l1), penalty.l2, penalty.non_negative, effort.passes, np.float32(effort.tolerance)

    def piece(start: int, stop: int) -> None:
        weights = np.zeros((stop - start, n), np.float32)
        _solve_piece(start, gram, *settings, allowed[start:stop], weights, passes[start:stop], converged[start:stop])
        parts[start // COLUMNS_A_PIECE] = csr_array(weights)

    in_told_pieces(piece, n, COLUMNS_A_PIECE, PIECES_A_TELL, tell)
    return Found(stacked(parts), passes, converged)


def stacked(parts: list[csr_array]) -> csr_array:
    """Parts with the same columns on top of each other."""
    indptr = np.append(0, np.cumsum(np.concatenate([np.diff(part.indptr) for part in parts])))
    values, items = (np.concatenate([getattr(part, name) for part in parts]) for name in ("data", "indices"))
    return csr_array((values, items, indptr), shape=(len(indptr) - 1, parts[0].shape[1]))


@njit(cache=True, nogil=True, error_model="numpy")
def _solve_piece(  # type: ignore[no-untyped-def]
    first, gram, l1, l2, non_negative, most, tolerance, candidates, weights, passes, converged
):
    """The columns first, first + 1, ... into weights (S, I), which come as zeros."""
    n, size = len(gram), len(weights)
    gradient = np.empty((size, n), np.float32)  # X'(x_i - X w)
    open_ = np.ones((size, n), np.bool_)
    scratch = np.empty(n, np.float32)
    for c in range(size):
        for k in range(n):
            gradient[c, k] = gram[first + c, k]
        if candidates.shape[1]:
            open_[c] = False
            for item in candidates[c]:
                if item >= 0:
                    open_[c, item] = True
        open_[c, first + c] = False
    left = size
    while left:
        left = 0
        for c in range(size):
            if converged[c] or passes[c] >= most:
                continue
            work = _working_set(gram, l1, l2, non_negative, tolerance, gradient[c], open_[c], weights[c], scratch)
            if len(work) == 0:
                converged[c] = True
                continue
            left += 1
            passes[c] += _descend(gram, l1, l2, non_negative, most - passes[c], tolerance, work, gradient[c],
                                  weights[c])
        _refresh(first, gram, weights, converged, gradient)


@njit(cache=True, nogil=True, error_model="numpy")
def _step(gradient, weight, diagonal, l1, l2, non_negative):  # type: ignore[no-untyped-def]
    """Where a coordinate would go, the others standing."""
    pull = gradient + diagonal * weight
    if pull > l1:
        return (pull - l1) / (diagonal + l2)
    if pull < -l1 and not non_negative:
        return (pull + l1) / (diagonal + l2)
    return np.float32(0)


@njit(cache=True, nogil=True, error_model="numpy")
def _working_set(  # type: ignore[no-untyped-def]
    gram, l1, l2, non_negative, tolerance, gradient, open_, weights, steps
):
    """The items with a weight and those others that would step furthest, ascending; empty where none would step."""
    n = len(gradient)
    held, hits = 0, 0
    for k in range(n):
        move = np.float32(0)
        if open_[k]:
            move = abs(_step(gradient[k], weights[k], gram[k, k], l1, l2[k], non_negative) - weights[k])
            held += weights[k] != 0
            hits += move >= tolerance
        steps[k] = move
    if hits == 0:
        return np.empty(0, np.int64)
    limit = max(LEAST_ADDED, held)
    best, items, count = np.empty(limit, np.float32), np.empty(limit, np.int32), 0
    for k in range(n):
        if weights[k] == 0 and steps[k] >= tolerance:
            count = offer(best, items, count, limit, steps[k], k)
    chosen = np.empty(held + count, np.int64)
    chosen[:count] = items[:count]
    at = count
    for k in range(n):
        if weights[k] != 0:
            chosen[at] = k
            at += 1
    chosen.sort()
    return chosen


@njit(cache=True, nogil=True, error_model="numpy")
def _descend(  # type: ignore[no-untyped-def]
    gram, l1, l2, non_negative, most, tolerance, work, gradient, weights
):
    """Coordinate descent on the working set until no weight moves as far as the tolerance; returns the passes."""
    m = len(work)
    part, pulls, held = np.empty((m, m), np.float32), np.empty(m, np.float32), np.empty(m, np.float32)
    for a in range(m):
        pulls[a], held[a] = gradient[work[a]], weights[work[a]]
        for b in range(m):
            part[a, b] = gram[work[a], work[b]]
    passes = 0
    while passes < most:
        passes += 1
        furthest = np.float32(0)
        for a in range(m):
            change = _step(pulls[a], held[a], part[a, a], l1, l2[work[a]], non_negative) - held[a]
            if change != 0:
                held[a] += change
                furthest = max(furthest, abs(change))
                row = part[a]
                for b in range(m):
                    pulls[b] -= change * row[b]
        if furthest < INNER * tolerance:
            break
    for a in range(m):
        weights[work[a]] = held[a]
    return passes


@njit(cache=True, nogil=True)
def _refresh(first, gram, weights, done, gradient):  # type: ignore[no-untyped-def]
    """gradient (S, I) = rows of X'X - weights (S, I) X'X, for the columns that are not done."""
    n, size = len(gram), len(weights)
    items, counts = np.zeros((size, n + 4), np.int32), np.zeros(size, np.int64)  # of the weights that are not zero
    for c in range(size):
        for k in range(n):
            if weights[c, k] != 0 and not done[c]:
                items[c, counts[c]] = k
                counts[c] += 1
    for left in range(0, n, TILE):
        width = min(TILE, n - left)
        for c in range(size):
            if done[c]:
                continue
            own = gram[first + c, left : left + width]
            out = gradient[c, left : left + width]
            for i in range(width):
                out[i] = own[i]
            for at in range(0, counts[c], 4):  # four rows at a time: `out` is read and written a quarter as often
                _subtract(gram, weights[c], items[c, at : at + 4], counts[c] - at, left, width, out)


@njit(cache=True, nogil=True)
def _subtract(gram, weights, items, count, left, width, out):  # type: ignore[no-untyped-def]
    """out (W,) -= the first `count`, or all four, of `items` in gram[:, left:], weighted; in this order."""
    a, b, c, d = items[0], items[1], items[2], items[3]
    va, zero = weights[a], np.float32(0)
    vb, vc, vd = (weights[b] if count > 1 else zero), (weights[c] if count > 2 else zero), (
        weights[d] if count > 3 else zero)
    ra, rb, rc, rd = (gram[a, left : left + width], gram[b, left : left + width], gram[c, left : left + width],
                      gram[d, left : left + width])
    for i in range(width):
        out[i] = (((out[i] - va * ra[i]) - vb * rb[i]) - vc * rc[i]) - vd * rd[i]
