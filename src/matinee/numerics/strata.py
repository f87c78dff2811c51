"""An epoch over pairs of a user's items, cut into cells of which many may be worked on at once.

A step on a pair writes to its user, to both its items and to a drawn item from the second one's block. Items go in n
random blocks and users in half as many; a cell holds the pairs of one block of users whose items lie in two given
blocks. The two play a match, matches go in the rounds of a tournament, each block once against every other and once
against itself, and the cells of a round share neither a user nor an item: threads never meet and change no bit
(Gemulla et al., Large-scale matrix factorization with distributed SGD, KDD 2011, for one block of items a cell).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from matinee.numerics.draws import urn
from matinee.numerics.threads import in_pieces

MOST_BLOCKS, LEAST_ITEMS = 16, 128
"""Blocks of items, and items in one: a negative is drawn from so many at least, where there are so many."""


class Urns(NamedTuple):
    """The items of each block, to be drawn by weight: place p of block b holds items[2 first[b] + p] and another."""

    items: NDArray[np.int32]  # (2 n,)
    thresholds: NDArray[np.uint64]  # (n,)
    first: NDArray[np.int64]  # (blocks + 1,)
    of_item: NDArray[np.int64]  # (I,)


class Cells(NamedTuple):
    order: NDArray[np.int64]  # (P,) the pairs by cell, shuffled in each
    ends: NDArray[np.int64]  # (cells + 1,)  cell c holds order[ends[c]:ends[c + 1]]
    seeds: NDArray[np.uint64]  # (cells,)
    rounds: list[NDArray[np.int64]]
    """Cells that share nothing."""


def urns(weights: NDArray[np.float64], n: int, rng: np.random.Generator) -> Urns:
    """n random blocks of the items whose weight (I,) is above 0: by that they are drawn."""
    parts = np.array_split(rng.permutation(np.flatnonzero(weights)), n)
    of_item = np.zeros(len(weights), np.int64)
    for number, part in enumerate(parts):
        of_item[part] = number
    made = [urn(part, weights[part]) for part in parts]
    first = np.cumsum([0, *(len(part) for part in parts)])
    return Urns(np.concatenate([one.items for one in made]), np.concatenate([one.thresholds for one in made]), first,
                of_item)


def blocks_for(n_items: int) -> int:
    """How many blocks so many items are cut into: one, or an even number."""
    return max(1, min(MOST_BLOCKS, n_items // LEAST_ITEMS) // 2 * 2)


def cells(
    users: NDArray[np.int64], one: NDArray[np.int32], other: NDArray[np.int32], n_users: int, urns: Urns,
    rng: np.random.Generator,
) -> Cells:
    """The pairs (users, one, other), each (P,), by cell."""
    n = len(urns.first) - 1
    rounds = matches(n)
    lanes = len(rounds[0])
    number = np.zeros((n, n), np.int64)
    for at, (a, b) in enumerate(match for played in rounds for match in played):
        number[a, b] = number[b, a] = at * lanes
    of_user = rng.integers(0, lanes, n_users)
    keys = (number[urns.of_item[one], urns.of_item[other]] + of_user[users]).astype(np.uint16)
    shuffled = rng.permutation(len(users))
    order = shuffled[np.argsort(keys[shuffled], kind="stable")]
    count = len(rounds) * lanes * lanes
    ends = np.append(0, np.cumsum(np.bincount(keys, minlength=count)))
    lane = np.arange(lanes)
    turns = [(played * lanes + lane) * lanes + (lane + turn) % lanes for played in range(len(rounds))
             for turn in range(lanes)]
    return Cells(order, ends, rng.integers(0, 2**64, count, np.uint64), turns)


def matches(n: int) -> list[list[tuple[int, int]]]:
    """Rounds of as many matches each, no player twice in one: all pairs of n players (1, or even), and each alone."""
    if n == 1:
        return [[(0, 0)]]
    half, ring = n // 2, list(range(1, n))
    seats = [[0, *ring[turn:], *ring[:turn]] for turn in range(n - 1)]
    rounds = [[(seat[k], seat[-1 - k]) for k in range(half)] for seat in seats]
    return [*rounds, [(k, k) for k in range(half)], [(k, k) for k in range(half, n)]]


def play(cells: Cells, work: Callable[[int], None], after: Callable[[NDArray[np.int64]], None]) -> None:
    """work(cell) for all of a round, shared out to threads, then after(cells of the round); round after round."""
    for together in cells.rounds:
        in_pieces(lambda at, _, together=together: work(int(together[at])), len(together), 1)  # type: ignore[misc]
        after(together)
