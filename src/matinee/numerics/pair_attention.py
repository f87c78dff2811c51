"""Attention among the fields of a user and an item, TILE candidates of a user at a time, each in a lane of its own.

With x_m the vector of field m, and a layer's four matrices in one,

    [q_m k_m v_m r_m] = W x_m     a_mn = softmax over n of q_m . k_n, head by head     x_m' = relu(sum_n a_mn v_n + r_m)

What the first layer's W makes of a field of the user or of the item is made once for each of them. A score hangs on
its own lane alone: it has the same bits wherever its candidate stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from matinee.numerics.factors import TILE, padded, score_rows
from matinee.numerics.pair_layers import LANES, USERS_A_PIECE, Floats, meet
from matinee.numerics.threads import in_pieces

_ORDERED = {"contract"}  # a product and its sum may be one instruction; the order of sums stays


class Attention(NamedTuple):
    """Of heads x size = H numbers; M fields, those of users before those of items before a pair's numbers."""

    items: Floats  # (I, F', 4 H)  what the first layer makes of the items' fields
    numbers: Floats  # (N, 4 H)  and of a number that is 1
    deeper: Floats  # the matrices (4 H, H) of the other layers, zeros between
    layers: int
    last: Floats  # (M, H)
    heads: int


def attention(items: Floats, numbers: Floats, deeper: Sequence[Floats], last: Floats, heads: int) -> Attention:
    """deeper: (4 H, H) each."""
    flat = np.concatenate([padded(matrix).reshape(-1) for matrix in deeper] or [np.empty(0, np.float32)])
    return Attention(items, numbers, flat, len(deeper) + 1, last, heads)


def attentive_scores(
    left: Floats, right: Floats, users: Floats, numbers: Floats, candidates: NDArray[np.int32], net: Attention
) -> Floats:
    """left (B, K), right (I, K), users (B, F, 4 H), numbers (B, C, N), candidates (B, C) -> (B, C); -inf for -1."""
    out = np.empty(candidates.shape, np.float32)

    def rows(start: int, stop: int) -> None:
        _rows(start, stop, left, right, users, numbers, candidates, *net, out)

    in_pieces(rows, len(candidates), USERS_A_PIECE)
    return out


@njit(cache=True, nogil=True, fastmath=_ORDERED)
def _rows(start, stop, left, right, users, numbers, candidates, items, of_numbers, deeper, layers, last, heads, out):  # type: ignore[no-untyped-def]
    tile, (fields, width) = LANES, last.shape
    up = (width + 3) // 4 * 4
    mixed = np.zeros((fields, 4 * width, tile), np.float32)
    states = np.zeros((fields, up, tile), np.float32)
    chances, sums = np.empty((fields, tile), np.float32), np.empty(tile, np.float32)
    for u in range(start, stop):
        _same_for_all(users[u], mixed)
        for c in range(0, candidates.shape[1], tile):
            lanes = min(tile, candidates.shape[1] - c)
            if c and layers > 1:
                _same_for_all(users[u], mixed)
            _lay_out(u, c, lanes, users.shape[1], items, numbers, of_numbers, candidates, mixed)
            _attend(mixed, heads, chances, states)
            for n in range(layers - 1):
                matrix = deeper[n * 4 * width * up : (n + 1) * 4 * width * up].reshape(4 * width, up)
                for m in range(fields):
                    score_rows(0, 4 * width, matrix, states[m].reshape(1, up, tile), mixed[m])
                _attend(mixed, heads, chances, states)
            meet(u, c, lanes, left, right, candidates, sums)
            for m in range(fields):
                for d in range(width):
                    for t in range(TILE):
                        sums[t] += last[m, d] * states[m, d, t]
            for t in range(lanes):
                out[u, c + t] = sums[t] if candidates[u, c + t] >= 0 else -np.inf


@njit(cache=True, nogil=True)
def _same_for_all(user, mixed):  # type: ignore[no-untyped-def]
    for f in range(len(user)):
        for d in range(user.shape[1]):
            for t in range(TILE):
                mixed[f, d, t] = user[f, d]


@njit(cache=True, nogil=True)
def _lay_out(u, c, lanes, at, items, numbers, of_numbers, candidates, mixed):  # type: ignore[no-untyped-def]
    """The items' fields and the pairs' numbers; lanes behind the last one repeat it."""
    for t in range(LANES):
        place = c + min(t, lanes - 1)
        item = max(candidates[u, place], 0)
        for f in range(items.shape[1]):
            for d in range(items.shape[2]):
                mixed[at + f, d, t] = items[item, f, d]
        for n in range(len(of_numbers)):
            for d in range(of_numbers.shape[1]):
                mixed[at + items.shape[1] + n, d, t] = numbers[u, place, n] * of_numbers[n, d]


@njit(cache=True, nogil=True, fastmath=_ORDERED)
def _attend(mixed, heads, chances, out):  # type: ignore[no-untyped-def]
    """mixed (M, 4 H, TILE) -> out (M, H or more, TILE)"""
    fields, width = len(mixed), mixed.shape[1] // 4
    size = width // heads
    for m in range(fields):
        for first in range(0, width, size):
            _chances(mixed, m, first, size, chances)
            for d in range(first, first + size):
                into, passing = out[m, d], mixed[m, 3 * width + d]
                for t in range(TILE):
                    into[t] = passing[t]
                for n in range(fields):
                    chance, said = chances[n], mixed[n, 2 * width + d]
                    for t in range(TILE):
                        into[t] += chance[t] * said[t]
                for t in range(TILE):
                    into[t] = max(into[t], np.float32(0))


@njit(cache=True, nogil=True, fastmath=_ORDERED)
def _chances(mixed, m, first, size, chances):  # type: ignore[no-untyped-def]
    """What field m makes of each field, by the head whose numbers begin at `first`."""
    fields, width = len(mixed), mixed.shape[1] // 4
    most, total = np.full(LANES, -np.inf, np.float32), np.zeros(LANES, np.float32)
    for n in range(fields):
        logits = chances[n]
        for t in range(TILE):
            logits[t] = 0
        for d in range(first, first + size):
            asked, key = mixed[m, d], mixed[n, width + d]
            for t in range(TILE):
                logits[t] += asked[t] * key[t]
        for t in range(TILE):
            most[t] = max(most[t], logits[t])
    for n in range(fields):
        for t in range(TILE):
            chances[n, t] = np.exp(chances[n, t] - most[t])
            total[t] += chances[n, t]
    for n in range(fields):
        for t in range(TILE):
            chances[n, t] /= total[t]
