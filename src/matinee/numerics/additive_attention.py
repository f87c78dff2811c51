"""Attention whose weights are a_tj = v . sigma(q_t + k_j), j = 1, ..., t: each place looks back at all before it.

Bahdanau et al., ICLR 2015, with sigma for tanh and no softmax, as Li et al., Neural Attentive Session-based
Recommendation, CIKM 2017, have it. It does not come apart into products of q and k: of a row of n places n^2 / 2
vectors go through sigma. None of them is kept; backward computes them again. Rows have the same bits in any company.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from matinee.numerics.sigmoid import sigmoid
from matinee.numerics.threads import in_pieces

ROWS_A_PIECE = 1
_ORDERED = {"contract"}
_SUMS = {"contract", "reassoc", "nsz"}  # in the order that vector instructions like, which hangs on the length alone

Numbers = NDArray[np.float32]


def weights(asked: Numbers, keys: Numbers, v: Numbers, lengths: NDArray[np.int64]) -> Numbers:
    """asked and keys (B, L, A), v (A,), the first `lengths` (B,) places real -> (B, L, L), 0 where j > t."""
    size, length, _ = asked.shape
    turned = np.ascontiguousarray(keys.transpose(0, 2, 1))
    out = np.zeros((size, length, length), np.float32)

    def some(start: int, stop: int) -> None:
        for row in range(start, stop):
            _weigh(asked[row], turned[row], v, 0, lengths[row], out[row])

    in_pieces(some, size, ROWS_A_PIECE)
    return out


def gradients(
    gradient: Numbers, asked: Numbers, keys: Numbers, v: Numbers, lengths: NDArray[np.int64]
) -> tuple[Numbers, Numbers, Numbers]:
    """Of `weights`, handed (B, L, L) -> by asked, by keys and by v."""
    turned = np.ascontiguousarray(keys.transpose(0, 2, 1))
    by_asked, by_keys = np.zeros_like(asked), np.zeros_like(turned)
    by_v = np.zeros((len(asked), len(v)), np.float32)

    def some(start: int, stop: int) -> None:
        for row in range(start, stop):
            _go_back(gradient[row], asked[row], turned[row], v, lengths[row], by_asked[row], by_keys[row], by_v[row])

    in_pieces(some, len(asked), ROWS_A_PIECE)
    return by_asked, np.ascontiguousarray(by_keys.transpose(0, 2, 1)), by_v.sum(0)


def newest(asked: Numbers, keys: Numbers, v: Numbers, values: Numbers, starts: NDArray[np.int64]) -> Numbers:
    """asked (B, A) of the newest place of B rows; keys (E, A) and values (E, H) of all theirs; starts (B + 1,).

    -> (B, H) sum over j of a_nj values_j.
    """
    out = np.zeros((len(asked), values.shape[1]), np.float32)
    for row in range(len(asked)):
        own = slice(starts[row], starts[row + 1])
        turned = np.ascontiguousarray(keys[own].T)
        n = turned.shape[1]
        shares = np.zeros((1, n), np.float32)
        _weigh(asked[row : row + 1], turned, v, n - 1, n, shares)
        _mix(shares[0], values[own], out[row])
    return out


@njit(cache=True, nogil=True, fastmath=_ORDERED, error_model="numpy")
def _weigh(asked, keys, v, low, n, out):  # type: ignore[no-untyped-def]
    """Places low, ..., n - 1 into the first rows of `out`; keys (A, L)."""
    for t in range(low, n):
        row = out[t - low]
        for d in range(len(v)):
            q, share = asked[t - low, d], v[d]
            for j in range(t + 1):
                row[j] += share * sigmoid(q + keys[d, j])


@njit(cache=True, nogil=True, fastmath=_SUMS, error_model="numpy")
def _go_back(gradient, asked, keys, v, n, by_asked, by_keys, by_v):  # type: ignore[no-untyped-def]
    for t in range(n):
        handed = gradient[t]
        for d in range(len(v)):
            q, share = asked[t, d], v[d]
            here, weighed = np.float32(0), np.float32(0)
            for j in range(t + 1):
                s = sigmoid(q + keys[d, j])
                moved = handed[j] * s
                weighed += moved
                moved *= share * (np.float32(1) - s)
                here += moved
                by_keys[d, j] += moved
            by_asked[t, d] = here
            by_v[d] += weighed


@njit(cache=True, nogil=True, fastmath=_ORDERED)
def _mix(shares, values, out):  # type: ignore[no-untyped-def]
    for j in range(len(shares)):
        for h in range(len(out)):
            out[h] += shares[j] * values[j, h]
