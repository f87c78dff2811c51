"""ALS: the objective of the paper is what is minimised, and a history is all that a user is known by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from matinee.contract import Masks, Queries, Run
from matinee.data.columns import Features
from matinee.data.dataset import Dataset
from matinee.data.ids import Vocabulary
from matinee.data.interactions import Interactions
from matinee.errors import DataError, ModelError
from matinee.models.als import ALS
from matinee.scoring.factors import FoldInFactors
from tests.numerics.logs import random_log
from tests.reference.als import Problem

RECIPE = ALS(dim=7, epochs=5, l2=0.04, unobserved_weight=0.2, regularisation_exponent=0.8, init_scale=0.5)


def dataset(log: Interactions) -> Dataset:
    ids = (Vocabulary.of(f"영{n:04}" for n in range(count)) for count in (log.n_users, log.n_items))
    return Dataset(log, *ids, Features(log.n_items), Features(log.n_users))


def slow(log: Interactions) -> Problem:
    return Problem.of(log, l2=RECIPE.l2, weight=RECIPE.unobserved_weight, exponent=RECIPE.regularisation_exponent)


def first_items(n_items: int, seed: int) -> NDArray[np.float64]:
    """What the recipe starts from."""
    drawn = np.random.default_rng(seed).standard_normal((n_items, RECIPE.dim), np.float32)
    return drawn * RECIPE.init_scale / np.sqrt(RECIPE.dim)


@pytest.fixture(scope="module", params=[False, True], ids=["plain", "weighted"])
def log(request: pytest.FixtureRequest) -> Interactions:
    return random_log(3, 110, 60, 1_500, weighted=request.param)


@pytest.fixture(scope="module")
def fitted(log: Interactions) -> FoldInFactors:
    return RECIPE.fit(dataset(log), Run(seed=4))


def test_the_objective_ends_where_exact_alternation_ends(log: Interactions) -> None:
    """At each epoch within a hundredth of the slow twin, which starts at the same vectors; never rising."""
    told: list[Mapping[str, Any]] = []
    RECIPE.fit(dataset(log), Run(seed=4, journal=told.append))
    exact, items = [], first_items(60, 4)
    for _ in range(RECIPE.epochs):
        users = slow(log).best_users(items)
        exact.append(slow(log).objective(users, items))  # half-way through the epoch, as the journal has it
        items = slow(log).turned_round().best_users(users)
    losses = [facts["loss"] for facts in told]
    assert [facts["epoch"] for facts in told] == [1, 2, 3, 4, 5]
    np.testing.assert_allclose(losses, exact, rtol=0.01)
    assert losses == sorted(losses, reverse=True)


def test_many_epochs_end_at_the_scores_of_the_slow_twin(log: Interactions) -> None:
    users, items = slow(log).alternate(first_items(60, 4), 30)
    users = slow(log).best_users(items)
    got = replace(RECIPE, epochs=30).fit(dataset(log), Run(seed=4)).score(Queries.of(log))
    np.testing.assert_allclose(got, users @ items.T, atol=0.03)


def test_users_are_the_minimum_of_the_objective_for_their_history(log: Interactions, fitted: FoldInFactors) -> None:
    users, items = fitted.vectors(Queries.of(log)).astype(np.float64), fitted.item_factors.astype(np.float64)
    least = slow(log).objective(users, items)
    rng = np.random.default_rng(0)
    for _ in range(20):
        assert slow(log).objective(users + rng.normal(0, 1e-3, users.shape), items) > least
    np.testing.assert_allclose(users, slow(log).best_users(items), atol=1e-5)


def test_a_history_that_grew_is_solved_anew(log: Interactions, fitted: FoldInFactors) -> None:
    mine = log.take(np.array([5]))
    more = Interactions.from_events([0] * (len(mine) + 1), [*mine.items, 2], [*mine.times, 99], [*mine.values, 2.0],
                                    n_users=1, n_items=60)
    items = fitted.item_factors.astype(np.float64)
    problem = replace(slow(log), c=np.vstack([slow(more).c, slow(log).c]))  # the others tell which items are active
    want = problem.best_users(items)[0] @ items.T
    np.testing.assert_allclose(fitted.score(Queries.of(more))[0], want, atol=1e-5)


def test_a_repeated_pair_counts_once_at_its_largest_confidence(fitted: FoldInFactors) -> None:
    once = Interactions.from_events([0, 0], [1, 2], [1, 2], [1.0, 3.0], n_users=1, n_items=60)
    again = Interactions.from_events([0, 0, 0], [2, 1, 2], [0, 1, 2], [0.5, 1.0, 3.0], n_users=1, n_items=60)
    np.testing.assert_array_equal(fitted.score(Queries.of(again)), fitted.score(Queries.of(once)))


def test_one_who_did_nothing_and_an_item_nobody_had_change_nothing(log: Interactions, fitted: FoldInFactors) -> None:
    more = Interactions.from_events(log.users, log.items, log.times, log.values, n_users=111, n_items=61)
    got = RECIPE.fit(dataset(more), Run(seed=4)).score(Queries.of(more))
    np.testing.assert_allclose(got[:110, :60], fitted.score(Queries.of(log)), atol=1e-5)
    assert not got[:, 60].any()
    assert not got[110].any()


def test_threads_change_no_bit(log: Interactions, fitted: FoldInFactors) -> None:
    again = RECIPE.fit(dataset(log), Run(seed=4, threads=3))
    np.testing.assert_array_equal(again.item_factors, fitted.item_factors)


def test_progress_is_told_by_epoch(log: Interactions) -> None:
    told: list[tuple[str, int, int]] = []
    RECIPE.fit(dataset(log), Run(progress=lambda *step: told.append(step)))
    assert told == [("als", epoch, 5) for epoch in range(1, 6)]


def test_vectors_that_grow_without_bound_are_an_error_that_names_the_epoch(log: Interactions) -> None:
    huge = dataset(log.with_values(np.full(len(log), 1e38, np.float32)))
    with pytest.raises(DataError, match="diverged: als: factors are not finite in epoch 2; lower the confidence"):
        RECIPE.fit(huge)


def test_equations_that_nothing_holds_down_are_an_error(log: Interactions) -> None:
    """More factors than items and no ridge left in float32: some directions cost nothing."""
    with pytest.raises(DataError, match=r"diverged: .*raise l2"):
        replace(RECIPE, l2=1e-60, dim=100).fit(dataset(log))


def test_a_history_over_another_catalogue_is_refused(fitted: FoldInFactors) -> None:
    other = Queries.of(Interactions.from_events([0], [60], n_users=1, n_items=61))
    for ask in (lambda: fitted.score(other), lambda: fitted.top_block(other, 1, Masks.none(1))):
        with pytest.raises(DataError, match="misaligned: histories over 61 items for a model of 60"):
            ask()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"curvature": np.ones(3, np.float32)}, r"item factors have shape \(4, 2\) and their curvature \(3,\)"),
        ({"item_factors": np.ones((4, 2, 1), np.float32), "curvature": np.ones((2, 1), np.float32)},
         r"item factors have shape \(4, 2, 1\)"),
        ({"curvature": np.array([1, -1], np.float32)}, "a curvature is negative"),
        ({"mass": 0.0}, "mass 0.0 and l2 0.1 must be positive"),
        ({"l2": -1.0}, "mass 1.0 and l2 -1.0 must be positive"),
        ({"item_factors": np.array([[0, 0], [0, np.nan], [0, 0], [0, 0]], np.float32)}, "factor 3 is nan"),
    ],
)
def test_arrays_that_cannot_be_a_model_are_refused(changes: dict[str, Any], message: str) -> None:
    form = FoldInFactors(np.ones((4, 2), np.float32), np.ones(2, np.float32), 1.0, 0.1, 1.0)
    with pytest.raises(ModelError, match=f"bad-form: {message}"):
        replace(form, **changes)
