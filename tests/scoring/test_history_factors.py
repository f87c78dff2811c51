"""A history's vector is the sum of its items' vectors, and a score its product with the item's plus the bias."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from matinee.contract import Masks, Queries
from matinee.data.interactions import Interactions
from matinee.errors import DataError, ModelError
from matinee.ranking.topk import top_k
from matinee.scoring.history_factors import HistoryFactors
from tests.numerics.logs import random_log
from tests.reference.item_item import distinct

U, I, D = 60, 150, 9
LOG = random_log(6, U, I, 900, weighted=True)


def form(exponent: float = 0.4) -> HistoryFactors:
    rng = np.random.default_rng(2)
    encode, decode = (rng.normal(size=(I, D)).astype(np.float32) for _ in range(2))
    return HistoryFactors(encode, decode, rng.normal(size=I).astype(np.float32), exponent)


@pytest.mark.parametrize("exponent", [0.0, 0.4, 1.0])
def test_scores_are_the_sums_that_they_are_said_to_be(exponent: float) -> None:
    made = form(exponent)
    got, vectors = made.score(Queries.of(LOG)), made.vectors(Queries.of(LOG))
    for user in range(U):
        mine = distinct(LOG, user)
        z = sum((c * made.encode[j].astype(np.float64) for j, c in mine.items()), np.zeros(D))
        z *= max(1, len(mine)) ** -exponent
        np.testing.assert_allclose(vectors[user], z, atol=1e-4)
        np.testing.assert_allclose(got[user], made.decode.astype(np.float64) @ z + made.bias, atol=1e-3)


def test_an_empty_history_is_zeros_and_is_ranked_by_the_bias() -> None:
    nobody = Queries.of(Interactions.empty(1, I))
    assert not form().vectors(nobody).any()
    np.testing.assert_array_equal(form().score(nobody)[0], form().bias)


def test_ranking_while_scoring_gives_what_scoring_and_ranking_give() -> None:
    queries, masks = Queries.of(LOG), Masks(LOG.indptr, LOG.items)
    for k in (1, 10, I + 2):
        got, want = form().top_block(queries, k, masks), top_k(form().score(queries), k, masks)
        np.testing.assert_array_equal(got[0], want[0])
        np.testing.assert_array_equal(got[1], want[1])


def test_one_alone_has_the_bits_of_one_among_many() -> None:
    together = form().score(Queries.of(LOG))
    for user in range(U):
        np.testing.assert_array_equal(form().score(Queries.of(LOG.take(np.array([user]))))[0], together[user])


def test_a_history_over_another_catalogue_is_refused() -> None:
    other = Queries.of(Interactions.from_events([0], [I], n_users=1, n_items=I + 1))
    for ask in (lambda: form().score(other), lambda: form().top_block(other, 1, Masks.none(1))):
        with pytest.raises(DataError, match=f"misaligned: histories over {I + 1} items for a model of {I}"):
            ask()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"decode": np.ones((I, D + 1), np.float32)}, r"encode, decode and bias have shapes \(150, 9\), \(150, 10\)"),
        ({"bias": np.ones(I + 1, np.float32)}, r"encode, decode and bias have shapes .* \(151,\)"),
        ({"encode": np.ones(I, np.float32), "decode": np.ones(I, np.float32)}, r".* have shapes \(150,\), \(150,\)"),
        ({"exponent": -0.1}, r"exponent -0.1 is not in \[0, 1\]"),
        ({"exponent": float("nan")}, r"exponent nan is not in \[0, 1\]"),
        ({"bias": np.full(I, np.inf, np.float32)}, "bias 0 is inf"),
    ],
)
def test_arrays_that_cannot_be_a_model_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=f"bad-form: {message}"):
        replace(form(), **changes)
