"""Softmax over whole rows of scores, with its loss and gradient: a row is read once and written once, and what happens
to it in between happens in the fastest cache.

    loss      -sum over i of c_ui ln p_ui          p_u = softmax over i of (s_ui + b_i)
    gradient  p_ui sum_j c_uj - c_ui
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from matinee.numerics.threads import in_pieces

ROWS_A_PIECE = 32
_SUMS = {"contract", "reassoc", "nsz"}  # in the order that vector instructions like; the same with any threads
_LOG2_E = np.float32(math.log2(math.e))
_LOWEST = np.float32(-126)  # 2 ** -126 is the smallest number that is not subnormal
_NONE = np.int32(-126 << 23)


def softmax_rows(
    scores: NDArray[np.float32] | NDArray[np.int16], bias: NDArray[np.float32], starts: NDArray[np.int64],
    items: NDArray[np.int32], weights: NDArray[np.float32],
) -> tuple[float, NDArray[np.float32]]:
    """scores (B, I) become their gradient -> the loss of all rows, the gradient of the bias (I,).

    scores   float32, or int16 that hold the bits of bfloat16
    starts   (B + 1,) row b observes items[starts[b]:starts[b + 1]], each once, with these weights c
    Returns a loss of NaN where a score is not finite, with a gradient that means nothing.
    """
    losses = np.empty(len(scores))
    parts = np.zeros((-(-len(scores) // ROWS_A_PIECE), len(bias)), np.float32)
    kernel = _float32_rows if scores.dtype == np.float32 else _bfloat16_rows

    def piece(start: int, stop: int) -> None:
        kernel(start, stop, scores, bias, starts, items, weights, parts[start // ROWS_A_PIECE], losses)

    in_pieces(piece, len(scores), ROWS_A_PIECE)
    return float(losses.sum()), parts.sum(0)


@njit(cache=True, nogil=True, fastmath=_SUMS)
def _float32_rows(start, stop, scores, bias, starts, items, weights, of_bias, losses):  # type: ignore[no-untyped-def]
    row, powers = np.empty(len(bias), np.float32), np.empty(len(bias), np.int32)
    for r in range(start, stop):
        for i in range(len(bias)):
            row[i] = scores[r, i]
        some = slice(starts[r], starts[r + 1])
        losses[r] = _row(row, row.view(np.int32), powers, bias, items[some], weights[some])
        for i in range(len(bias)):
            of_bias[i] += row[i]
            scores[r, i] = row[i]


@njit(cache=True, nogil=True, fastmath=_SUMS)
def _bfloat16_rows(start, stop, scores, bias, starts, items, weights, of_bias, losses):  # type: ignore[no-untyped-def]
    row, powers = np.empty(len(bias), np.float32), np.empty(len(bias), np.int32)
    bits = row.view(np.int32)
    for r in range(start, stop):
        for i in range(len(bias)):
            bits[i] = np.int32(scores[r, i]) << np.int32(16)
        some = slice(starts[r], starts[r + 1])
        losses[r] = _row(row, bits, powers, bias, items[some], weights[some])
        for i in range(len(bias)):
            of_bias[i] += row[i]
        for i in range(len(bias)):  # to the nearest of 16 bits, of two the even one
            scores[r, i] = (bits[i] + np.int32(0x7FFF) + ((bits[i] >> np.int32(16)) & np.int32(1))) >> np.int32(16)


@njit(cache=True, nogil=True, fastmath=_SUMS)
def _row(row, bits, powers, bias, items, weights):  # type: ignore[no-untyped-def]
    """row (I,) becomes its gradient -> its loss; `bits` is the same memory."""
    top, all_of_it = np.float32(-3e38), np.float32(0)
    for i in range(len(row)):
        value = row[i] + bias[i]
        row[i] = value
        top = max(top, value)
        all_of_it += value  # a maximum may pass NaN over, a sum does not
    mass, picked = 0.0, 0.0
    for k in range(len(items)):
        mass += weights[k]
        picked += weights[k] * (row[items[k]] - top)
    for i in range(len(row)):  # e^x = 2^whole 2^part; 2^part by a polynomial, right to float32's last bit or two
        power = max((row[i] - top) * _LOG2_E, _LOWEST)
        whole = np.floor(power)
        part = power - whole
        value = np.float32(1.8775767e-3)
        value = value * part + np.float32(8.9893397e-3)
        value = value * part + np.float32(5.5826318e-2)
        value = value * part + np.float32(2.4015361e-1)
        value = value * part + np.float32(6.9315308e-1)
        row[i] = value * part + np.float32(9.9999994e-1)
        powers[i] = np.int32(whole) << np.int32(23)
    for i in range(len(row)):
        bits[i] += powers[i]
    total = np.float32(0)
    for i in range(len(row)):
        row[i] = row[i] if powers[i] > _NONE else np.float32(0)  # what is lost beside the top has no gradient at all
        total += row[i]
    scale = np.float32(mass / total)
    for i in range(len(row)):
        row[i] *= scale
    for k in range(len(items)):
        row[items[k]] -= weights[k]
    if not np.isfinite(all_of_it):
        return np.nan
    return mass * np.log(np.float64(total)) - picked
