"""A query is reweighted by place and by age, whatever the scorer inside, and nothing else changes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from matinee.contract import Masks, Queries
from matinee.data.interactions import Interactions
from matinee.errors import DataError, ModelError
from matinee.models.ease import EASE
from matinee.models.item_knn import ItemKNN
from matinee.ranking.topk import top_k
from matinee.scoring import store
from matinee.scoring.constant import Constant
from matinee.scoring.item_item import DenseItemItem
from matinee.scoring.weighted import Weighted
from matinee.scoring.weighted_history import WeightedHistory, newest_first
from matinee.testing import planted
from tests.numerics.logs import random_log

DAY = 86_400
I = 6
EYE = DenseItemItem(np.eye(I, dtype=np.float32))  # a score is the weight that its item was asked with


def by_hand(log: Interactions, decay: float, length: int, rates: np.ndarray, clock: str) -> np.ndarray:
    """(B, I) the largest weight of each item, event by event from the formula."""
    out = np.zeros((log.n_users, log.n_items))
    for user in range(log.n_users):
        mine = range(log.indptr[user], log.indptr[user + 1])
        newest, oldest = max((log.times[e] for e in mine), default=0), min((log.times[e] for e in mine), default=0)
        for place, event in enumerate(reversed(mine)):
            if length and place >= length:
                continue
            unit = DAY if clock == "days" else max(newest - oldest, 1)
            halvings = (newest - log.times[event]) / unit * rates[log.items[event] % len(rates)]
            weight = log.values[event] * max(decay**place * 0.5**halvings, 2.0**-60)
            out[user, log.items[event]] = max(out[user, log.items[event]], weight)
    return out


@pytest.mark.parametrize("decay", [1.0, 0.8])
@pytest.mark.parametrize("length", [0, 1, 4])
@pytest.mark.parametrize("clock", ["days", "span"])
@pytest.mark.parametrize("rates", [[0.0], [0.01], [0, 0.1, 0.02, 3, 0, 0.5]])
def test_each_event_weighs_what_the_formula_says(decay: float, length: int, clock: str, rates: list[float]) -> None:
    log = random_log(1, 25, I, 200, weighted=True)
    log = replace(log, times=log.times * DAY)
    scorer = WeightedHistory(EYE, decay, length, np.array(rates, np.float32), clock)
    want = by_hand(log, decay, length, np.array(rates, np.float32), clock)
    np.testing.assert_allclose(scorer.score(Queries.of(log)), want, rtol=1e-6)


def test_an_old_event_never_vanishes() -> None:
    log = Interactions.from_events([0] * 5000, [0] + [1] * 4999, n_users=1, n_items=I)
    score = newest_first(EYE, 0.5, None).score(Queries.of(log))[0]
    assert score[1] == 1
    assert score[0] == np.float32(2.0**-60)


@pytest.mark.parametrize("inner", [EASE(l2=5.0).fit(planted().data), Constant(np.arange(48, dtype=np.float32))])
def test_ranking_is_score_and_top_k_whether_the_inner_scorer_ranks_or_not(inner: DenseItemItem) -> None:
    scorer, queries = WeightedHistory(inner, 0.7, 5, np.full(1, 0.01, np.float32), "days"), planted().queries()
    masks = Masks(queries.history.indptr, queries.history.items)
    for got, want in zip(scorer.top_block(queries, 7, masks), top_k(scorer.score(queries), 7, masks), strict=True):
        np.testing.assert_array_equal(got, want)


def test_a_confidence_and_a_decay_are_multiplied() -> None:
    log = replace(random_log(2, 9, I, 60, weighted=False), columns={"rating": np.resize([1.0, 3, 5], 60)})
    scorer = Weighted(newest_first(EYE, 0.5, 3), "rating", {"range": "scale"}, {"scale": np.array([1.0, 5.0])})
    weights = 1 + (log.columns["rating"] - 1) / 4
    want = by_hand(log.with_values(weights.astype(np.float32)), 0.5, 3, np.zeros(1), "days")
    np.testing.assert_allclose(scorer.score(Queries.of(log)), want, rtol=1e-6)


def test_it_comes_back_from_the_disk_bit_for_bit(tmp_path) -> None:
    queries = Queries.of(random_log(3, 9, I, 60, weighted=True))
    scorer = WeightedHistory(EYE, 0.9, 4, np.arange(I, dtype=np.float32), "span")
    store.save(scorer, tmp_path / "m", about={})
    np.testing.assert_array_equal(store.load(tmp_path / "m")[0].score(queries), scorer.score(queries))


@pytest.mark.parametrize("model", [EASE(l2=5.0), ItemKNN()])
def test_a_recipe_that_asks_for_no_decay_gives_the_plain_form(model: EASE) -> None:
    plain = model.fit(planted().data)
    assert not isinstance(plain, WeightedHistory)
    for settings in ({"query_decay": 0.9}, {"query_length": 3}):
        decayed = replace(model, **settings).fit(planted().data)
        assert isinstance(decayed, WeightedHistory)
        assert type(decayed.inner) is type(plain)
        assert decayed.block == plain.block


@pytest.mark.parametrize(
    ("decay", "length", "rates", "clock", "said"),
    [
        (0.0, 0, [0], "days", "bad-form: decay 0.0, length 0, clock 'days'"),
        (1.1, 0, [0], "days", "bad-form: decay 1.1"),
        (0.9, -1, [0], "days", "length -1"),
        (0.9, 0, [0], "weeks", "clock 'weeks'; a decay in .* a clock of days or span"),
        (0.9, 0, [0, 0], "days", r"\(2,\) rates, the least 0.0, for 6 items"),
        (0.9, 0, [-1], "days", r"\(1,\) rates, the least -1.0"),
    ],
)
def test_settings_that_cannot_be_are_refused(decay, length, rates, clock, said) -> None:
    with pytest.raises(ModelError, match=said):
        WeightedHistory(EYE, decay, length, np.array(rates, np.float32), clock)


def test_a_history_over_another_catalogue_is_refused() -> None:
    log = Interactions.from_events([0], [I], n_users=1, n_items=I + 1)
    with pytest.raises(DataError, match="misaligned: histories over 7 items for a model of 6"):
        newest_first(EYE, 0.9, None).score(Queries.of(log))
