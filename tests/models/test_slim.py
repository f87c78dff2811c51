"""SLIM: the optimum, whoever looks for it; candidates; what is stored; what is told on the way."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from matinee.contract import Run, Scorer
from matinee.data.interactions import Interactions
from matinee.models.slim import SLIM
from matinee.numerics.similarity import nearest
from matinee.scoring.item_item import DenseItemItem, SparseItemItem
from tests.models.test_item_knn import dataset
from tests.numerics.logs import random_log
from tests.reference import elastic_net as reference

EXACT = {"tolerance": 1e-6, "passes": 3000}


def whole(scorer: Scorer) -> NDArray[np.float64]:
    """(I, I) row: item of the history."""
    if isinstance(scorer, DenseItemItem):
        return scorer.weights.astype(np.float64)
    assert isinstance(scorer, SparseItemItem)
    out = np.zeros((scorer.n_items, scorer.n_items))
    rows = np.repeat(np.arange(scorer.n_items), np.diff(scorer.indptr))
    out[rows, scorer.targets] = scorer.weights
    return out


@pytest.mark.parametrize("solver", ["coordinate_descent", "admm"])
@pytest.mark.parametrize("non_negative", [True, False])
@pytest.mark.parametrize(("weighted", "l1", "l2", "exponent"), [(False, 1.0, 8.0, 0.0), (True, 2.5, 3.0, 0.5),
                                                                (False, 0.0, 20.0, 1.0)])
def test_weights_are_the_optimum_of_the_slow_twin(
    solver: Any, non_negative: bool, weighted: bool, l1: float, l2: float, exponent: float
) -> None:
    log = random_log(8, 90, 35, 900, weighted=weighted)
    recipe = SLIM(l1=l1, l2=l2, regularisation_exponent=exponent, non_negative=non_negative, solver=solver, rho=30.0,
                  **EXACT)
    weights, ridges = whole(recipe.fit(dataset(log))), reference.ridges(log, l2, exponent)
    assert reference.worst_slope(log, weights, l1, ridges, non_negative=non_negative) < 1e-3
    want = reference.slim(log, l1, ridges, non_negative=non_negative)
    assert np.abs(want).max() > 0.1
    np.testing.assert_allclose(weights, want, atol=2e-5)


@pytest.mark.parametrize("non_negative", [True, False])
def test_more_weights_than_one_working_set_takes_are_found_over_rounds(non_negative: bool) -> None:
    log = random_log(3, 400, 300, 9_000, weighted=False)
    recipe = SLIM(l1=0.1, l2=60.0, regularisation_exponent=0.0, non_negative=non_negative, **EXACT)
    told: list[Any] = []
    weights = whole(recipe.fit(dataset(log), Run(journal=told.append)))
    assert (weights != 0).sum(axis=0).max() > 128
    slope = reference.worst_slope(log, weights, 0.1, reference.ridges(log, 60.0, 0.0), non_negative=non_negative)
    assert slope < 1e-3
    assert told[0]["converged"] == 1


@pytest.mark.parametrize("solver", ["coordinate_descent", "admm"])
def test_only_the_nearest_speak_and_as_if_there_were_no_others(solver: Any) -> None:
    log = random_log(6, 80, 40, 700, weighted=True)
    recipe = SLIM(l1=0.5, l2=4.0, regularisation_exponent=0.0, neighbours=6, solver=solver, rho=20.0, **EXACT)
    weights = whole(recipe.fit(dataset(log)))
    near = nearest(log.matrix(), 6, 0.0)[0]
    x = reference.dense(log)
    for i in range(log.n_items):
        mine = sorted(near[i][near[i] >= 0].tolist())
        assert set(np.flatnonzero(weights[:, i]).tolist()) <= set(mine)
        slopes = x[:, mine].T @ (x[:, i] - x @ weights[:, i]) - 4.0 * weights[mine, i]
        assert np.all(slopes < 0.5 + 1e-3)
        np.testing.assert_allclose(slopes[weights[mine, i] > 0], 0.5, atol=1e-3)


def test_few_weights_are_stored_sparse_and_many_dense() -> None:
    data = dataset(random_log(8, 90, 35, 900, weighted=False))
    assert isinstance(SLIM(l1=5.0, l2=5.0).fit(data), SparseItemItem)
    assert isinstance(SLIM(l1=0.0, l2=5.0, non_negative=False).fit(data), DenseItemItem)


def test_a_column_cut_short_is_told() -> None:
    data, told = dataset(random_log(8, 90, 35, 900, weighted=False)), []
    for solver in ("coordinate_descent", "admm"):
        SLIM(l1=0.0, l2=1.0, passes=1, solver=solver).fit(data, Run(journal=told.append))
    assert [step["converged"] < 0.5 for step in told] == [True, True]
    assert max(step["passes"] for step in told) <= 1


def test_items_that_nobody_had_neither_speak_nor_are_spoken_for() -> None:
    log = Interactions.from_events([0, 0, 1, 1], [0, 1, 0, 1], n_users=2, n_items=4)
    for solver in ("coordinate_descent", "admm"):
        weights = whole(SLIM(l1=0.1, l2=0.5, regularisation_exponent=1.0, solver=solver, rho=1.0).fit(dataset(log)))
        np.testing.assert_array_equal(np.argwhere(weights), [[0, 1], [1, 0]])
    assert not whole(SLIM().fit(dataset(Interactions.empty(3, 4)))).any()


@pytest.mark.parametrize("solver", ["coordinate_descent", "admm"])
def test_an_idle_item_and_user_change_no_weight(solver: Any) -> None:
    log = Interactions.from_events([0, 0, 0, 1, 1, 2, 2, 3], [0, 1, 2, 0, 1, 0, 2, 0], n_users=4, n_items=3)
    more = Interactions.from_events(log.users, log.items, n_users=5, n_items=5)
    recipe = SLIM(l1=0.1, l2=0.5, regularisation_exponent=1.0, solver=solver, rho=1.0, **EXACT)
    few, many = whole(recipe.fit(dataset(log))), whole(recipe.fit(dataset(more)))
    assert few.any()
    np.testing.assert_allclose(many[:3, :3], few, atol=1e-6)


def test_progress_is_told_to_the_last_item() -> None:
    data, told = dataset(random_log(8, 90, 2_000, 900, weighted=False)), []
    for solver in ("coordinate_descent", "admm"):
        SLIM(solver=solver, passes=1).fit(data, Run(progress=lambda *step: told.append(step)))
    assert told == [("slim", 1024, 2000), ("slim", 2000, 2000)] * 2


@pytest.mark.parametrize("solver", ["coordinate_descent", "admm"])
def test_a_fit_holds_one_matrix_of_items_by_items(solver: Any) -> None:
    films = dataset(random_log(9, 300, 3_000, 20_000, weighted=False))
    recipe = SLIM(solver=solver, passes=2)
    recipe.fit(films)  # compiled before the count begins
    tracemalloc.start()
    recipe.fit(films, Run(threads=2))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    one = 4 * 3_000**2
    beside = 2 * 3_000 * (4_100 if solver == "admm" else 600)
    assert peak < 1.25 * one + beside, f"{peak / one:.2f} matrices"
