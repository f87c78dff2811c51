"""Gated recurrent units over histories of different lengths: four of about one length at a time, so that every weight
that is read serves four products. A history's states have the same bits in any company.

    r = sigma(W_r x + b_r + U_r h + c_r)     z = sigma(W_z x + b_z + U_z h + c_z)
    n = tanh(W_n x + b_n + r (U_n h + c_n))  h <- (1 - z) n + z h

W, U, b and c have r, z and n one below the other. It is the unit of torch and of cuDNN, whose z keeps the old state and
whose r is applied after the product; Cho et al., EMNLP 2014, have it the other way round in both.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from matinee.numerics.factors import AT_ONCE, score_rows
from matinee.numerics.sigmoid import sigmoid, tanh
from matinee.numerics.threads import in_pieces

HISTORIES_A_PIECE = 16
_ORDERED = {"contract"}  # a product and its sum may be one instruction; the order of sums stays

Numbers = NDArray[np.float32]


class Layers(NamedTuple):
    """N layers of width H; matrices as `factors.tiled` makes them, one after the other."""

    first: Numbers  # (I, 3 H)  W x + b of each item in the first layer
    inputs: Numbers  # (N - 1, tiles, H, 64)  W of the others
    states: Numbers  # (N, tiles, H, 64)  U
    input_biases: Numbers  # (N, 3 H)  b; that of the first layer is in `first` already
    state_biases: Numbers  # (N, 3 H)  c


def last_states(layers: Layers, items: NDArray[np.int64], starts: NDArray[np.int64]) -> Numbers:
    """(B, H) the last layer's newest states of histories items[starts[b]:starts[b + 1]]; zeros for an empty one."""
    lengths = np.diff(starts)
    order = np.argsort(-lengths, kind="stable")  # alike in length, so that four end together
    out = np.zeros((len(lengths), layers.states.shape[2]), np.float32)

    def some(start: int, stop: int) -> None:
        _walk(order[start:stop], layers, items, starts, out, False)

    in_pieces(some, len(lengths), HISTORIES_A_PIECE)
    return out[:, : layers.first.shape[1] // 3]


def all_states(layers: Layers, items: NDArray[np.int64], starts: NDArray[np.int64]) -> Numbers:
    """(E, H) the last layer's state after each event of a few histories, on the caller's thread."""
    out = np.zeros((starts[-1], layers.states.shape[2]), np.float32)
    _walk(np.argsort(-np.diff(starts), kind="stable"), layers, items, starts, out, True)
    return out[:, : layers.first.shape[1] // 3]


@njit(cache=True, nogil=True, fastmath=_ORDERED, error_model="numpy")
def _walk(users, layers, items, starts, out, every):  # type: ignore[no-untyped-def]
    """States of `users` into their rows of `out`, or with `every` into the rows of their events."""
    first, inputs, states, input_biases, state_biases = layers
    wide = first.shape[1]
    width, padded = wide // 3, states.shape[2]
    said, kept = np.empty((AT_ONCE, wide), np.float32), np.empty((AT_ONCE, wide), np.float32)
    for at in range(0, len(users), AT_ONCE):
        n, longest = min(AT_ONCE, len(users) - at), 0
        for u in range(n):
            longest = max(longest, starts[users[at + u] + 1] - starts[users[at + u]])
        h = np.zeros((len(states), AT_ONCE, padded), np.float32)
        for t in range(longest):
            for layer in range(len(states)):
                score_rows(0, AT_ONCE, h[layer], states[layer], kept)
                if layer:
                    score_rows(0, AT_ONCE, h[layer - 1], inputs[layer - 1], said)
                for u in range(n):
                    event = starts[users[at + u]] + t
                    if event >= starts[users[at + u] + 1]:
                        continue
                    if layer:
                        for i in range(wide):
                            said[u, i] += input_biases[layer, i]
                    else:
                        for i in range(wide):
                            said[u, i] = first[items[event], i]
                    _unit(h[layer, u], said[u], kept[u], state_biases[layer], width)
                    if layer == len(states) - 1:
                        row = event if every else users[at + u]
                        for i in range(width):
                            out[row, i] = h[layer, u, i]


@njit(cache=True, nogil=True, fastmath=_ORDERED, error_model="numpy")
def _unit(h, said, kept, bias, width):  # type: ignore[no-untyped-def]
    for i in range(width):
        r = sigmoid(said[i] + (kept[i] + bias[i]))
        z = sigmoid(said[width + i] + (kept[width + i] + bias[width + i]))
        n = tanh(said[2 * width + i] + r * (kept[2 * width + i] + bias[2 * width + i]))
        h[i] = (np.float32(1) - z) * n + z * h[i]
