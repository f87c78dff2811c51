"""Cells of an epoch: every pair once, and nothing that two threads could both write to."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import numpy as np
import pytest

from matinee.numerics import strata
from matinee.numerics.threads import limited

U, I, P = 60, 90, 3_000


@pytest.mark.parametrize("n", [1, 2, 4, 10, 16])
def test_in_a_tournament_all_meet_once_and_nobody_twice_in_a_round(n: int) -> None:
    rounds = strata.matches(n)
    met = Counter(tuple(sorted(match)) for played in rounds for match in played)
    assert met == Counter([*combinations(range(n), 2), *((k, k) for k in range(n))])
    for played in rounds:
        players = [player for match in played for player in set(match)]
        assert len(players) == len(set(players))
        assert len(played) == max(1, n // 2)


@pytest.mark.parametrize(("n_items", "blocks"), [(0, 1), (255, 1), (256, 2), (700, 4), (10_000, 16)])
def test_blocks_are_an_even_number_and_not_too_small(n_items: int, blocks: int) -> None:
    assert strata.blocks_for(n_items) == blocks


def drawn(n: int, seed: int = 3) -> tuple[np.ndarray, np.ndarray, np.ndarray, strata.Urns, strata.Cells]:
    rng = np.random.default_rng(seed)
    users, one, other = rng.integers(0, U, P), rng.integers(0, I, P, np.int32), rng.integers(0, I, P, np.int32)
    urns = strata.urns(np.arange(I) % 7 + 1.0, n, rng)
    return users, one, other, urns, strata.cells(users, one, other, U, urns, rng)


@pytest.mark.parametrize("n", [1, 2, 6])
def test_cells_of_a_round_share_neither_a_user_nor_a_block_of_items(n: int) -> None:
    users, one, other, urns, cells = drawn(n)
    assert sorted(cells.order.tolist()) == list(range(P))
    assert sorted(np.concatenate(cells.rounds).tolist()) == list(range(len(cells.ends) - 1))
    for together in cells.rounds:
        held = [cells.order[cells.ends[cell] : cells.ends[cell + 1]] for cell in together]
        for a, b in combinations(held, 2):
            assert not set(users[a]) & set(users[b])
            assert not set(urns.of_item[np.append(one[a], other[a])]) & set(urns.of_item[np.append(one[b], other[b])])


def test_the_pairs_of_a_cell_are_shuffled() -> None:
    *_, cells = drawn(1)
    steps = np.diff(cells.order)
    assert 0.4 < (steps > 0).mean() < 0.6


def test_each_block_has_an_urn_of_its_own_items() -> None:
    *_, urns, _ = drawn(6)
    for block in range(6):
        first, end = urns.first[block : block + 2]
        assert set(urns.items[2 * first : 2 * end].tolist()) == set(np.flatnonzero(urns.of_item == block).tolist())


def test_rounds_are_played_one_after_another() -> None:
    *_, cells = drawn(6)
    done: list[int] = []
    rounds: list[list[int]] = []

    def after(together: np.ndarray) -> None:
        rounds.append(sorted(done))
        assert rounds[-1] == sorted(together.tolist())
        done.clear()

    with limited(3):
        strata.play(cells, done.append, after)
    assert len(rounds) == len(cells.rounds)
