"""Time-weighted item kNN: its slow twin for one half-life, for spans, for clusters and for ratings."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from matinee.contract import Queries, Run
from matinee.data.interactions import Interactions
from matinee.data.load import load
from matinee.errors import DataError, ModelError
from matinee.models.item_knn import ItemKNN
from matinee.models.time_weight_cf import TimeWeightCF
from matinee.numerics.half_lives import learnt_rates
from matinee.numerics.threads import limited
from matinee.scoring.item_item import SparseItemItem
from matinee.scoring.rating_mean import RatingMean
from matinee.scoring.weighted_history import WeightedHistory, places
from tests.models.test_item_knn import dataset
from tests.numerics.logs import random_log
from tests.reference import half_lives as reference
from tests.reference import item_item

DAY, U, I = 86_400, 60, 30
PLAIN = random_log(21, U, I, 700, weighted=True)
LOG = replace(PLAIN, times=PLAIN.times * DAY // 3,
              columns={"rating": np.random.default_rng(4).integers(1, 6, 700).astype(np.float32)})
SMALL = {"neighbours": 6, "shrink": 2.0, "alpha": 0.5}
WEIGHTS = item_item.item_knn(LOG, 6, 2.0).astype(np.float32)


def scores(**settings: object) -> np.ndarray:
    return TimeWeightCF(**SMALL, **settings).fit(dataset(LOG), Run(threads=2)).score(Queries.of(LOG))


def test_without_ageing_it_is_item_knn_bit_for_bit() -> None:
    for settings in ({}, SMALL):
        plain = ItemKNN(**settings).fit(dataset(LOG))
        aged = TimeWeightCF(**settings, half_life_days=None).fit(dataset(LOG))
        assert type(aged) is type(plain)
        np.testing.assert_array_equal(aged.score(Queries.of(LOG)), plain.score(Queries.of(LOG)))


def test_one_half_life_for_all_is_that_of_the_slow_twin() -> None:
    want = reference.aged_scores(WEIGHTS, LOG, [1 / 4.0] * I)
    np.testing.assert_allclose(scores(half_life_days=4.0), want, rtol=1e-5, atol=1e-6)


def test_a_half_life_in_proportion_to_a_span_is_the_users_own() -> None:
    spans = [int(LOG.times[b - 1] - LOG.times[a]) for a, b in zip(LOG.indptr, LOG.indptr[1:], strict=False) if b > a]
    median = float(np.median([span for span in spans if span])) / DAY
    want = reference.aged_scores(WEIGHTS, LOG, [median / 4.0] * I, per_span=True)
    np.testing.assert_allclose(scores(half_life_days=4.0, per="user_span"), want, rtol=1e-5, atol=1e-6)


def test_half_lives_of_clusters_are_those_of_the_slow_twin_at_any_thread_count() -> None:
    earlier = LOG.select(places(LOG) > 0)
    users = np.flatnonzero(earlier.counts > 0)
    history = earlier.take(users).with_values(np.ones(int(earlier.counts[users].sum()), np.float32))
    asked = LOG.items[LOG.indptr[1:][users] - 1]
    labels = (np.arange(I) * 7 % 4).astype(np.int32)
    ages = (np.repeat(history.last_times(), history.counts) - history.times) / DAY
    youngest = -history.with_values(-ages.astype(np.float32)).matrix().data.astype(np.float64)
    form = TimeWeightCF(**SMALL, half_life_days=None).fit(dataset(LOG))
    assert isinstance(form, SparseItemItem)
    grid = np.array([0.2, 0.05, 1.0, 0.0])
    got = []
    for threads in (1, 3):
        with limited(threads):
            got.append(learnt_rates(form.rows(), history.matrix(), youngest, asked, labels, grid, lambda *_: None))
    want = reference.learnt(WEIGHTS, history, asked.tolist(), labels.tolist(), grid.tolist())
    assert len(set(want)) > 1
    np.testing.assert_array_equal(got[0], want)
    np.testing.assert_array_equal(got[1], want)


def test_what_the_clusters_chose_is_told() -> None:
    told: list[dict[str, object]] = []
    run = Run(journal=lambda line: told.append(dict(line)))
    scorer = TimeWeightCF(**SMALL, half_life_days=4.0, per="cluster", clusters=3).fit(dataset(LOG), run)
    assert isinstance(scorer, WeightedHistory)
    assert sum(int(str(line["items"])) for line in told) == I
    chosen = {0.0 if line["half_life_days"] is None else 1 / float(str(line["half_life_days"])) for line in told}
    np.testing.assert_allclose(sorted(chosen), np.unique(scorer.rates), rtol=1e-6)


def test_clusters_of_an_empty_log_and_of_one_event_each_are_fitted() -> None:
    for log in (Interactions.empty(3, 4), Interactions.from_events([0, 1], [2, 2], n_users=3, n_items=4)):
        got = TimeWeightCF(per="cluster", clusters=2).fit(dataset(log)).score(Queries.of(log))
        assert not got.any()


@pytest.mark.parametrize("half_life_days", [None, 4.0])
def test_a_foretold_rating_is_the_mean_of_the_slow_twin(half_life_days: float | None) -> None:
    log = LOG
    if half_life_days is not None:
        age = (np.repeat(LOG.last_times(), LOG.counts) - LOG.times) / DAY
        log = LOG.with_values(LOG.values * 0.5 ** (age / half_life_days))
    want = reference.foretold(WEIGHTS, log, LOG.columns["rating"].tolist(), 1.5)
    got = scores(half_life_days=half_life_days, rated=True, damping=1.5)
    np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)


def test_a_history_without_ratings_is_taken_for_the_mean_rating() -> None:
    scorer = TimeWeightCF(**SMALL, half_life_days=None, rated=True).fit(dataset(LOG))
    bare, blank = replace(LOG, columns={}), replace(LOG, columns={"rating": np.full(len(LOG), np.nan)})
    mean = [float(LOG.columns["rating"].mean())] * len(LOG)
    want = reference.foretold(WEIGHTS, LOG, mean, 1.0)
    for log in (bare, blank):
        np.testing.assert_allclose(scorer.score(Queries.of(log)), want, rtol=1e-5, atol=1e-6)


def test_ratings_of_a_log_that_has_none_are_refused() -> None:
    for columns in ({}, {"rating": np.full(len(LOG), np.nan)}):
        with pytest.raises(DataError, match=r"no-ratings: ratings are asked for, .* has none; leave `rated` out"):
            TimeWeightCF(rated=True).fit(dataset(replace(LOG, columns=columns)))


@pytest.mark.parametrize(("damping", "weight"), [(0.0, 1.0), (-1.0, 1.0), (1.0, -0.5)])
def test_a_mean_that_might_divide_by_nothing_is_refused(damping: float, weight: float) -> None:
    form = SparseItemItem(np.array([0, 1, 1]), np.array([1], np.int32), np.array([weight], np.float32))
    with pytest.raises(ModelError, match=f"bad-form: damping {damping}, least similarity"):
        RatingMean(form, damping, 3.0)


def test_films_age_and_what_comes_next_is_near() -> None:
    """At the defaults, on the end of real histories."""
    films = load("embedded:movietweetings")
    newest = places(films.log) == 0
    rest = films.with_log(films.log.select(~newest))
    last = films.log.items[newest]
    gain = {}
    for days in (None, 30.0):
        asked = TimeWeightCF(half_life_days=days).fit(rest).score(Queries.of(rest.log))
        asked[rest.log.users, rest.log.items] = -np.inf
        wanted = asked[np.arange(len(last)), last]
        gain[days] = float(((asked > wanted[:, None]).sum(axis=1) < 10).mean())
    assert gain[30.0] > gain[None] + 0.02, gain
