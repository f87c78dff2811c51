"""Figures of the survey against those counted event by event."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from matinee.data.zones import on_the_clock
from matinee.split import GapAndTail
from matinee.survey.activity import activity
from matinee.survey.eras import eras
from matinee.survey.figures import UNITS, bins_of, percent
from matinee.survey.genres import genre_shares
from matinee.survey.hidden import hidden
from matinee.survey.histories import histories
from matinee.survey.popularity import popularity
from matinee.survey.seasons import seasons
from matinee.survey.sittings import STEPS, sittings
from matinee.survey.taste import LEAST_EVENTS, taste
from matinee.survey.thresholds import thresholds
from matinee.survey.ties import ties
from tests.reference import survey as slow
from tests.survey.logs import DAYS, I, dataset, events, labels, years

ROWS = events()
COUNTS = [Counter(item for _, item, _ in ROWS)[item] for item in range(I)]


@pytest.mark.parametrize(("days", "unit"), list(zip((3, 100, DAYS, 3000, 9000), UNITS, strict=True)))
def test_activity_by_the_calendar(days: int, unit: str) -> None:
    rows = events(days=days)
    found = activity(dataset(rows).log)
    assert found["unit"] == unit
    for name, want in slow.activity(rows, unit).items():
        assert {start: n for start, n in zip(found["starts"], found[name], strict=True) if n} == want
    assert found["peak"]["events"] == max(found["events"])
    assert sum(found["new_users"]) == len({user for user, _, _ in rows})


def test_the_first_day_of_a_bin_is_the_first_of_all_that_is_in_it() -> None:
    times = np.sort(np.random.default_rng(4).integers(0, 4 * 10**8, 500))
    for span in (3600 * 20, 86_400 * 150, 86_400 * 900, 86_400 * 3000, 4 * 10**8):
        some = times % span
        unit, at, starts = bins_of(some)
        assert [starts[bin_] for bin_ in at] == slow.starts(some.tolist(), unit)


def test_silence_and_the_busiest_day() -> None:
    rows = [(0, 0, 86_400 * day) for day in (10, 11, 11, 15, 40, 41)]
    found = activity(dataset(rows).log)
    assert found["longest_silence"] == {"days": 24, "from": "1970-01-17"}
    assert found["busiest_day"] == {"day": "1970-01-12", "events": 2, "share": 1 / 3}
    assert (found["days_with_events"], found["median_day"]) == (5, 1)


def test_lengths() -> None:
    found = histories(dataset(ROWS, users=70).log)
    lengths = sorted(len(one) for one in slow.histories(ROWS).values())
    assert (found["users"], found["users_without_events"], found["shortest"], found["longest"]) == (
        60, 10, lengths[0], lengths[-1])
    assert sum(found["counts"]) == 60
    assert found["counts"] == [sum(low <= n < high for n in lengths)
                               for low, high in pairwise(found["edges"])]
    assert found["shorter_than"]["10"] == sum(n < 10 for n in lengths) / 60
    assert found["busiest_tenth_share"] == sum(lengths[-6:]) / len(ROWS)


def test_popularity_is_the_mean_difference_of_all_pairs() -> None:
    found = popularity(dataset(ROWS))
    assert found["gini"] == pytest.approx(slow.gini(COUNTS))
    assert found["top"] == {str(top): pytest.approx(slow.top_share(COUNTS, top)) for top in (1, 5, 10, 20)}
    held = np.cumsum(sorted(COUNTS, reverse=True))
    assert held[found["half_held_by"] - 1] >= len(ROWS) / 2 > held[found["half_held_by"] - 2]
    rising = np.cumsum([0, *sorted(COUNTS)]) / len(ROWS)
    assert found["lorenz"]["events"] == pytest.approx(rising.tolist())
    first, most = COUNTS.index(max(COUNTS)), max(COUNTS)
    assert found["heads"][0] == {"item": f"i{first:04}", "title": f"영화 {first}", "events": most,
                                 "users_share": most / 60}


def test_thresholds() -> None:
    rows = thresholds(dataset(ROWS).log)["rows"]
    assert [row["least"] for row in rows] == [1, 2, 3, 5, 10, 20, 50]
    for row in rows:
        assert (row["items"], row["events"], row["users"]) == slow.threshold(ROWS, row["least"])
        assert row["events_share"] == row["events"] / len(ROWS)


@pytest.mark.parametrize("days", [1, 30, DAYS])
def test_spans_and_ties(days: int) -> None:
    rows = events(days=days, seconds=3600)
    found, wanted = sittings(dataset(rows).log), slow.spans(rows)
    limits = [0, *(limit for _, limit in STEPS)]
    assert list(found["spans"].values()) == [sum(low <= span < high for span in wanted)
                                             for low, high in pairwise(limits)]
    assert found["within_one_day"] == sum(span < 86_400 for span in wanted)
    tied, sizes = ties(dataset(rows).log), slow.group_sizes(rows)
    assert tied["tied_events"] == sum(size for size in sizes if size > 1)
    assert (tied["groups"]["4 to 5"], tied["largest"]) == (sum(size for size in sizes if size in {4, 5}), max(sizes))
    assert (tied["newest_unsure"], tied["resolution"]) == (slow.unsure(rows), "seconds")
    assert tied["steps_without_order_share"] == (len(rows) - len(sizes)) / (len(rows) - 60)


def test_times_of_whole_days_are_told() -> None:
    rows = [(user, item, time // 86_400 * 86_400) for user, item, time in ROWS]
    assert ties(dataset(rows).log)["resolution"] == "days"
    assert seasons(dataset(rows).log)["hour"] == {"absent": "times are whole days"}


def test_seasons_count_visits_for_the_time_there_was() -> None:
    found = seasons(dataset(ROWS).log)
    for name, place in (("hour", lambda at: at.hour), ("weekday", lambda at: at.weekday()),
                        ("month", lambda at: at.month - 1)):
        counts, hours = slow.visits(ROWS, place), slow.covered(ROWS, place)
        rates = [counts.get(at, 0) / hours[at] for at in range(len(hours))]
        assert found[name]["rates"] == pytest.approx([rate / sum(rates) for rate in rates])
        assert found[name]["visits"] == [counts.get(at, 0) for at in range(len(hours))]
    assert "absent" in seasons(dataset(events(days=200)).log)["month"]


@pytest.mark.parametrize("zone", ["Asia/Seoul", "America/New_York"])  # without and with a summer time
def test_seasons_are_those_of_the_zone_asked_for(zone: str) -> None:
    found, there = seasons(dataset(ROWS).log, zone), ZoneInfo(zone)
    for name, place in (("hour", lambda at: at.astimezone(there).hour),
                        ("weekday", lambda at: at.astimezone(there).weekday()),
                        ("month", lambda at: at.astimezone(there).month - 1)):
        counts, hours = slow.visits(ROWS, place), slow.covered(ROWS, place)
        rates = [counts.get(at, 0) / hours[at] for at in range(len(hours))]
        assert found[name]["rates"] == pytest.approx([rate / sum(rates) for rate in rates])
    assert found["hour"] != seasons(dataset(ROWS).log)["hour"]
    assert (found["zone"], seasons(dataset(ROWS).log)["zone"]) == (zone, "UTC")


def test_dates_are_the_same_in_every_zone_and_midnights_there_are_dates_too() -> None:
    dates = dataset([(user, item, time // 86_400 * 86_400) for user, item, time in ROWS]).log
    assert seasons(dates, "America/New_York") == seasons(dates)
    assert seasons(dates)["zone"] is None
    there = dataset([(user, item, time // 86_400 * 86_400 - 9 * 3600) for user, item, time in ROWS]).log
    assert seasons(there, "Asia/Seoul")["hour"] == {"absent": "times are whole days"}
    assert seasons(there, "Asia/Seoul")["weekday"]["visits"] == seasons(dates)["weekday"]["visits"]


@pytest.mark.parametrize("zone", ["UTC", "Asia/Seoul", "Asia/Kathmandu", "Europe/Dublin", "Australia/Lord_Howe"])
def test_clocks_of_a_zone_are_those_of_the_calendar(zone: str) -> None:
    times = np.random.default_rng(0).integers(0, 2**31, 2_000)
    shown = [datetime.fromtimestamp(time, ZoneInfo(zone)).replace(tzinfo=UTC) for time in times.tolist()]
    assert on_the_clock(times, zone).tolist() == [int(one.timestamp()) for one in shown]


def test_genres_and_eras() -> None:
    data = dataset(ROWS)
    found, own = genre_shares(data), labels()
    wanted = slow.mixture([item for _, item, _ in ROWS], own)
    assert {row["label"]: row["events_share"] for row in found["labels"]} == pytest.approx(wanted)
    catalogue = slow.mixture([item for item in range(I) if COUNTS[item]], own)
    assert {row["label"]: row["items_share"] for row in found["labels"]} == pytest.approx(catalogue)
    first = sorted(ROWS, key=lambda row: row[2])[: len(ROWS) // 4]
    quarter = slow.mixture([item for _, item, _ in first], own)
    assert found["over_time"]["shares"]["드라마"][0] == pytest.approx(quarter["드라마"], abs=0.01)
    released, era = years(), eras(data)
    assert dict(zip(era["years"], era["events"], strict=True))[1999] == sum(
        released[item] == 1999 for _, item, _ in ROWS)
    aged = slow.ages(ROWS, released)
    assert era["age"]["years"]["20 to 39"] == sum(20 <= age < 40 for age in aged)
    assert sum(era["age"]["years"].values()) == len(aged)
    assert era["since"]["1970"] == sum(released[item] >= 1970 for _, item, _ in ROWS) / len(aged)
    assert era["median_year"] == sorted(released[item] for _, item, _ in ROWS if released[item])[len(aged) // 2]


def test_early_and_late_halves() -> None:
    rows = events(users=150)
    found = taste(dataset(rows))
    assert found["genres"]["early_late"] == pytest.approx(slow.early_and_late(rows, labels(), LEAST_EVENTS))
    decades = [[f"{year // 10}0s"] if year else [] for year in years()]
    assert found["decades"]["early_late"] == pytest.approx(slow.early_and_late(rows, decades, LEAST_EVENTS))
    assert abs(found["genres"]["lost"]) < 2 * found["genres"]["lost_half_width"], "nothing drifts in a log drawn by lot"


def test_a_taste_that_is_left_behind_is_seen() -> None:
    own = labels()
    some, others = ([item for item in range(I) if (own[item][:1] == ["드라마"]) == side] for side in (True, False))
    rng = np.random.default_rng(8)
    still, moving = [], []
    for user in range(80):
        mine = (some, others)[user % 2]
        times = np.sort(rng.integers(10**9, 10**9 + 10**8, 24)).tolist()
        still += [(user, int(item), time) for item, time in zip(rng.choice(mine, 24), times, strict=True)]
        turned = [*rng.choice(mine, 12), *rng.choice((others, some)[user % 2], 12)]
        moving += [(user, int(item), time) for item, time in zip(turned, times, strict=True)]
    stays, turns = (taste(dataset(rows))["genres"] for rows in (still, moving))
    assert abs(stays["lost"]) < 2 * stays["lost_half_width"]
    assert stays["shuffled"] > stays["strangers"] + 0.05
    assert turns["lost"] > 5 * turns["lost_half_width"]


def test_what_is_hidden_by_tenths_of_popularity() -> None:
    data = dataset(ROWS)
    split = GapAndTail().split(data)
    found, stage = hidden(data, split), split.stages["test"]
    learnt = Counter(data.log.items[stage.fit].tolist())
    assert found["popularity"]["hidden"] == pytest.approx(slow.tenths(learnt, stage.truth.items.tolist(), I))
    assert found["popularity"]["learnt"] == pytest.approx(slow.tenths(learnt, list(learnt.elements()), I))
    own = labels()
    one, two = (slow.mixture(items, own) for items in (list(learnt.elements()), stage.truth.items.tolist()))
    assert found["genres"]["apart"] == pytest.approx(1 - slow.common(one, two))
    assert found["in_history"] == 0
    gone = [(row, bool(given)) for row, given in zip(ROWS, stage.given, strict=True)]
    newest = {user: max(time for (who, _, time), given in gone if who == user and given) for user in range(60)}
    older = [time < newest[user] for (user, _, time), given in gone if not given]
    assert found["times"]["older_than_own_share"] == sum(older) / len(older)
    assert found["times"]["median_learnt"] == str(datetime.fromtimestamp(
        float(np.median(data.log.times[stage.fit])), UTC).date())


def test_a_draw_from_the_training_part_is_no_shift() -> None:
    rows = events(users=400)
    shift = hidden(dataset(rows), GapAndTail(tail=0.0, fraction=0.4).split(dataset(rows)))["genres"]
    assert shift["apart"] < 3 * shift["by_chance"]


@pytest.mark.parametrize(("share", "words"), [(0, "0 %"), (1, "100 %"), (0.0001, "under 0.1 %"), (0.034, "3.4 %"),
                                              (0.0996, "10 %"), (0.34, "34 %"), (0.994, "99.4 %"),
                                              (0.9999, "over 99.9 %")])
def test_shares_in_words(share: float, words: str) -> None:
    assert percent(share) == words
