"""Confidences against their formulas, on users who are known, new, idle, or did everything in one second."""

from __future__ import annotations

import dataclasses
from itertools import chain

import numpy as np
import pytest

from matinee.data import confidence as module
from matinee.data.columns import Categories, Features, Numbers
from matinee.data.confidence import (
    CONFIDENCES,
    GenrePreference,
    ItemPopularity,
    PopularityAndGenre,
    Rating,
    RecencyHalfLife,
    ReleaseEra,
    Time,
    ViewCount,
    WatchRatio,
    confidence,
    name_of,
)
from matinee.data.dataset import Dataset
from matinee.data.ids import Vocabulary
from matinee.data.interactions import Interactions
from matinee.errors import ConfigError, DataError
from tests.reference import confidence as slow

I = 6
GENRES = {0: ["드라마"], 1: ["드라마", "Noir"], 2: ["Noir", "SF", "드라마"], 3: [], 4: ["SF"], 5: ["SF", "Noir"]}
ITEM_SETS = [[0, 1, 2, 0], [], [3, 4], [5, 5, 5, 1], [2]]
TIME_SETS = [[10, 20, 40, 110], [], [7, 7], [0, 86_400, 86_400 * 3, 86_400 * 40], [5]]
WATCHED = [30, 60, 90, 0, 120, np.nan, 60, 15, 15, 15, -1]
WHOLE = [60, 60, 60, 60, 0, 60, np.nan, 60, 60, 60, 60]
RATINGS = [1.0, 5.0, 3.0, np.nan, 2.0, 4.0, 4.0, 4.0, 4.0, 4.0, np.nan]


def log(item_sets=ITEM_SETS, time_sets=TIME_SETS, ratings=RATINGS):
    users = [user for user, items in enumerate(item_sets) for _ in items]
    columns = {} if ratings is None else {"rating": ratings, "watch_seconds": WATCHED, "total_seconds": WHOLE}
    columns = {name: np.array(column[: len(users)], np.float32) for name, column in columns.items()}
    return Interactions.from_events(users, [*chain(*item_sets)], [*chain(*time_sets)], n_users=len(item_sets),
                                    n_items=I, columns=columns)


def data(events=None, years=(1922, 1980, 1990, np.nan, 2014, 2000)):
    pairs = [(item, label) for item, labels in GENRES.items() for label in labels]
    genre = Categories.from_pairs(np.array([item for item, _ in pairs]), [label for _, label in pairs], I)
    events = log() if events is None else events
    return Dataset(events, Vocabulary.of(f"u{u}" for u in range(events.n_users)), Vocabulary.of(map(str, range(I))),
                   Features(I, {"genre": genre, "year": Numbers(np.array(years, float))}), Features(events.n_users))


def weights(chosen, history=None, train=None):
    train = data() if train is None else train
    return chosen.apply(chosen.fit(train), train.log if history is None else history)


every_confidence = pytest.mark.parametrize("name", CONFIDENCES)


@every_confidence
def test_any_history_gets_a_positive_finite_weight_an_event(name):
    chosen = confidence(name, {})
    for history in (log(), log(ratings=None), Interactions.empty(3, I), Interactions.empty(0, I)):
        out = weights(chosen, history)
        assert out.dtype == np.float32
        assert out.shape == (len(history),)
        assert np.isfinite(out).all()
        assert (out > 0).all()


@every_confidence
def test_a_weight_depends_on_the_history_of_its_user_alone(name):
    chosen, order = confidence(name, {}), np.array([4, 0, -1, 3, 1, 2, 0])
    together = Interactions.with_values(log(), weights(chosen)).take(order)
    np.testing.assert_array_equal(weights(chosen, log().take(order)), together.values)


@every_confidence
@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_a_weight_goes_with_its_event_and_not_with_a_place_in_a_block(name, size):
    """Also in the last block, which is shorter."""
    chosen, users = confidence(name, {}), np.arange(len(ITEM_SETS))
    blocks = [weights(chosen, log().take(users[start : start + size])) for start in range(0, len(users), size)]
    np.testing.assert_array_equal(np.concatenate(blocks), weights(chosen))


@every_confidence
def test_what_is_learned_is_named_arrays_and_the_log_is_left_alone(name):
    train = data()
    before = train.hash
    state = confidence(name, {}).fit(train)
    assert all(isinstance(array, np.ndarray) for array in state.values())
    assert train.hash == before


@every_confidence
def test_a_confidence_is_found_by_its_name_and_has_one(name):
    assert name_of(confidence(name, {})) == name
    assert dataclasses.is_dataclass(CONFIDENCES[name])
    assert CONFIDENCES[name].__dataclass_params__.frozen


def test_time_runs_from_one_to_two_along_a_history_and_is_one_within_a_moment():
    np.testing.assert_allclose(weights(Time()), slow.time(TIME_SETS), rtol=1e-6)
    assert weights(Time())[:4].tolist() == pytest.approx([1, 1.1, 1.3, 2])


def test_item_popularity_runs_from_one_to_two_over_users_of_the_training_log():
    # users of items 0..5: 1, 2, 2, 1, 1, 1
    assert weights(ItemPopularity()).tolist() == [1, 2, 2, 1, 1, 1, 1, 1, 1, 2, 2]


def test_item_popularity_of_equally_popular_items_is_one():
    even = log([[0, 1, 2, 3, 4, 5]], [[1] * 6], None)
    assert weights(ItemPopularity(), even, data(even)).tolist() == [1] * 6


def test_genre_preference_adds_the_share_of_each_label_in_the_history():
    np.testing.assert_allclose(weights(GenrePreference()), slow.genre_preference(ITEM_SETS, GENRES), rtol=1e-6)
    # user 0 saw 드라마 four times, Noir twice and SF once
    np.testing.assert_allclose(weights(GenrePreference())[:4], [1 + 4 / 7, 1 + 6 / 7, 2, 1 + 4 / 7], rtol=1e-6)


def test_genre_preference_is_the_same_in_small_pieces(monkeypatch):
    whole = weights(GenrePreference())
    monkeypatch.setattr(module, "_CELLS", 1)
    np.testing.assert_array_equal(weights(GenrePreference()), whole)


def test_genre_preference_of_other_labels_by_their_column():
    with pytest.raises(DataError, match=r"no-feature.*'director'.*known: genre"):
        weights(GenrePreference(column="director"))


def test_popularity_and_genre_adds_both_to_one():
    both = slow.popularity_and_genre(ITEM_SETS, GENRES, I)
    np.testing.assert_allclose(weights(PopularityAndGenre()), both, rtol=1e-6)
    # user 0: items of 1, 2 and 2 users in all, the least and the most popular
    np.testing.assert_allclose(weights(PopularityAndGenre())[:3], [1 + 4 / 7, 2 + 6 / 7, 3], rtol=1e-6)


def test_recency_halves_with_every_half_life_and_never_vanishes():
    chosen = RecencyHalfLife(half_life_days=1)
    np.testing.assert_allclose(weights(chosen), slow.recency_half_life(TIME_SETS, 1), rtol=1e-6)
    assert weights(chosen)[6] == np.float32(2**-20)


def test_rating_runs_from_one_to_two_over_the_scale_of_the_training_log():
    np.testing.assert_allclose(weights(Rating()), [1, 2, 1.5, 1, 1.25] + [1.75] * 5 + [1], rtol=1e-6)
    new = log([[0, 1]], [[1, 2]], [9.0, 0.0])
    np.testing.assert_allclose(weights(Rating(), new), [2, 1])  # outside the scale of training


def test_rating_over_the_range_of_each_user():
    expected = [1, 2, 1.5, 1, 1, 2] + [1] * 5
    np.testing.assert_allclose(weights(Rating(range="user")), expected, rtol=1e-6)


def test_a_history_without_ratings_has_weight_one_and_training_without_them_is_refused():
    assert weights(Rating(), log(ratings=None)).tolist() == [1] * len(RATINGS)
    with pytest.raises(DataError, match=r"no-ratings: .*needs ratings, and the data has none"):
        weights(Rating(), train=data(log(ratings=None)))


def test_view_count_grows_with_the_logarithm_of_one_more_than_the_count():
    np.testing.assert_allclose(weights(ViewCount()), slow.view_count(ITEM_SETS), rtol=1e-6)


def test_watch_ratio_is_one_and_the_share_and_the_mean_where_that_is_unknown():
    known = [1.5, 2, 2, 1, 1.25, 1.25, 1.25, 1]  # a view may run past the end; less than nothing is nothing
    mean = np.mean(known)
    np.testing.assert_allclose(weights(WatchRatio()), [*known[:4], mean, mean, mean, *known[4:]], rtol=1e-6)


def test_a_history_without_watch_time_has_the_mean_and_training_without_it_is_refused():
    np.testing.assert_allclose(weights(WatchRatio(), log(ratings=None)), [1 + 3.25 / 8] * len(WATCHED), rtol=1e-6)
    with pytest.raises(DataError, match=r"no-watch-time: .*watch_seconds and total_seconds, and no.*data.columns"):
        weights(WatchRatio(), train=data(log(ratings=None)))


def test_release_era_grows_exponentially_within_bounds_and_is_one_where_unknown():
    got = weights(ReleaseEra(rate=0.1, most=10))
    by_item = dict(zip(log().items.tolist(), got.tolist(), strict=True))
    assert by_item == pytest.approx({0: 0.1, 1: 1, 2: np.e, 3: 1, 4: 10, 5: np.exp(2)}, rel=1e-6)


def test_a_name_or_a_setting_that_there_is_not_is_refused_by_name():
    with pytest.raises(ConfigError, match=r"unknown-weights: no confidence is called 'tyme'.*time"):
        confidence("tyme", {})
    with pytest.raises(ConfigError, match=r"unknown-key: recency_half_life has no setting 'days'.*half_life_days"):
        confidence("recency_half_life", {"days": 3})
