"""A network over pairs of a user and an item, TILE candidates of a user at a time: what is worked on stays in cache.

The first layer is linear in what is known of the user and of the item, so its sums are made once for each of them, and
a pair costs from the first rectifier on:

    h_1 = relu(first_u + items_i + numbers_ui . N)     h_n = relu(W_n h_(n-1) + b_n)     score = x_u . y_i + w . h_L

Each candidate has a lane of its own, so its score has the same bits wherever it stands and whatever stands beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from matinee.numerics.factors import AT_ONCE, TILE, padded, score_rows
from matinee.numerics.threads import in_pieces

Floats = NDArray[np.float32]
USERS_A_PIECE = 4
LANES = int(TILE)
_ORDERED = {"contract"}  # a product and its sum may be one instruction; the order of sums stays


class Layers(NamedTuple):
    """L layers after the items' sums; the matrices of all but the first stand one after the other, zeros between."""

    items: Floats  # (I, H)  the items' part of the first layer's sums
    numbers: Floats  # (N, H)  what a pair's numbers add to them
    inner: Floats
    sizes: NDArray[np.int64]  # (L - 1, 2)  of each matrix: rows, columns
    biases: Floats
    last: Floats  # (H of the last layer,)


def layers(
    items: Floats, numbers: Floats, matrices: Sequence[Floats], biases: Sequence[Floats], last: Floats
) -> Layers:
    """matrices (H', H) and biases (H',) of the layers after the first one."""
    nothing = [np.empty(0, np.float32)]
    sizes = np.array([matrix.shape for matrix in matrices], np.int64).reshape(len(matrices), 2)
    inner = np.concatenate([padded(matrix).reshape(-1) for matrix in matrices] or nothing)
    return Layers(items, numbers, inner, sizes, np.concatenate(list(biases) or nothing), last)


def pair_scores(
    left: Floats, right: Floats, first: Floats, numbers: Floats, candidates: NDArray[np.int32], net: Layers
) -> Floats:
    """left (B, K), right (I, K), first (B, H), numbers (B, C, N), candidates (B, C) -> (B, C); -inf for -1."""
    out = np.empty(candidates.shape, np.float32)

    def rows(start: int, stop: int) -> None:
        _rows(start, stop, left, right, first, numbers, candidates, *net, out)

    in_pieces(rows, len(candidates), USERS_A_PIECE)
    return out


@njit(cache=True, nogil=True, fastmath=_ORDERED)
def _rows(start, stop, left, right, first, numbers, candidates, items, of_numbers, inner, sizes, biases, last, out):  # type: ignore[no-untyped-def]
    tile, most = LANES, items.shape[1]
    for n in range(len(sizes)):
        most = max(most, sizes[n, 0])
    room = (most + AT_ONCE - 1) // AT_ONCE * AT_ONCE * tile
    here, there, sums = np.zeros(room, np.float32), np.zeros(room, np.float32), np.empty(tile, np.float32)
    for u in range(start, stop):
        for c in range(0, candidates.shape[1], tile):
            width = min(tile, candidates.shape[1] - c)
            _begin(u, c, width, first, items, numbers, of_numbers, candidates, here)
            weights, shift = 0, 0
            for n in range(len(sizes)):
                rows, columns = (sizes[n, 0] + 3) // 4 * 4, (sizes[n, 1] + 3) // 4 * 4
                matrix = inner[weights : weights + rows * columns].reshape(rows, columns)
                after = there[: sizes[n, 0] * tile].reshape(sizes[n, 0], tile)
                score_rows(0, sizes[n, 0], matrix, here[: columns * tile].reshape(1, columns, tile), after)
                _rectify(after, biases[shift : shift + sizes[n, 0]], here)
                weights, shift = weights + rows * columns, shift + sizes[n, 0]
            meet(u, c, width, left, right, candidates, sums)
            _end(here, last, sums)
            for t in range(width):
                out[u, c + t] = sums[t] if candidates[u, c + t] >= 0 else -np.inf


@njit(cache=True, nogil=True, fastmath=_ORDERED)
def _begin(u, c, width, first, items, numbers, of_numbers, candidates, here):  # type: ignore[no-untyped-def]
    """The first layer's outputs, a lane a candidate; lanes behind the last one are 0."""
    tile = LANES
    for d in range(items.shape[1]):
        for t in range(width, tile):
            here[d * tile + t] = 0
    for t in range(width):
        item = max(candidates[u, c + t], 0)
        for d in range(items.shape[1]):
            value = first[u, d] + items[item, d]
            for n in range(len(of_numbers)):
                value += numbers[u, c + t, n] * of_numbers[n, d]
            here[d * tile + t] = max(value, np.float32(0))


@njit(cache=True, nogil=True, fastmath=_ORDERED)
def _rectify(after, bias, here):  # type: ignore[no-untyped-def]
    tile = after.shape[1]
    for d in range(len(bias)):
        for t in range(tile):
            here[d * tile + t] = max(after[d, t] + bias[d], np.float32(0))
    for place in range(len(bias) * tile, (len(bias) + 3) // 4 * 4 * tile):
        here[place] = 0


@njit(cache=True, nogil=True, fastmath=_ORDERED)
def meet(u, c, width, left, right, candidates, sums):  # type: ignore[no-untyped-def]
    """x_u . y_i of each lane."""
    for t in range(width):
        item, total = max(candidates[u, c + t], 0), np.float32(0)
        for d in range(left.shape[1]):
            total += left[u, d] * right[item, d]
        sums[t] = total
    for t in range(width, len(sums)):
        sums[t] = 0


@njit(cache=True, nogil=True, fastmath=_ORDERED)
def _end(here, last, sums):  # type: ignore[no-untyped-def]
    """Adds w . h_L."""
    tile = LANES
    for d in range(len(last)):
        for t in range(tile):
            sums[t] += last[d] * here[d * tile + t]
