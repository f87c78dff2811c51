"""From rows to a data set: what is kept, what is dropped and counted, how side information finds its rows."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matinee.data.build import build
from matinee.data.interactions import Interactions
from matinee.data.source import SideTable, Source
from matinee.errors import ConfigError, DataError


def source(rows, **more):
    """A log of (user, item, time[, rating]) rows."""
    users, items, times, *ratings = zip(*rows, strict=True)
    columns = {"rating": np.array(ratings[0], np.float32)} if ratings else {}
    raw = {"users": pl.Series(users, dtype=pl.String), "items": pl.Series(items, dtype=pl.String)}
    return Source(name="s", layout="table", times=np.array(times, np.int64), columns=columns, **raw, **more)


def side(name, kind, ids, values, weights=None):
    raw = pl.Series(ids, dtype=pl.String)
    return SideTable(name=name, kind=kind, ids=raw, values=pl.Series(values), weights=weights)


LOG = [("b", "x", 5, 4.0), ("a", "y", 9, 2.0), ("a", "x", 3, 5.0), ("a", "z", 9, 3.5), ("c", "z", 1, 1.0)]


def test_a_log_is_numbered_by_id_bytes_and_ordered_in_time():
    dataset = build(source(LOG))
    assert dataset.users.series.to_list() == ["a", "b", "c"]
    assert dataset.items.series.to_list() == ["x", "y", "z"]
    assert dataset.log.indptr.tolist() == [0, 3, 4, 5]
    assert dataset.log.items.tolist() == [0, 1, 2, 0, 2]
    assert dataset.log.columns["rating"].tolist() == [5, 2, 3.5, 4, 1]
    assert dataset.log.values.tolist() == [1] * 5
    assert dataset.facts.notes["rows_read"] == 5
    assert not dataset.facts.repeats
    assert build(source(LOG, repeats=True)).facts.repeats
    assert not build(source(LOG, repeats=True), repeats=False).facts.repeats


def test_rows_in_another_order_are_the_same_data():
    assert build(source(LOG[::-1])).log.items.tolist() == [0, 2, 1, 0, 2]  # ties keep the order of the file
    untied = [(user, item, time + at, rating) for at, (user, item, time, rating) in enumerate(LOG)]
    assert build(source(untied)).hash == build(source(untied[::-1])).hash


def test_low_ratings_are_dropped_and_counted():
    dataset = build(source(LOG), min_rating=3.5)
    assert len(dataset.log) == 3
    assert dataset.users.series.to_list() == ["a", "b"]
    assert dataset.facts.notes["dropped_low_rating"] == 2
    with pytest.raises(DataError, match="no-rating: min_rating is 4 and the data have no ratings"):
        build(source([row[:3] for row in LOG]), min_rating=4)
    with pytest.raises(DataError, match=r"no event is left of 5 \(dropped_low_rating 5\)"):
        build(source(LOG), min_rating=9)


def core_by_hand(rows, least_users, least_items):
    while True:
        users, items = [row[0] for row in rows], [row[1] for row in rows]
        kept = [row for row in rows if users.count(row[0]) >= least_users and items.count(row[1]) >= least_items]
        if kept == rows:
            return rows
        rows = kept


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abcde"), st.sampled_from("vwxyz")), min_size=1, max_size=25),
       st.integers(1, 4), st.integers(1, 4))  # fmt: skip
def test_the_core_is_iterated_until_nothing_changes(pairs, least_users, least_items):
    rows = [(user, item, time) for time, (user, item) in enumerate(pairs)]
    expected = core_by_hand(rows, least_users, least_items)
    if not expected:
        with pytest.raises(DataError, match="no-interactions"):
            build(source(rows), min_user_events=least_users, min_item_events=least_items)
        return
    dataset = build(source(rows), min_user_events=least_users, min_item_events=least_items)
    log = dataset.log
    got = zip(dataset.users.decode(log.users), dataset.items.decode(log.items), log.times.tolist(), strict=True)
    assert sorted(got, key=lambda row: row[2]) == expected
    assert dataset.facts.notes.get("dropped_few_events", 0) == len(rows) - len(expected)


def test_pairs_are_told_apart_in_a_catalogue_of_over_four_billion_pairs():
    pairs = [(n, n) for n in range(70_000)] + [(61_356, 47_296)]  # 61,356 * 70,000 + 47,296 is 2 ** 32, the pair (0, 0)
    dataset = build(source([(f"{user:05}", f"{item:05}", 1) for user, item in pairs]))
    assert dataset.facts.notes["repeated_events"] == 0


def test_with_nought_those_whom_only_side_files_know_are_kept():
    more = source(LOG, item_side=(side("title", "texts", ["w", "x"], ["신작 (2014)", "X"]),),
                  user_side=(side("gender", "categories", ["d", "a"], ["F", "M"]),))  # fmt: skip
    assert build(more).n_items == 3
    dataset = build(more, min_user_events=0, min_item_events=0)
    assert dataset.users.series.to_list() == ["a", "b", "c", "d"]
    assert dataset.items.series.to_list() == ["w", "x", "y", "z"]
    assert dataset.log.counts.tolist() == [3, 1, 1, 0]
    assert dataset.item_features.texts("title").values == ("신작 (2014)", "X", "", "")
    assert dataset.user_features.categories("gender").labels(3) == ["F"]


def test_side_tables_become_columns_and_strangers_are_counted():
    weights = np.array([1, 2, 3, 4], np.float32)
    dataset = build(source(LOG, item_side=(
        side("genre", "categories", ["z", "x", "z", "q", "z"], ["B", "A", "A", "C", "B"]),
        side("year", "numbers", ["x", "z", "x"], [1999.0, 2001.0, 1950.0]),
        side("tag", "categories", ["x", "y", "y", "q"], ["t", "u", "t", "t"], weights),
    )))  # fmt: skip
    features = dataset.item_features
    assert [features.categories("genre").labels(row) for row in range(3)] == [["A"], [], ["B", "A"]]
    assert np.array_equal(features.numbers("year").values, [1999, np.nan, 2001], equal_nan=True)
    assert features.categories("tag").weights.tolist() == [1, 2, 3]
    notes = dataset.facts.notes
    assert notes["item_genre"] == {"rows": 5, "ids_not_in_the_log": 1, "repeated_and_left_out": 1}
    assert notes["item_year"] == {"rows": 3, "ids_not_in_the_log": 0, "repeated_and_left_out": 1}


def test_missing_years_are_taken_from_titles():
    titles = side("title", "texts", ["x", "y", "z"], ["Heat (1995)", "2001 (the film)", "서편제 (1993) "])
    told = build(source(LOG, item_side=(titles,))).item_features.numbers("year").values
    assert np.array_equal(told, [1995, np.nan, 1993], equal_nan=True)
    known = side("year", "numbers", ["x"], [1901.0])
    mixed = build(source(LOG, item_side=(titles, known))).item_features.numbers("year").values
    assert np.array_equal(mixed, [1901, np.nan, 1993], equal_nan=True)
    assert "year" not in build(source(LOG, item_side=(side("title", "texts", ["x"], ["X"]),))).item_features


def test_rules_that_cannot_be_are_refused():
    for rules, text in (({"min_rating": -1}, "min_rating is -1"), ({"min_user_events": -2}, "min_user_events is -2"),
                        ({"min_item_events": float("inf")}, "min_item_events is inf"),
                        ({"min_rating": float("nan")}, "min_rating is nan"),
                        ({"duplicates": "lst"}, "duplicates is 'lst'; one of keep_all, last, first")):  # fmt: skip
        with pytest.raises(ConfigError, match=text):
            build(source(LOG), **rules)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(-5, 5).map(lambda n: n * 40_000)), max_size=40), st.booleans())
def test_events_are_ordered_as_a_stable_sort_orders_them(events, many):
    users = np.array([user * (30_000 if many else 1) for user, _ in events], np.int64)
    times = np.array([time for _, time in events], np.int64)
    log = Interactions.from_events(users, np.arange(len(users)), times, n_users=100_000, n_items=50)
    assert log.items.tolist() == np.lexsort((times, users)).tolist()
