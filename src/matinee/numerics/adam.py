"""Adam, in place, rows shared out to threads.

Kingma, Ba, Adam: a method for stochastic optimization, ICLR 2015, with its constants.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from matinee.numerics.threads import in_pieces

ROWS_A_PIECE = 256
MEAN, SQUARE = 0.9, 0.999
"""What a step keeps of both."""
_TINY = np.float32(1e-8)

Table = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Moments:
    """What is remembered of a table's gradients."""

    mean: Table  # (N, D)
    square: Table  # (N, D)

    @classmethod
    def of(cls, values: Table) -> Moments:
        return cls(np.zeros_like(values), np.zeros_like(values))


def step(
    values: Table, gradient: Table, moments: Moments, *, lr: float, times: int, rows: NDArray[np.int64] | None = None
) -> None:
    """Move `values` (N, D) against `gradient`.

    times  which step this is of these rows, from 1
    rows   (n,) the gradient (n, D) is of these alone, each once; the others stay where they are
    """
    rate = np.float32(lr * np.sqrt(1 - SQUARE**times) / (1 - MEAN**times))
    moved = np.arange(len(values)) if rows is None else rows

    def piece(start: int, stop: int) -> None:
        _step_rows(start, stop, moved, values, gradient, moments.mean, moments.square, rate)

    in_pieces(piece, len(moved), ROWS_A_PIECE)


@njit(cache=True, nogil=True, error_model="numpy")
def _step_rows(start, stop, rows, values, gradient, mean, square, rate):  # type: ignore[no-untyped-def]
    keep_mean, new_mean = np.float32(MEAN), np.float32(1 - MEAN)
    keep_square, new_square = np.float32(SQUARE), np.float32(1 - SQUARE)
    for at in range(start, stop):
        x, g, m, s = values[rows[at]], gradient[at], mean[rows[at]], square[rows[at]]
        for d in range(len(x)):
            m[d] = keep_mean * m[d] + new_mean * g[d]
            s[d] = keep_square * s[d] + new_square * g[d] * g[d]
            x[d] -= rate * m[d] / (np.sqrt(s[d]) + _TINY)
