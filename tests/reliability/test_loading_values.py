"""Values that are not what they should be, and logs of an extreme shape (rows D19 to D22, D24, D26, D30)."""

from __future__ import annotations

import time

import numpy as np
import polars as pl
import pytest

from matinee.data.build import build
from matinee.data.load import load
from matinee.data.source import Reading, Source
from matinee.errors import ConfigError
from tests.reliability.files import HEADER, at, loaded, pairs, refused, written

RATED = b"user,item,rating\n"


@pytest.mark.parametrize("value", [b"NaN", b"inf", b"", b'"1,5"', b"0x10", b"1e400", b"five", b"\xd9\xa5"])
def test_D19_ratings_that_are_no_finite_number_or_negative_are_refused(tmp_path, value):
    error = refused(tmp_path, RATED + b"a,x,4.5\nb,y," + value + b"\n", "bad-number")
    assert at(error) == (3, 5)
    assert f"rating is {value.decode().strip(chr(34))!r}" in str(error)
    negative = refused(tmp_path, RATED + b"a,x,4.5\nb,y,-1\n", "too-small")
    assert at(negative) == (3, 5)
    assert "rating is '-1': below 0" in str(negative)


GOOD_TIMES = {
    b"1425168000": 1425168000,
    b"1425168000.75": 1425168000,
    b"1425168000123": 1425168000,
    b"1425168000123456": 1425168000,
    b"1425168000123456789": 1425168000,
    b"2015-03-01": 1425168000,
    b"2015-03-01 00:00:00": 1425168000,
    b"2015-03-01T09:00:00.5+09:00": 1425168000,
    b"2015-03-01T00:00Z": 1425168000,
}
BAD_TIMES = [b"-5", b"1425168000.5", b"1425168000000", b"2015-03-01", b"253402300799", b"9223372036854775808", b"",
             b"soon"]  # fmt: skip
MIXTURES = [(b"1425168000123", b"1425168000"), (b"2015-03-01", b"1425168000"), (b"2015-03-01", b"2015-02-30"),
            (b"2015-03-01T00:00Z", b"2015-03-01T00:00"), (b"2015-03-01", b"9999-01-01")]  # fmt: skip


def test_D20_times_have_one_unit_and_a_mixture_is_refused(tmp_path):
    for text, seconds in GOOD_TIMES.items():
        assert loaded(tmp_path, HEADER + b"a,x," + text + b"\n").log.times.tolist() == [seconds], text
    for text in BAD_TIMES:
        error = refused(tmp_path, HEADER + b"a,x,1425168000\nb,y," + text + b"\n", "bad-time")
        assert at(error) == (3, 5)
        assert f"time is {text.decode()!r}: not a whole number of s between 1970 and 2100" in str(error)
    for first, other in MIXTURES:
        assert at(refused(tmp_path, HEADER + b"a,x," + first + b"\nb,y," + other + b"\n", "bad-time")) == (3, 5)
    path = written(tmp_path, b"user,item,at\na,x,5000\n")
    assert load(path, reading=Reading(columns={"time": "at", "time_unit": "ms"})).log.times.tolist() == [5]
    with pytest.raises(ConfigError, match="time_unit is 'h'"):
        load(path, reading=Reading(columns={"time": "at", "time_unit": "h"}))


def test_D21_duplicates_follow_the_declared_policy_and_are_counted(tmp_path):
    rows = b"a,x,20,1\na,x,10,2\na,x,20,3\na,y,5,4\na,y,5,4\nb,x,1,5\nb,z,25,6\nb,z,15,7\n"
    path = written(tmp_path, b"user,item,time,rating\n" + rows)
    kept = {policy: load(path, duplicates=policy) for policy in ("keep_all", "last", "first")}
    assert len(kept["keep_all"].log) == 8
    assert kept["last"].log.columns["rating"].tolist() == [4, 3, 5, 6]
    assert kept["first"].log.columns["rating"].tolist() == [4, 2, 5, 7]
    for policy, dataset in kept.items():
        notes = dataset.facts.notes
        assert (notes["rows_read"], notes["repeated_events"], notes["repeated_rows"]) == (8, 4, 2)
        assert notes["duplicates"] == policy
        assert notes.get("dropped_duplicates", 0) == 8 - len(dataset.log)


@pytest.mark.parametrize("rows", [b"a,x,1\n", b"a,x,1\na,y,2\n", b"a,x,1\nb,x,2\n", b"a,x,1\na,y,2\nb,x,3\nb,y,4\n"])
def test_D22_the_smallest_and_the_fullest_logs_load(tmp_path, rows):
    dataset = loaded(tmp_path, HEADER + rows)
    assert len(dataset.log) == rows.count(b"\n")
    assert dataset.log.matrix().nnz == rows.count(b"\n")


def test_D24_equal_times_keep_the_order_of_the_file(tmp_path):
    rows = [(user, f"i{n}") for n, user in enumerate("abacbcabca" * 20)]
    content = HEADER + "".join(f"{user},{item},7\n" for user, item in rows).encode()
    assert pairs(loaded(tmp_path, content)) == sorted(rows, key=lambda row: row[0])


def _source(n: int, shape: str) -> Source:
    rng = np.random.default_rng(0)
    numbers = rng.permutation(n)
    users = np.zeros(n, np.int64) if shape == "one user" else (n * rng.power(0.2, n)).astype(np.int64)
    items = numbers if shape != "power law" else (n * rng.power(0.2, n)).astype(np.int64)
    times = rng.integers(0, 10**9, n)
    return Source(name="big", layout="table", users=pl.Series(users).cast(pl.String),
                  items=pl.Series(items).cast(pl.String), times=times)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("shape", ["one user", "distinct items", "power law"])
def test_D26_building_is_linear_in_the_rows(shape):
    sources, best = (_source(60_000, shape), _source(240_000, shape)), np.full((2, 2), np.inf)
    for _ in range(6):  # in turns, so that a busy machine slows all alike
        for at_size, source in enumerate(sources):
            texts = source.items.to_numpy().astype(bytes)
            building = _seconds(lambda: build(source, min_user_events=2, min_item_events=0, duplicates="last"))  # noqa: B023
            best[at_size] = np.minimum(best[at_size], (building, _seconds(lambda: np.sort(texts))))  # noqa: B023
    # Two doublings, and how much slower this machine's caches are at the larger size: sorting the ids tells.
    growth, of_sorting = best[1] / best[0]
    assert growth < (2.6 / 2) ** 2 * of_sorting  # a quadratic step would be 16 times as long, sorting takes 5


def _seconds(work) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def test_D30_titles_are_kept_as_they_stand(tmp_path):
    written(tmp_path, HEADER + b"a,x,1\na,y,2\na,z,3\n", "train_ratings.csv")
    titles = ['<script>alert("1")</script>', "=1+1", "긴 제목 " * 2500]
    rows = "".join(f"{item}\t{title}\n" for item, title in zip("xyz", titles, strict=True))
    (tmp_path / "titles.tsv").write_text("item\ttitle\n" + rows, encoding="utf-8")
    assert list(load(tmp_path).item_features.texts("title").values) == titles
