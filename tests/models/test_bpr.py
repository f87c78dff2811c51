"""BPR: a seed decides every bit, confidences are visits, and nobody's history is forgotten when it grows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from matinee.contract import Queries, Run
from matinee.data.interactions import Interactions
from matinee.errors import DataError
from matinee.models.bpr import BPR
from matinee.scoring.pairwise_factors import PairwiseFactors
from matinee.testing.toy import U, planted
from tests.models.test_als import dataset
from tests.numerics.logs import random_log

RECIPE = BPR(dim=7, epochs=4, lr=0.2, l2=0.02, draws=3)


@pytest.fixture(scope="module")
def log() -> Interactions:
    """Items enough for several blocks."""
    return random_log(3, 150, 700, 6_000, weighted=True)


@pytest.fixture(scope="module")
def fitted(log: Interactions) -> PairwiseFactors:
    return RECIPE.fit(dataset(log), Run(seed=4))


def test_threads_change_no_bit(log: Interactions, fitted: PairwiseFactors) -> None:
    again = RECIPE.fit(dataset(log), Run(seed=4, threads=3))
    np.testing.assert_array_equal(again.user_factors, fitted.user_factors)
    np.testing.assert_array_equal(again.item_factors, fitted.item_factors)
    np.testing.assert_array_equal(again.item_biases, fitted.item_biases)


def test_a_confidence_counts_in_proportion_to_the_mean(log: Interactions, fitted: PairwiseFactors) -> None:
    again = RECIPE.fit(dataset(log.with_values(2 * log.values)), Run(seed=4))
    np.testing.assert_array_equal(again.user_factors, fitted.user_factors)
    other = RECIPE.fit(dataset(log.with_values(np.ones(len(log), np.float32))), Run(seed=4))
    assert not np.allclose(other.user_factors, fitted.user_factors, atol=1e-3)


def test_the_journal_tells_loss_and_skipped_steps_by_epoch(log: Interactions) -> None:
    told: list[Mapping[str, Any]] = []
    steps: list[tuple[str, int, int]] = []
    RECIPE.fit(dataset(log), Run(seed=4, journal=told.append, progress=lambda *step: steps.append(step)))
    assert [sorted(facts) for facts in told] == [["epoch", "loss", "skipped"]] * 4
    assert steps == [("bpr", epoch, 4) for epoch in range(1, 5)]
    assert told[0]["loss"] > told[-1]["loss"] > 0
    assert {facts["skipped"] for facts in told} == {0.0}


def test_T12_who_has_every_item_ends_the_fit_in_time_and_is_counted() -> None:
    everything = Interactions.from_events([0] * 5 + [1], [0, 1, 2, 3, 4, 2], n_users=2, n_items=5)
    told: list[Mapping[str, Any]] = []
    scorer = RECIPE.fit(dataset(everything), Run(journal=told.append))
    assert [facts["skipped"] for facts in told] == [pytest.approx(5 / 6)] * 4
    assert np.isfinite(scorer.score(Queries.of(everything))).all()


def test_a_log_without_events_is_a_model_that_scores_zero() -> None:
    told: list[Mapping[str, Any]] = []
    scorer = RECIPE.fit(dataset(Interactions.empty(2, 3)), Run(journal=told.append))
    assert told[-1] == {"epoch": 4, "loss": 0.0, "skipped": 0.0}
    asked = Interactions.from_events([0], [1], n_users=1, n_items=3)
    assert not scorer.score(Queries.of(asked)).any()


def test_an_item_that_nobody_had_scores_like_the_least_popular_for_somebody_without_history(
    log: Interactions,
) -> None:
    log = log.select(log.items != 17)
    scorer = RECIPE.fit(dataset(log), Run(seed=4))
    assert not scorer.item_factors[17].any()
    scores = scorer.score(Queries.of(Interactions.empty(1, 700)))[0]
    assert scores[17] == scores.min()
    assert scores[17] < 0


def test_popular_items_are_drawn_more_often_where_sampling_says_so() -> None:
    toy = planted()
    tail = np.argsort(toy.data.log.item_counts())[:10]
    even, by_popularity = (
        replace(RECIPE, sampling=name, popularity_exponent=1.5).fit(toy.data, Run(seed=1)).item_biases
        for name in ("uniform", "popularity")
    )
    assert (by_popularity[tail] > even[tail]).all()


def test_steps_that_are_too_long_are_an_error_that_names_the_epoch(log: Interactions) -> None:
    with pytest.raises(DataError, match=r"diverged: bpr: factors are not finite after epoch \d+; lower lr or raise l2"):
        replace(RECIPE, lr=10.0, l2=10.0, epochs=100).fit(dataset(log))


@pytest.mark.parametrize("value", [0.0, -1.0])
def test_confidences_that_are_no_weights_are_an_error(log: Interactions, value: float) -> None:
    with pytest.raises(DataError, match=f"bad-confidence: the mean confidence is {value}; give confidences above 0"):
        RECIPE.fit(dataset(log.with_values(np.full(len(log), value, np.float32))))


def test_a_history_that_grew_finds_no_less_than_the_stored_vector() -> None:
    """Half of each user's events are learnt from; with the whole history, more of the planted taste is found."""
    toy = planted()
    whole = toy.data.log
    early = whole.select(np.arange(len(whole)) - whole.indptr[whole.users] < whole.counts[whole.users] // 2)
    recipe = BPR(dim=8, epochs=60, lr=0.1, l2=0.05, draws=3)
    scorer = recipe.fit(toy.data.with_log(early), Run(seed=1))
    grown = toy.recall(scorer, known=early.counts)
    stays = replace(scorer, fitted_on=RECIPE_FREE.fit(toy.data).fitted_on)  # takes the whole history for the old one
    assert np.array_equal(stays.vectors(toy.queries()), scorer.user_factors)
    assert grown >= toy.recall(stays, known=early.counts)
    assert len(toy.held) == U


RECIPE_FREE = BPR(dim=8, epochs=1)
