"""Queries are weighted as the training log was, wherever they come from."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pytest

from matinee.contract import Masks, Run
from matinee.data.confidence import (
    CONFIDENCES,
    GenrePreference,
    ItemPopularity,
    Rating,
    RecencyHalfLife,
    Time,
    confidence,
)
from matinee.errors import ConfigError, DataError
from matinee.models.ease import EASE
from matinee.models.popularity import Popularity
from matinee.ranking.topk import top_k
from matinee.scoring import store
from matinee.scoring.blend import Blend
from matinee.scoring.constant import Constant
from matinee.scoring.item_item import DenseItemItem
from matinee.scoring.weighted import Weighted, fit_weighted
from matinee.testing import planted

TOY = planted()
QUERIES = TOY.queries()


def by_hand(chosen, recipe):
    """Weights on the log, a plain fit, the same weights on the histories."""
    state = chosen.fit(TOY.data)

    def weigh(log):
        return log.with_values(chosen.apply(state, log))

    return recipe.fit(TOY.data.with_log(weigh(TOY.data.log))).score(replace(QUERIES, history=weigh(QUERIES.history)))


@pytest.mark.parametrize(
    "chosen", [Time(), ItemPopularity(), GenrePreference(), RecencyHalfLife(half_life_days=30), Rating()]
)
def test_fit_and_queries_get_the_same_weights(chosen):
    scorer = fit_weighted(EASE(l2=5.0), chosen, TOY.data)
    np.testing.assert_array_equal(scorer.score(QUERIES), by_hand(chosen, EASE(l2=5.0)))


@pytest.mark.parametrize("name", CONFIDENCES)
def test_every_block_of_users_is_weighted_by_its_own_events(name):
    """A confidence cut by the number of a batch would hit the wrong users, and the last, shorter block first of all."""
    scorer = fit_weighted(EASE(l2=5.0), confidence(name, {}), TOY.data)
    whole, users = scorer.score(QUERIES), np.random.default_rng(3).permutation(len(QUERIES))
    for start in range(0, len(users), 64):
        block = users[start : start + 64]
        np.testing.assert_array_equal(scorer.score(QUERIES.take(block)), whole[block])


def test_validation_asks_with_plain_histories_and_gets_weighted_answers():
    asked = []

    class Curious(EASE):
        def fit(self, train, run=Run()):
            scorer = super().fit(train, run)
            asked.append(run.validate(scorer))
            return scorer

    def judge(scorer):
        return scorer.score(QUERIES).tobytes()

    fitted = fit_weighted(Curious(l2=5.0), Time(), TOY.data, Run(validate=judge))
    assert asked == [judge(fitted)]
    assert judge(fitted) != judge(fitted.inner)


@pytest.mark.parametrize("inner", [EASE(l2=5.0).fit(TOY.data), Constant(np.arange(48, dtype=np.float32))])
def test_ranking_is_score_and_top_k_whether_the_inner_scorer_ranks_or_not(inner):
    scorer = Weighted(inner, "time", {}, {})
    masks = Masks(QUERIES.history.indptr, QUERIES.history.items)
    for got, want in zip(scorer.top_block(QUERIES, 7, masks), top_k(scorer.score(QUERIES), 7, masks), strict=True):
        np.testing.assert_array_equal(got, want)


def test_what_was_found_is_passed_on():
    class Found(Constant):
        found = MappingProxyType({"stop_at": 37})

    assert Weighted(Found(np.ones(3, np.float32)), "time", {}, {}).found == {"stop_at": 37}


def test_a_model_that_ignores_weights_and_data_without_ratings_are_refused():
    with pytest.raises(ConfigError, match="weights-ignored: Popularity does not honour confidence weights, and 'time'"):
        fit_weighted(Popularity(), Time(), TOY.data)
    bare = TOY.data.with_log(replace(TOY.data.log, columns={}))
    with pytest.raises(DataError, match="no-ratings"):
        fit_weighted(EASE(), Rating(), bare)


def test_weighted_models_and_blends_of_them_come_back_from_the_disk(tmp_path):
    ease = fit_weighted(EASE(l2=5.0), GenrePreference(), TOY.data)
    blend = Blend((ease, DenseItemItem(np.eye(48, dtype=np.float32))), np.array([2, 1], np.float32), "rank", "sum")
    store.save(blend, tmp_path / "blend", about={})
    again, _ = store.load(tmp_path / "blend")
    np.testing.assert_array_equal(again.score(QUERIES), blend.score(QUERIES))
    assert [type(member) for member in again.members] == [Weighted, DenseItemItem]
