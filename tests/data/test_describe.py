"""The description of a data set, counted by hand on small logs and read on real ones."""

from __future__ import annotations

import json
from typing import Any
from unicodedata import normalize

import numpy as np
import pytest

from matinee.data.columns import Categories, Features, Numbers
from matinee.data.dataset import Dataset, Facts
from matinee.data.describe import describe
from matinee.data.ids import Vocabulary
from matinee.data.interactions import Interactions

DAY = 86_400


def dataset(
    events: list[tuple[str, str, int]],
    columns: dict[str, Any] | None = None,
    repeats: bool = False,
    items: Features | None = None,
) -> Dataset:
    users, films = Vocabulary.of([event[0] for event in events]), Vocabulary.of([event[1] for event in events])
    log = Interactions.from_events(
        users.encode([event[0] for event in events]),
        films.encode([event[1] for event in events]),
        [event[2] for event in events],
        n_users=len(users),
        n_items=len(films),
        columns=columns,
    )
    facts = Facts(name="작은 자료", repeats=repeats, notes={"rows": len(events)})
    return Dataset(log, users, films, items or Features(len(films)), Features(len(users)), facts)


EVENTS = [("a", "x", 0), ("a", "x", 0), ("a", "y", 5), ("b", "x", 9 * DAY), ("b", "y", 12 * DAY), ("c", "x", 9 * DAY)]


def test_counts_by_hand() -> None:
    facts = describe(dataset(EVENTS))
    assert (facts["users"], facts["items"], facts["events"], facts["name"]) == (3, 2, 6, "작은 자료")
    assert facts["pairs"] == {"distinct": 5, "density": 5 / 6, "repeated_events": 1, "repeated_share": 1 / 6,
                              "same_pair_same_time": 1}
    time = facts["time"]
    assert (time["first"], time["last"], time["days"]) == ("1970-01-01T00:00:00Z", "1970-01-13T00:00:00Z", 12)
    assert (time["tied_events"], time["users_within_one_day"], time["users_at_one_moment"]) == (2, 1, 0)
    assert (facts["history"]["min"], facts["history"]["median"], facts["history"]["max"]) == (1, 2, 3)
    assert facts["notes"] == {"rows": 6}


def test_sessions_by_hand() -> None:
    sessions = describe(dataset(EVENTS))["sessions"]
    # a: three events in five seconds; b: two, three days apart; c: one
    assert (sessions["by"], sessions["gap_hours"], sessions["sessions"], sessions["of_one_event"]) == ("gap", 6, 4, 3)
    assert (sessions["median"], sessions["max"]) == (1, 3)
    own = describe(dataset(EVENTS, {"session": np.array([1, 1, 2, 3, 3, 3])}))["sessions"]
    # a: 1 and 2; b: 3; c: 3, which is another one's
    assert (own["by"], own["gap_hours"], own["sessions"], own["median"]) == ("the data", None, 4, 1.5)
    assert describe(dataset([(u, i, 0) for u, i, _ in EVENTS]))["sessions"] is None


def test_popularity_skew_by_hand() -> None:
    rows = [(f"u{user}", f"i{item}", 1) for item, count in enumerate([8, 2, 1, 1]) for user in range(count)]
    popularity = describe(dataset(rows))["popularity"]
    assert popularity["items_under"] == {"2": 2, "10": 4, "50": 4, "200": 4, "500": 4, "1000": 4}
    assert popularity["top_10_percent_share"] == pytest.approx(8 / 12)
    # mean absolute difference of all pairs over twice the mean
    differences = sum(abs(a - b) for a in (8, 2, 1, 1) for b in (8, 2, 1, 1))
    assert popularity["gini"] == pytest.approx(differences / (2 * 16 * 3))


def test_even_popularity_has_gini_zero() -> None:
    rows = [(f"u{user}", f"i{item}", 1) for item in range(5) for user in range(3)]
    assert describe(dataset(rows))["popularity"]["gini"] == pytest.approx(0)


def test_coverage_of_side_columns_by_rows_and_by_events() -> None:
    genre = Categories.from_pairs(np.array([0, 0]), ["드라마", "가족"], 2)
    features = Features(2, {"genre": genre, "year": Numbers(np.array([np.nan, np.nan]))})
    side = describe(dataset(EVENTS, items=features))["item_side"]
    assert side["genre"] == {"kind": "categories", "rows": 1, "share": 0.5, "event_share": 4 / 6, "labels": 2,
                             "labels_a_row": 2.0}
    assert side["year"] == {"kind": "numbers", "rows": 0, "share": 0.0, "event_share": 0.0}


def test_ratings_are_counted_and_unknown_watch_time_left_out() -> None:
    columns = {"rating": np.array([1, 1, 5, 5, 5, 2.5], np.float32),
               "watch_seconds": np.array([np.nan, 1, 2, 3, 4, 5], np.float32)}
    found = describe(dataset(EVENTS, columns))["event_columns"]
    assert found["rating"]["counts"] == {"1": 2, "2.5": 1, "5": 3}
    assert (found["watch_seconds"]["known"], found["watch_seconds"]["max"]) == (5, 5)


@pytest.mark.parametrize(
    ("events", "words"),
    [
        ([(u, i, 0) for u, i, _ in EVENTS], "No times"),
        (EVENTS, "within one day"),
        (EVENTS, "share their second"),
        (EVENTS, "repeat a pair of user and item"),
        (EVENTS, "or fewer"),
        (EVENTS, "fewer than 10 events"),
        ([*EVENTS, (" a", "x", 1)], "begin or end with a blank"),
        ([*EVENTS, (normalize("NFD", "한"), "x", 1), ("한", "x", 2)], "how their letters are encoded"),
        ([*EVENTS, ("=1+1", "x", 1)], "begin with ="),
        ([], "no events"),
    ],
)
def test_warnings_in_words(events: list[tuple[str, str, int]], words: str) -> None:
    assert any(words in line for line in describe(dataset(events))["warnings"])


def test_thin_side_information_is_a_warning() -> None:
    features = Features(2, {"year": Numbers(np.array([np.nan, np.nan]))})
    assert any("'year'" in line for line in describe(dataset(EVENTS, items=features))["warnings"])


def test_repeats_are_no_fault_where_they_are_normal() -> None:
    assert not any("repeat a pair" in line for line in describe(dataset(EVENTS, repeats=True))["warnings"])


@pytest.mark.parametrize("events", [[], EVENTS[:1], EVENTS])
def test_facts_are_plain_json(events: list[tuple[str, str, int]]) -> None:
    facts = describe(dataset(events, {"watch_seconds": np.full(len(events), np.nan, np.float32)}))
    assert json.loads(json.dumps(facts, allow_nan=False)) == facts
