"""Factors from pairs: a stored vector for a known history, steps over any other, and the minimum they come near to."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from matinee.contract import Masks, Queries
from matinee.data.interactions import Interactions
from matinee.errors import DataError, ModelError
from matinee.numerics.draws import fingerprints
from matinee.scoring.pairwise_factors import PairwiseFactors
from tests.numerics.logs import random_log
from tests.reference import bpr as reference

USERS, ITEMS, D = 30, 40, 6


@pytest.fixture(scope="module")
def log() -> Interactions:
    return random_log(3, USERS, ITEMS, 300, weighted=False)


@pytest.fixture(scope="module")
def form(log: Interactions) -> PairwiseFactors:
    rng = np.random.default_rng(0)
    users, items = (rng.standard_normal((n, D), np.float32) for n in (USERS, ITEMS))
    matrix = log.matrix()
    return PairwiseFactors(users, items, rng.standard_normal(ITEMS, np.float32),
                           fingerprints(matrix.indptr, matrix.indices, matrix.data), np.ones(ITEMS, np.float32), 1.0,
                           0.1, 0.05, 1, False, 10)


def known(log: Interactions) -> Queries:
    return Queries.of(log, rows=np.arange(USERS))


def test_a_history_that_was_fitted_on_has_its_stored_vector_and_any_other_does_not(
    log: Interactions, form: PairwiseFactors
) -> None:
    np.testing.assert_array_equal(form.vectors(known(log)), form.user_factors)
    shorter = log.select(np.arange(len(log)) != log.indptr[4])
    moved = (form.vectors(known(shorter)) != form.user_factors).any(axis=1)
    assert moved.tolist() == [user == 4 for user in range(USERS)]
    heavier = log.with_values(np.where(log.users == 7, 2, 1).astype(np.float32))
    moved = (form.vectors(known(heavier)) != form.user_factors).any(axis=1)
    assert moved.tolist() == [user == 7 for user in range(USERS)]


def test_scores_are_products_and_biases(log: Interactions, form: PairwiseFactors) -> None:
    want = form.user_factors @ form.item_factors.T + form.item_biases
    np.testing.assert_allclose(form.score(known(log)), want, atol=1e-5)


@pytest.mark.parametrize(("passes", "share"), [(10, 0.9), (400, 0.97)])
def test_somebody_new_comes_near_to_the_minimum_for_his_history(
    log: Interactions, form: PairwiseFactors, passes: int, share: float
) -> None:
    """Of what a pass goes down on average, so much of the way from zeros; nearly all, were there passes enough."""
    form = replace(form, passes=passes)
    items, biases = form.item_factors.astype(float), form.item_biases.astype(float)
    matrix = log.matrix()
    shares = []
    for user, vector in enumerate(form.vectors(Queries.of(log))):
        mine = matrix.indices[matrix.indptr[user] : matrix.indptr[user + 1]].tolist()
        if len(mine) < 8:
            continue
        others = [item for item in range(ITEMS) if item not in mine]
        best = reference.best_vector(mine, others, items, biases, form.l2)
        zero, got, least = (reference.objective(x, mine, others, items, biases, form.l2)
                            for x in (np.zeros(D), vector.astype(float), best))
        assert got > least
        shares.append((zero - got) / (zero - least))
    assert len(shares) > 10
    assert np.mean(shares) > share


def test_nobodys_history_is_zeros_and_the_order_of_the_biases(form: PairwiseFactors) -> None:
    nothing = Queries.of(Interactions.empty(2, ITEMS), rows=np.array([-1, 3]))
    assert not form.vectors(nothing).any()
    np.testing.assert_array_equal(form.score(nothing), np.tile(form.item_biases, (2, 1)))


def test_the_order_of_a_history_and_the_company_change_no_bit(log: Interactions, form: PairwiseFactors) -> None:
    backwards = Interactions.from_events(log.users, log.items, -log.times, n_users=USERS, n_items=ITEMS)
    want = form.vectors(Queries.of(log))
    np.testing.assert_array_equal(form.vectors(Queries.of(backwards)), want)
    alone = [form.vectors(Queries.of(log.take(np.array([user]))))[0] for user in range(USERS)]
    np.testing.assert_array_equal(alone, want)


def test_a_history_over_another_catalogue_and_an_unknown_row_are_refused(form: PairwiseFactors) -> None:
    other = Queries.of(Interactions.from_events([0], [ITEMS], n_users=1, n_items=ITEMS + 1))
    mine = Interactions.from_events([0], [1], n_users=1, n_items=ITEMS)
    for ask in (form.score, lambda queries: form.top_block(queries, 1, Masks.none(1))):
        with pytest.raises(DataError, match="misaligned: histories over 41 items for a model of 40"):
            ask(other)
        with pytest.raises(DataError, match="misaligned: row 30 of a model of 30 users; ask with the data set"):
            ask(Queries.of(mine, rows=np.array([USERS])))


def holed(array: NDArray[np.float32]) -> NDArray[np.float32]:
    out = array.copy()
    out.reshape(-1)[2] = np.nan
    return out


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"user_factors": np.ones((USERS, D + 1), np.float32)}, r"factors of shapes \(30, 7\) and \(40, 6\)"),
        ({"item_factors": np.ones(ITEMS, np.float32)}, r"factors of shapes \(30, 6\) and \(40,\)"),
        ({"item_biases": np.ones(3, np.float32)}, r".*\(3,\) biases"),
        ({"draw_weights": np.ones(3, np.float32)}, r".*\(3,\) weights"),
        ({"fitted_on": np.ones(3, np.uint64)}, r".*\(3,\) fingerprints do not fit together"),
        ({"unit": 0.0}, "unit 0.0, lr 0.1"),
        ({"lr": float("nan")}, "unit 1.0, lr nan"),
        ({"l2": -1.0}, ".*l2 -1.0"),
        ({"candidates": 0}, ".*candidates 0 and passes 10"),
        ({"passes": 0}, ".*candidates 1 and passes 0 are no settings"),
        ({"draw_weights": -np.ones(ITEMS, np.float32)}, "a draw weight is negative"),
        ({"user_factors": holed(np.ones((USERS, D), np.float32))}, "entry 2 of user_factors is nan"),
        ({"item_biases": holed(np.ones(ITEMS, np.float32))}, "entry 2 of item_biases is nan"),
    ],
)
def test_arrays_that_cannot_be_a_model_are_refused(
    form: PairwiseFactors, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ModelError, match=f"bad-form: {message}"):
        replace(form, **changes)
