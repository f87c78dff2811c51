"""The kernels of ALS: ridge regressions equal to solved systems, products equal to sums, the same bits by every way."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray
from threadpoolctl import threadpool_info

from matinee.contract import Masks
from matinee.data.interactions import Interactions
from matinee.numerics import factors, ridge, threads
from matinee.numerics.topk import ScoreError
from matinee.ranking.topk import top_k
from tests.numerics.logs import random_log
from tests.reference.als import Problem

USERS, ITEMS = 90, 70
DIMS = (1, 3, 16, 30, 70)


def problem(dim: int, *, weighted: bool = True) -> tuple[Interactions, ridge.Table, NDArray[np.float32]]:
    """A log, its items' factors in their principal axes, and its users' ridges for l2 0.05 and weight 0.3."""
    log = random_log(dim, USERS, ITEMS, 1_500, weighted=weighted)
    drawn = np.random.default_rng(dim).normal(0, 0.4, (ITEMS, dim)).astype(np.float32)
    curvature, basis = ridge.principal_axes(drawn, 0.3)
    mass = 0.3 * float((log.item_counts() > 0).sum())
    table = ridge.Table(ridge.turned(drawn, basis), curvature, mass)
    return log, table, ridge.by_count(log.matrix(), 0.05, mass, 0.9)


def solved(log: Interactions, table: ridge.Table, ridges: NDArray[np.float32]) -> NDArray[np.float32]:
    out = np.zeros((log.n_users, len(table.curvature)), np.float32)
    ridge.solve(log.matrix(), table, ridges, out, steps=200, tolerance=1e-6)
    return out


@pytest.mark.parametrize("dim", DIMS)
@pytest.mark.parametrize("weighted", [False, True])
def test_a_row_solved_is_the_solution_of_its_system(dim: int, weighted: bool) -> None:
    log, table, ridges = problem(dim, weighted=weighted)
    assert {0, 1, 2, 3} <= set(np.diff(log.matrix().indptr) % 4), "every way that a row can end"
    want = Problem.of(log, l2=0.05, weight=0.3, exponent=0.9).best_users(table.factors.astype(np.float64))
    np.testing.assert_allclose(solved(log, table, ridges), want, atol=2e-5 * np.abs(want).max())


def test_a_row_without_entries_is_zero() -> None:
    _, table, _ = problem(16)
    got = solved(Interactions.empty(3, ITEMS), table, np.full(3, 0.1, np.float32))
    assert not got.any()


@pytest.mark.parametrize("dim", DIMS)
def test_what_is_minimised_is_told_as_it_was_before_the_steps(dim: int) -> None:
    log, table, ridges = problem(dim)
    start = np.random.default_rng(1).normal(size=(USERS, dim)).astype(np.float32)
    predicted = start.astype(np.float64) @ table.factors.T
    want = (log.matrix().toarray() * (1 - predicted) ** 2).sum() + 0.3 * (predicted**2).sum()
    want += (ridges * (start.astype(np.float64) ** 2).sum(1)).sum()
    assert ridge.solve(log.matrix(), table, ridges, start.copy(), steps=1) == pytest.approx(want, rel=1e-5)


def test_each_step_comes_nearer_and_a_good_start_saves_steps() -> None:
    log, table, ridges = problem(70)
    want = Problem.of(log, l2=0.05, weight=0.3, exponent=0.9).best_users(table.factors.astype(np.float64))

    def gap(start: NDArray[np.float32], steps: int) -> float:
        now = start.copy()
        ridge.solve(log.matrix(), table, ridges, now, steps=steps)
        return float(np.linalg.norm(now - want))

    nothing = np.zeros(want.shape, np.float32)
    gaps = [gap(nothing, steps) for steps in (0, 1, 2, 3, 6)]
    assert all(later < 0.6 * earlier for earlier, later in pairwise(gaps)), gaps
    assert gap((0.99 * want).astype(np.float32), 1) < 0.02 * gaps[1]


@pytest.mark.parametrize("dim", DIMS)
def test_steps_past_the_solution_stay_there(dim: int) -> None:
    log, table, ridges = problem(dim)
    now = want = solved(log, table, ridges)
    for _ in range(3):
        now = now.copy()
        ridge.solve(log.matrix(), table, ridges, now, steps=100)
        np.testing.assert_allclose(now, want, atol=2e-5 * np.abs(want).max())


def test_neither_threads_nor_neighbours_change_a_bit() -> None:
    log, table, ridges = problem(30)
    with threads.limited(1):
        want = solved(log, table, ridges)
    with threads.limited(3):
        np.testing.assert_array_equal(solved(log, table, ridges), want)
    for user in (0, 7, USERS - 1):
        one = np.array([user])
        np.testing.assert_array_equal(solved(log.take(one), table, ridges[one])[0], want[user])


def test_in_the_principal_axes_the_weight_of_all_columns_is_diagonal() -> None:
    drawn = np.random.default_rng(3).normal(size=(400, 12)).astype(np.float32)
    drawn[:, 5] = drawn[:, 4]  # a direction that nothing stretches to
    curvature, basis = ridge.principal_axes(drawn, 0.7)
    turned = ridge.turned(drawn, basis).astype(np.float64)
    np.testing.assert_allclose(0.7 * turned.T @ turned, np.diag(curvature), atol=1e-3)
    np.testing.assert_allclose(turned @ turned.T, drawn.astype(np.float64) @ drawn.T, atol=1e-4)
    assert curvature.min() >= 0


def test_directions_that_nothing_stretches_to_have_no_negative_curvature() -> None:
    for seed in range(5):
        drawn = np.random.default_rng(seed).normal(size=(5, 40)).astype(np.float32)
        assert ridge.principal_axes(drawn, 1.0)[0].min() == 0


def test_blas_parts_no_sum_among_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    eigh, seen = np.linalg.eigh, []

    def watched(gram: NDArray[np.float64]) -> object:
        seen.extend(pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas")
        return eigh(gram)

    monkeypatch.setattr(np.linalg, "eigh", watched)
    with threads.limited(2):
        ridge.principal_axes(np.ones((9, 3), np.float32), 1.0)
    assert seen
    assert set(seen) == {1}


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e30])
def test_axes_of_what_is_not_finite_are_refused(value: float) -> None:
    with pytest.raises(FloatingPointError, match="factors are not finite"):
        ridge.principal_axes(np.full((3, 2), value, np.float32), 1.0)


def product(n_users: int, n_items: int, dim: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    rng = np.random.default_rng(dim)
    return rng.normal(size=(n_users, dim)).astype(np.float32), rng.normal(size=(n_items, dim)).astype(np.float32)


@pytest.mark.parametrize(("n_users", "n_items", "dim"), [(1, 1, 1), (5, 64, 4), (21, 200, 7), (50, 129, 30)])
def test_a_score_is_the_product_of_two_vectors(n_users: int, n_items: int, dim: int) -> None:
    users, items = product(n_users, n_items, dim)
    got = factors.scores(users, factors.tiled(items), n_items)
    np.testing.assert_allclose(got, users.astype(np.float64) @ items.T, atol=1e-5 * dim)


@pytest.mark.parametrize("filtered", [False, True])
def test_ranking_while_scoring_gives_what_scoring_and_ranking_give(filtered: bool) -> None:
    users, items = product(60, 150, 9)
    items[40:60] = items[39]  # ties
    tiles = factors.tiled(items)
    log = random_log(2, 60, 150, 900, weighted=False)
    blocked = np.random.default_rng(5).random((60, 150)) < 0.4 if filtered else None
    masks = Masks(log.indptr, log.items, blocked)
    for k in (1, 10, 153):
        got = factors.top(users, tiles, 150, k, masks)
        want = top_k(factors.scores(users, tiles, 150), k, masks)
        np.testing.assert_array_equal(got[0], want[0])
        np.testing.assert_array_equal(got[1], want[1])


def test_a_score_is_the_same_bits_alone_and_in_any_company() -> None:
    users, items = product(70, 150, 33)
    tiles = factors.tiled(items)
    with threads.limited(1):
        want = factors.scores(users, tiles, 150)
    with threads.limited(3):
        np.testing.assert_array_equal(factors.scores(users, tiles, 150), want)
    order = np.random.default_rng(0).permutation(70)
    np.testing.assert_array_equal(factors.scores(users[order], tiles, 150), want[order])
    for user in range(70):
        np.testing.assert_array_equal(factors.scores(users[user : user + 1], tiles, 150)[0], want[user])


def test_a_score_that_is_not_finite_is_refused_with_its_row_and_item() -> None:
    users, items = product(6, 100, 4)
    items[77] = np.nan
    with pytest.raises(ScoreError, match="nan-score: row 0 of the block scores item 77 with nan"):
        factors.top(users, factors.tiled(items), 100, 5, Masks.none(6))
