"""Scores of different models made comparable, each row by itself: (B, I) float32 in, (B, I) float32 out.

A row is worked on alone and from its first item to its last, so its bits do not depend on who else is there.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from matinee.numerics.threads import in_pieces

ROWS_A_PIECE = 64

Scores = NDArray[np.float32]


def z_scores(scores: Scores) -> Scores:
    """(score - mean) / standard deviation over the row; 0 everywhere in a row of equal scores."""
    return _by_rows(_z_score_rows, scores)


def ranks(scores: Scores) -> Scores:
    """Position from the worst, 1 to I, over I; equal scores share the mean of their positions."""
    return _by_rows(_rank_rows, scores)


def log_softmax(scores: Scores) -> Scores:
    """score - log(sum of exp(score)) over the row."""
    return _by_rows(_log_softmax_rows, scores)


def _by_rows(kernel, scores: Scores) -> Scores:  # type: ignore[no-untyped-def]
    made = np.empty(scores.shape, np.float32)
    in_pieces(lambda start, stop: kernel(start, stop, scores, made), len(scores), ROWS_A_PIECE)
    return made


@njit(cache=True, nogil=True)
def _z_score_rows(start, stop, scores, made):  # type: ignore[no-untyped-def]
    n = scores.shape[1]
    for row in range(start, stop):
        mean = 0.0
        for i in range(n):
            mean += scores[row, i]
        mean /= n
        square = 0.0
        for i in range(n):
            square += (scores[row, i] - mean) ** 2
        deviation = np.sqrt(square / n)
        scale = 1.0 / deviation if deviation > 0 else 0.0
        for i in range(n):
            made[row, i] = (scores[row, i] - mean) * scale


@njit(cache=True, nogil=True)
def _rank_rows(start, stop, scores, made):  # type: ignore[no-untyped-def]
    n = scores.shape[1]
    for row in range(start, stop):
        order = np.argsort(scores[row])
        at = 0
        while at < n:
            end = at + 1
            while end < n and scores[row, order[end]] == scores[row, order[at]]:
                end += 1
            for i in range(at, end):
                made[row, order[i]] = (at + 1 + end) / (2 * n)
            at = end


@njit(cache=True, nogil=True)
def _log_softmax_rows(start, stop, scores, made):  # type: ignore[no-untyped-def]
    n = scores.shape[1]
    for row in range(start, stop):
        highest = np.float64(scores[row, 0])
        for i in range(n):
            highest = max(highest, scores[row, i])
        total = 0.0
        for i in range(n):
            total += np.exp(scores[row, i] - highest)
        shift = highest + np.log(total)
        for i in range(n):
            made[row, i] = scores[row, i] - shift
