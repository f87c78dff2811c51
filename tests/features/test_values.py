"""What each feature says, against plain loops over one user, one item, one pair at a time."""

from __future__ import annotations

import math
from collections import Counter
from datetime import UTC, datetime

import numpy as np
import pytest

from matinee.contract import Queries
from matinee.data.columns import Categories, Features, Numbers, Texts
from matinee.data.dataset import Dataset
from matinee.data.ids import Vocabulary
from matinee.data.interactions import Interactions
from matinee.features.feature import COLUMN
from matinee.features.fitted import OF_THE_LOG, learn
from matinee.features.registry import feature
from tests.features.people import data, everybody

DAY, YEAR = 86_400, 365.2425 * 86_400


def film_data(years: list[float], titles: list[str], **labels: list[list[str]]) -> Dataset:
    """Films with these years, titles and labels, and a log of one user who had them all."""
    n = len(years)
    columns = {name: Categories.from_pairs(np.repeat(np.arange(n), [len(one) for one in rows]),
                                           [label for one in rows for label in one], n)
               for name, rows in labels.items()}
    items = Features(n, {"year": Numbers(np.array(years)), "title": Texts(tuple(titles)), **columns})
    log = Interactions.from_events(np.zeros(n), np.arange(n), np.arange(n) * DAY + DAY, n_users=1, n_items=n)
    return Dataset(log, Vocabulary.of(["u"]), Vocabulary.of(f"{i:02}" for i in range(n)), items, Features(1))


def column(name: str, train: Dataset):
    return learn(name, train)[COLUMN if feature(name).scope == "item" else OF_THE_LOG]


def histories() -> list[tuple[int, list[int], list[int]]]:
    """Each user of the toy: row, items and times of the events."""
    log = data().log
    return [(u, log.items[a:b].tolist(), log.times[a:b].tolist())
            for u, (a, b) in enumerate(zip(log.indptr[:-1], log.indptr[1:], strict=True))]


def test_eras_are_those_of_the_report() -> None:
    train = film_data([1919, 1920, 1949, 1950, 1969, 1970, 1979, 1980, 1999, 2000, np.nan], ["x"] * 11)
    found = column("era", train)
    assert [int(found.labels(i)[0][0]) for i in range(10)] == [1, 2, 2, 3, 3, 4, 4, 5, 5, 6]
    assert found.labels(10) == []


def test_a_year_that_is_missing_stands_in_the_title() -> None:
    train = film_data([np.nan, 1990, np.nan], ["기생충 (2019)", "Heat (1995)", "Alien"])
    np.testing.assert_array_equal(column("release_year", train).values, [2019, 1990, np.nan])
    assert [column("decade", train).labels(i) for i in range(3)] == [["2010"], ["1990"], []]


def test_directors_and_writers_stand_in_for_each_other() -> None:
    train = film_data([1990, 1991, 1992], ["a", "b", "c"], director=[["봉"], [], []], writer=[["한"], ["김", "이"], []])
    assert [column("director", train).labels(i) for i in range(3)] == [["봉"], ["김", "이"], []]
    assert [column("writer", train).labels(i) for i in range(3)] == [["한"], ["김", "이"], []]
    alone = film_data([1990], ["a"], director=[["봉"]])
    assert column("writer", alone).labels(0) == ["봉"]


def test_tastes() -> None:
    train, genres = data(), data().item_features.categories("genre")
    years = train.item_features.numbers("year").values
    top, least = column("top_genre", train), column("least_genre", train)
    for user, items, _ in histories():
        counts = Counter(label for item in set(items) for label in genres.labels(item))
        order = sorted(counts, key=lambda label: (-counts[label], label.encode()))
        assert top.labels(user) == [order[0]]
        assert least.labels(user) == [min(counts, key=lambda label: (counts[label], label.encode()))]
        mine = [years[item] for item in set(items) if not math.isnan(years[item])]
        often = Counter(mine)
        said = [column(name, train).values[user] for name in ("oldest_year", "newest_year", "frequent_year")]
        assert said == [min(mine), max(mine), min(often, key=lambda year: (-often[year], year))]
        if user > 20:
            break


def test_spans_and_calendar() -> None:
    train = data()
    first, last, span = (column(name, train).values for name in ("user_first_year", "user_last_year", "user_span"))
    names = {"last_month": "%m", "last_day": "%d", "last_weekday": "%a", "last_hour": "%H"}
    calendar = {name: column(name, train) for name in names}
    for user, _, times in histories():
        assert first[user] == pytest.approx(1970 + min(times) / YEAR)
        assert last[user] == pytest.approx(1970 + max(times) / YEAR)
        assert span[user] == pytest.approx(math.log1p((max(times) - min(times)) / DAY))
        at = datetime.fromtimestamp(max(times), UTC)
        assert {name: calendar[name].labels(user) for name in names} == {
            name: [at.strftime(form)] for name, form in names.items()}


def test_items_over_time() -> None:
    train = data()
    users_of = Counter(item for _, items, _ in histories() for item in set(items))
    events = {item: [t for _, items, times in histories() for i, t in zip(items, times, strict=True) if i == item]
              for item in range(48)}
    newest = max(max(times) for times in events.values())
    for item, times in events.items():
        calendar = Counter(math.floor(1970 + t / YEAR) for t in times)
        want = {"item_count": math.log1p(users_of[item]), "item_first_year": 1970 + min(times) / YEAR,
                "item_last_year": 1970 + max(times) / YEAR,
                "item_peak_year": min(calendar, key=lambda year: (-calendar[year], year)),
                "item_recent_share": sum(t > newest - 365 * DAY for t in times) / len(times)}
        if item % 8 == 0:
            assert {name: pytest.approx(column(name, train).values[item]) for name in want} == want


def test_pairs() -> None:
    train, queries = data(), everybody(data()).take(np.arange(12))
    years = train.item_features.numbers("year").values
    asked = np.tile(np.arange(0, 48, 3, dtype=np.int32), (12, 1))
    said = {name: feature(name).of_pairs(feature(name).fit(train), queries, asked)
            for name in ("genre_affinity", "director_affinity", "release_gap", "release_gap_difference")}
    genres, directors = (train.item_features.categories(name) for name in ("genre", "director"))
    for user, items, times in histories()[:12]:
        for place, item in enumerate(asked[user].tolist()):
            others = set(items) - {item}
            share = [sum(g in genres.labels(i) for i in others) / len(others) for g in genres.labels(item)]
            by = [sum(d in directors.labels(i) for i in others) for d in directors.labels(item)]
            rest = [(i, 1970 + t / YEAR) for i, t in zip(items, times, strict=True) if i != item]
            gap = max(max(t for _, t in rest) - years[item], 0)
            typical = np.mean([max(t - years[i], 0) for i, t in rest if not math.isnan(years[i])])
            want = {"genre_affinity": np.mean(share), "director_affinity": math.log1p(np.mean(by)),
                    "release_gap": gap, "release_gap_difference": gap - typical}
            for name, value in want.items():
                np.testing.assert_allclose(said[name][user, place], value, rtol=1e-9, atol=1e-9, err_msg=name)


def test_counts_and_tenths() -> None:
    train = data()
    counts = train.log.counts
    assert column("user_count", train).values == pytest.approx(np.log1p(counts))
    tenths = column("user_percentile", train).codes
    assert (np.diff(tenths[np.argsort(counts)]) >= 0).all()
    shares = np.bincount(column("item_percentile", train).codes, minlength=10) / 48
    assert shares.max() <= 0.25
    crowd = Queries.of(Interactions.from_events(np.zeros(300), np.arange(300) % 48, n_users=1, n_items=48))
    known = learn("user_percentile", train)
    assert feature("user_percentile").column(known, crowd).labels(0) == ["10/10"]
