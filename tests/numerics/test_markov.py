"""Steps for the next item: those of the slow twin, whose slopes are differences of the loss."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from matinee.numerics import markov, strata
from matinee.numerics.threads import limited
from tests.reference.markov import Model

U, I, D = 6, 9, 5
ONE = np.float32(1)
SPACES = {
    "fpmc": markov.Space(markov.INNER, markov.INNER, False, ONE, False),
    "fme": markov.Space(markov.INNER, markov.SQUARES, False, ONE, False),
    "prme": markov.Space(markov.SQUARES, markov.SQUARES, False, np.float32(0), False),
    "transrec": markov.Space(markov.NONE, markov.SQUARES, True, ONE, True),
    "transrec l1": markov.Space(markov.NONE, markov.SIZES, True, ONE, True),
}
kinds = pytest.mark.parametrize("kind", SPACES)
LR, L2 = 0.1, 0.05


def started(kind: str, n_items: int = I, seed: int = 2) -> markov.Tables:
    rng = np.random.default_rng(seed)

    def table(*shape: int) -> NDArray[np.float32]:
        return 0.4 * rng.standard_normal(shape, np.float32).reshape(-1)

    after = table(n_items, D)
    before = table(n_items, D) if kind == "fpmc" else after
    biases = np.zeros(n_items, np.float32) if kind == "prme" else table(n_items)
    liked = np.empty(0, np.float32) if kind.startswith("transrec") else table(n_items, D)
    return markov.Tables(table(U, D), liked, before, after, biases, table(D))


def twin_of(kind: str, tables: markov.Tables) -> Model:
    users, liked, before, after = (table.reshape(-1, D).astype(float) for table in tables[:4])
    return Model(kind, users, liked, before if kind == "fpmc" else after, after, tables.biases.astype(float),
                 tables.shift.astype(float), alpha=0.25, l2=float(np.float32(L2)))


def rule(draws: int = 1, passes: int = 1, least: int = 0) -> markov.Rule:
    return markov.Rule(np.float32(LR), np.float32(L2), draws, passes, least)


def pairs_of(kind: str, users: list[int], last: list[int], items: list[int], far: list[bool]) -> markov.Pairs:
    shares = np.where(np.array(far)[:, None], [1, 0], [0.25, 0.75] if kind == "prme" else [1, 1])
    weights = np.array([(1.0, 0.25, 2.5)[n % 3] for n in range(len(users))], np.float32)
    return markov.Pairs(np.array(users), np.array(last, np.int32), np.array(items, np.int32), weights,
                        shares.astype(np.float32))


def all_but_one() -> markov.Seen:
    """User u has every item but u, so that no draw is left to chance."""
    rows = [[item for item in range(I) if item != user] for user in range(U)]
    return markov.Seen(np.arange(U + 1) * (I - 1), np.array(rows, np.int32).reshape(-1))


@kinds
def test_an_epoch_is_that_of_the_slow_twin(kind: str) -> None:
    tables, rng = started(kind), np.random.default_rng(0)
    twin = twin_of(kind, tables)
    users = rng.integers(0, U, 40).tolist()
    last, items = (((np.array(users) + 1 + rng.integers(0, I - 1, 40)) % I).tolist() for _ in range(2))
    if kind.startswith("transrec"):  # what follows itself is pulled twice there, one after the other
        items = [(item + 1 + ((item + 1) % I == user)) % I if item == before else item
                 for user, before, item in zip(users, last, items, strict=True)]
    pairs = pairs_of(kind, users, last, items, [kind == "prme" and n % 4 == 0 for n in range(40)])
    urns = strata.urns(np.ones(I), 1, rng)
    cells = strata.cells(pairs.users, pairs.before, pairs.after, U, urns, rng)
    told = markov.descend(pairs, cells, all_but_one(), tables, urns, SPACES[kind], rule())
    lost = 0.0
    for pair in cells.order.tolist():
        weight, far = float(pairs.weights[pair]), bool(pairs.shares[pair, 1] == 0)
        lost += weight * twin.step(users[pair], last[pair], items[pair], users[pair], float(np.float32(LR)), weight,
                                   far=far)
    follows_itself = any(a == b for a, b in zip(last, items, strict=True))
    assert follows_itself != kind.startswith("transrec")
    assert told == (pytest.approx(lost, rel=1e-4), 0)
    for name, now, want in zip(tables._fields, tables, (twin.users, twin.liked, twin.before, twin.after, twin.biases,
                                                        twin.shift), strict=True):
        if name != "shift" or kind.startswith("transrec"):
            np.testing.assert_allclose(now, want.reshape(-1), atol=2e-4, err_msg=name)


@kinds
def test_the_negative_is_the_highest_scored_of_the_draws(kind: str) -> None:
    """With draws enough for every item that the user has not, it is the best of them all."""
    tables = started(kind)
    twin = twin_of(kind, tables)
    free = [4, 5, 6, 7, 8]
    best = max(free, key=lambda item: twin.score(0, 1, item))
    seen = markov.Seen(np.array([0, 4] + [4] * (U - 1)), np.arange(4, dtype=np.int32))
    pairs, rng = pairs_of(kind, [0], [1], [2], [False]), np.random.default_rng(0)
    urns = strata.urns(np.ones(I), 1, rng)
    cells = strata.cells(pairs.users, pairs.before, pairs.after, U, urns, rng)
    before = tables.after.copy()
    markov.descend(pairs, cells, seen, tables, urns, SPACES[kind], rule(draws=200))
    moved = np.flatnonzero((tables.after != before).reshape(I, D).any(axis=1))
    assert set(moved.tolist()) == {2, best} | ({1} if tables.before is tables.after else set())


def test_who_has_every_item_is_skipped_and_counted_and_nothing_moves() -> None:
    tables = started("fpmc")
    before = [table.copy() for table in tables]
    seen = markov.Seen(np.arange(U + 1) * I, np.tile(np.arange(I, dtype=np.int32), U))
    pairs, rng = pairs_of("fpmc", [0, 1], [1, 2], [2, 3], [False] * 2), np.random.default_rng(0)
    urns = strata.urns(np.ones(I), 1, rng)
    cells = strata.cells(pairs.users, pairs.before, pairs.after, U, urns, rng)
    assert markov.descend(pairs, cells, seen, tables, urns, SPACES["fpmc"], rule()) == (0.0, 2)
    for now, was in zip(tables, before, strict=True):
        np.testing.assert_array_equal(now, was)


@kinds
def test_threads_change_no_bit(kind: str) -> None:
    n_items, found = 700, []
    for threads in (1, 3):
        rng = np.random.default_rng(1)
        users = rng.integers(0, U, 4_000).tolist()
        last, items = (rng.integers(0, n_items, 4_000).tolist() for _ in range(2))
        pairs = pairs_of(kind, users, last, items, [False] * 4_000)
        tables, urns = started(kind, n_items), strata.urns(np.ones(n_items), 4, rng)
        cells = strata.cells(pairs.users, pairs.before, pairs.after, U, urns, rng)
        with limited(threads):
            markov.descend(pairs, cells, markov.Seen(np.zeros(U + 1, np.int64), np.empty(0, np.int32)), tables, urns,
                           SPACES[kind], rule(draws=2))
        found.append(np.concatenate(tables))
    np.testing.assert_array_equal(*found)
    assert np.isfinite(found[0]).all()


def test_everybodys_way_is_after_a_round_the_mean_of_what_its_cells_made_of_it_by_their_pairs() -> None:
    """Two cells that share nothing: one of one pair, one of three."""
    pairs = pairs_of("transrec", [0, 1, 1, 1], [2, 5, 6, 5], [3, 6, 5, 6], [False] * 4)
    seen = markov.Seen(np.array([0, 8, 16] + [16] * (U - 2)), np.array([*range(1, 9), 0, *range(2, 9)], np.int32))
    urns = strata.urns(np.ones(I), 1, np.random.default_rng(0))

    def played(rounds: list[list[int]]) -> NDArray[np.float32]:
        tables = started("transrec")
        cells = strata.Cells(np.arange(4), np.array([0, 1, 4]), np.zeros(2, np.uint64), [np.array(r) for r in rounds])
        markov.descend(pairs, cells, seen, tables, urns, SPACES["transrec"], rule())
        return tables.shift

    np.testing.assert_allclose(played([[0, 1]]), (played([[0]]) + 3 * played([[1]])) / 4, rtol=1e-5)
    assert not np.allclose(played([[0]]), played([[1]]), rtol=1e-3)


@pytest.mark.parametrize(("weights", "drawable"), [(np.ones(I), range(I)), (np.arange(I) % 2 * 1.0, range(1, I, 2))])
def test_a_negative_is_never_had_and_never_one_of_weight_nothing(weights: NDArray[np.float64], drawable: range) -> None:
    rng, tables = np.random.default_rng(0), started("fpmc")
    had = [1, 3]
    seen = markov.Seen(np.array([0, 2] + [2] * (U - 1)), np.array(had, np.int32))
    pairs = pairs_of("fpmc", [0] * 300, [1] * 300, [3] * 300, [False] * 300)
    urns = strata.urns(weights, 1, rng)
    cells = strata.cells(pairs.users, pairs.before, pairs.after, U, urns, rng)
    before = tables.biases.copy()
    markov.descend(pairs, cells, seen, tables, urns, SPACES["fpmc"], replace_l2(rule()))
    assert set(np.flatnonzero(tables.biases < before).tolist()) == set(drawable) - set(had)


def replace_l2(some: markov.Rule) -> markov.Rule:
    return some._replace(l2=np.float32(0))


@kinds
def test_a_fold_in_moves_the_user_alone_in_the_steps_of_the_slow_twin(kind: str) -> None:
    """A pair a row, so that no order is drawn: three passes, lr falling to 0."""
    tables = started(kind)
    frozen = replace(twin_of(kind, tables))
    last, items = [2, 3, 4, 5, 6, 7], [3, 4, 5, 6, 7, 8]
    pairs = pairs_of(kind, list(range(U)), last, items, [False] * U)
    before = [table.copy() for table in tables[1:]]
    markov.fold_in(pairs, np.arange(U + 1), np.arange(U, dtype=np.uint64), all_but_one(), tables,
                   strata.urns(np.ones(I), 1, np.random.default_rng(0)), SPACES[kind], rule(passes=2, least=3))
    for user in range(U):
        for turn in range(3):
            twin = replace(frozen, liked=frozen.liked.copy(), before=frozen.before.copy(), after=frozen.after.copy(),
                           biases=frozen.biases.copy(), shift=frozen.shift.copy())
            if kind != "fpmc":
                twin.before = twin.after
            lr = float(np.float32(LR)) * (3 - turn) / 3
            twin.step(user, last[user], items[user], user, lr, float(pairs.weights[user]))
    np.testing.assert_allclose(tables.users.reshape(U, D), frozen.users, atol=2e-5)
    for now, was in zip(tables[1:], before, strict=True):
        np.testing.assert_array_equal(now, was)
