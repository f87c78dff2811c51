"""A transformer over histories of different lengths, one history at a time: nothing is padded, and what is worked on
stays in a core's cache. A history's states have the same bits in any company.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from matinee.numerics.factors import TILE, score_rows, tiled
from matinee.numerics.threads import in_pieces

HISTORIES_A_PIECE = 8
_ORDERED = {"contract"}  # a product and its sum may be one instruction; the order of sums stays


class Weights(NamedTuple):
    """Of N blocks; matrices as `factors.tiled` makes them, one after the other."""

    table: NDArray[np.float32]  # (I, D)  what an item adds, scaled already
    positions: NDArray[np.float32]  # (L, D)
    norms: NDArray[np.float32]  # (N, 4, D)  gain and shift of the first norm, then of the second
    mixed: NDArray[np.float32]  # (N, tiles, D, 64)  to what is asked, to the keys and to what is said
    joined: NDArray[np.float32]  # (N, tiles, D, 64)
    wide: NDArray[np.float32]  # (N, tiles, D, 64)
    narrow: NDArray[np.float32]  # (N, tiles, W, 64)
    biases: NDArray[np.float32]  # (N, 5 D + W)  of mixed, joined, wide and narrow
    last: NDArray[np.float32]  # (2, D)  gain and shift of the norm at the end


def states(
    weights: Weights, items: NDArray[np.int64], starts: NDArray[np.int64], wanted: NDArray[np.int64], heads: int,
    causal: bool, gelu: bool, epsilon: float,
) -> NDArray[np.float32]:
    """The last states of the newest `wanted` (B,) places of each history items[starts[b]:starts[b + 1]], in order.

    None of more than L items, and none asked for more places than it has -> (sum of wanted, D).
    """
    ends = np.zeros(len(wanted) + 1, np.int64)
    np.cumsum(wanted, out=ends[1:])
    out = np.empty((int(ends[-1]), weights.table.shape[1]), np.float32)

    def some(start: int, stop: int) -> None:
        _encode(start, stop, weights, items, starts, ends, heads, causal, gelu, np.float32(epsilon), out)

    in_pieces(some, len(wanted), HISTORIES_A_PIECE)
    return out


def stacked(matrices: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Matrices (H, D) of one shape, each tiled."""
    return np.stack([tiled(matrix) for matrix in matrices])


@njit(cache=True, nogil=True, fastmath=_ORDERED)
def _encode(start, stop, weights, items, starts, ends, heads, causal, gelu, epsilon, out):  # type: ignore[no-untyped-def]
    table, positions, norms, mixed, joined, wide, narrow, biases, last = weights
    dim, width, blocks = table.shape[1], narrow.shape[2], len(norms)
    longest = 1
    for b in range(start, stop):
        longest = max(longest, starts[b + 1] - starts[b])
    rows = (longest + 3) // 4 * 4
    x, h = np.zeros((rows, dim), np.float32), np.zeros((rows, (dim + 3) // 4 * 4), np.float32)
    m, inner = np.zeros((rows, 3 * dim), np.float32), np.zeros((rows, width), np.float32)
    y = np.zeros((rows, dim), np.float32)
    room = _room(longest, dim // heads)
    n_real = biases.shape[1] - 5 * dim
    for b in range(start, stop):
        n, first = starts[b + 1] - starts[b], starts[b]
        for t in range(n):
            for d in range(dim):
                x[t, d] = table[items[first + t], d] + positions[t, d]
        for block in range(blocks):
            low = 0 if block < blocks - 1 else n - (ends[b + 1] - ends[b])
            _norm(x, 0, n, norms[block, 0], norms[block, 1], epsilon, h)
            score_rows(0, n, h, mixed[block], m[:n])
            _plus(m, n, biases[block, : 3 * dim])
            _attend(m, low, n, heads, causal, room, h)
            score_rows(0, n - low, h, joined[block], y[: n - low])
            _add(x, low, n, y, biases[block, 3 * dim : 4 * dim])
            _norm(x, low, n, norms[block, 2], norms[block, 3], epsilon, h)
            score_rows(0, n - low, h, wide[block], inner[: n - low, :n_real])
            _activate(inner, n - low, biases[block, 4 * dim : 4 * dim + n_real], gelu)
            score_rows(0, n - low, inner, narrow[block], y[: n - low])
            _add(x, low, n, y, biases[block, 4 * dim + n_real :])
        low = n - (ends[b + 1] - ends[b])
        _norm(x, low, n, last[0], last[1], epsilon, h)
        for t in range(n - low):
            for d in range(dim):
                out[ends[b] + t, d] = h[t, d]


@njit(cache=True, nogil=True, fastmath=_ORDERED)
def _norm(x, low, n, gain, shift, epsilon, out):  # type: ignore[no-untyped-def]
    """Rows low, ..., n - 1 of x into the first rows of `out`, each to mean 0 and variance 1, times gain plus shift."""
    dim = x.shape[1]
    for t in range(low, n):
        mean = np.float32(0)
        for d in range(dim):
            mean += x[t, d]
        mean /= np.float32(dim)
        spread = np.float32(0)
        for d in range(dim):
            spread += (x[t, d] - mean) * (x[t, d] - mean)
        scale = np.float32(1) / np.sqrt(spread / np.float32(dim) + epsilon)
        for d in range(dim):
            out[t - low, d] = (x[t, d] - mean) * scale * gain[d] + shift[d]


@njit(cache=True, nogil=True, fastmath=_ORDERED)
def _plus(values, n, bias):  # type: ignore[no-untyped-def]
    for t in range(n):
        for d in range(len(bias)):
            values[t, d] += bias[d]


@njit(cache=True, nogil=True, fastmath=_ORDERED)
def _add(x, low, n, y, bias):  # type: ignore[no-untyped-def]
    for t in range(low, n):
        for d in range(x.shape[1]):
            x[t, d] += y[t - low, d] + bias[d]


@njit(cache=True, nogil=True, fastmath=_ORDERED)
def _activate(values, n, bias, gelu):  # type: ignore[no-untyped-def]
    for t in range(n):
        for d in range(len(bias)):
            value = values[t, d] + bias[d]
            if gelu:
                inner = np.float32(0.7978845608028654) * (value + np.float32(0.044715) * value * value * value)
                values[t, d] = np.float32(0.5) * value * (np.float32(1) + np.tanh(inner))
            else:
                values[t, d] = max(value, np.float32(0))


@njit(cache=True, nogil=True, fastmath=_ORDERED)
def _attend(m, low, n, heads, causal, room, out):  # type: ignore[no-untyped-def]
    """m (n, 3 D): what each place asks, its key and what it says; of places low, ... into the first rows of `out`.

    Blocks of TILE places against tiles of TILE places: both products are those of `factors`, and a place that is not
    to be seen has a chance of exactly 0. `room` is a `_room`.
    """
    asked, keys, said, chances, found = room
    size, tile = m.shape[1] // 3 // heads, keys.shape[2]
    scale = np.float32(1 / np.sqrt(size))
    for head in range(heads):
        _lay_out(m, n, head * size, scale, size, asked, keys, said)
        for first in range(low, n, tile):
            rows = min(tile, n - first)
            seen = first + rows if causal else n
            tiles = (seen + tile - 1) // tile
            chance = chances[: tile * tiles * tile].reshape(tile, tiles * tile)
            for t in range(rows):
                for d in range(size):
                    found[t, d] = asked[first + t, d]
            score_rows(0, rows, found, keys[:tiles], chance[:rows])
            for t in range(rows):
                _soften(chance[t], first + t + 1 if causal else n)
            score_rows(0, rows, chance, said, found[:rows])
            for t in range(rows):
                for d in range(size):
                    out[first - low + t, head * size + d] = found[t, d]


@njit(cache=True, nogil=True, fastmath=_ORDERED)
def _lay_out(m, n, at, scale, size, asked, keys, said):  # type: ignore[no-untyped-def]
    """Of one head, whose columns begin at `at`: what is asked, and keys and what is said in tiles, zeros behind."""
    dim, tile = m.shape[1] // 3, keys.shape[2]
    for t in range(len(said[0])):
        real = t < n
        for d in range(size):
            said[d // tile, t, d % tile] = m[t, 2 * dim + at + d] if real else np.float32(0)
            keys[t // tile, d, t % tile] = m[t, dim + at + d] if real else np.float32(0)
        if real:
            for d in range(size):
                asked[t, d] = m[t, at + d] * scale


@njit(cache=True, nogil=True, fastmath=_ORDERED)
def _soften(row, seen):  # type: ignore[no-untyped-def]
    """The first `seen` numbers to chances that sum to 1, the others to 0."""
    most = row[0]
    for j in range(1, seen):
        most = max(most, row[j])
    total = np.float32(0)
    for j in range(seen):
        row[j] = np.exp(row[j] - most)
        total += row[j]
    for j in range(seen):
        row[j] /= total
    for j in range(seen, len(row)):
        row[j] = 0


@njit(cache=True, nogil=True)
def _room(longest, size):  # type: ignore[no-untyped-def]
    """What `_attend` works in, for histories of so many places and heads of this size."""
    tile = int(TILE)
    tiles, up = (longest + tile - 1) // tile, (size + 3) // 4 * 4
    return (np.zeros((tiles * tile, up), np.float32), np.zeros((tiles, up, tile), np.float32),
            np.zeros(((size + tile - 1) // tile, tiles * tile, tile), np.float32),
            np.zeros(tile * tiles * tile, np.float32), np.zeros((tile, up), np.float32))
