"""Checks find what was planted, tell how much of it, and find nothing in clean data."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from matinee.data.describe import describe
from matinee.split import ByTime, GapAndTail, Given
from matinee.survey import odd_rows, odd_split, odd_times
from matinee.survey.hidden import hidden
from matinee.survey.whole import survey
from tests.reference.survey import Event
from tests.survey.logs import START, I, dataset, events, years

DAY = 86_400
CLEAN = events(users=200, days=400)
AT_NIGHT = START // DAY * DAY + 100 * DAY


def found(rows: list[Event], **changes: Any) -> dict[str, Any]:
    """Findings by id, of a log and its default split."""
    data = dataset(rows, **changes)
    return {one["id"]: one for one in survey(data, GapAndTail().split(data))["findings"]}


def test_clean_data_have_nothing_to_look_at() -> None:
    levels = {id_: one["level"] for id_, one in found(CLEAN, numbers=np.arange(I)[::-1] % 7).items()}
    assert {id_: level for id_, level in levels.items() if level in {"look", "alarm"}} == {}
    assert {id_ for id_, level in levels.items() if level == "unchecked"} == {"answers_in_log"}
    assert {id_ for id_, level in levels.items() if level == "design"} == {"older_than_history", "learnt_later"}
    assert len(levels) == 20


def burst(user: int, n: int, step: int) -> list[Event]:
    return [(user, at % I, AT_NIGHT + at // step) for at in range(n)]


PLANTED: dict[str, tuple[list[Event], int, str]] = {
    "bulk_seconds": (burst(300, 12, 12), 12, "user u0300: 12 at"),
    "machine_speed": (burst(300, 61, 1) + burst(301, 70, 2), 2, "user u0301: 70 events in all"),
    "crowded_seconds": ([(300 + at, 3, AT_NIGHT + 5) for at in range(9)], 1, "9 users at"),
    "half_dated": ([(300 + at, at % I, AT_NIGHT + at * DAY) for at in range(60)], 60, ""),
    "spikes": ([(300 + at, at % I, AT_NIGHT + 1000 + 7 * at) for at in range(400)], 1, "events"),
    "silences": ([(300, 5, START + 600 * DAY)], 1, "days from"),
    "one_day_dumps": ([(300 + at // 2, at % 2, AT_NIGHT + 400 * at) for at in range(140)], 70, ""),
    "doubles": ([*CLEAN[:3]], 3, ""),
    "repeated_pairs": ([(user, item, time + 7000) for user, item, time in CLEAN[:9]], 9, ""),
    "twin_users": ([(user + 300, item, time + 5000) for user, item, time in CLEAN if user in {4, 5}], 2,
                   "u0004 and u0304"),
    "giants": ([(300, at % I, AT_NIGHT + 5000 * at) for at in range(1200)], 1, "user u0300: 1,200 events"),
}


@pytest.mark.parametrize("what", PLANTED)
def test_what_was_planted_is_found_and_counted(what: str) -> None:
    rows, count, example = PLANTED[what]
    one = found([*CLEAN, *rows], repeats=what == "giants")[what]
    assert one["level"] in {"look", "alarm"}
    assert one["count"] == count
    assert any(example in text for text in one["examples"]) or not example
    assert one["what"]
    assert found(CLEAN)[what]["level"] == "clean"


def test_items_before_their_release() -> None:
    item = years().index(max(years()))
    early = [(300, item, 1_000_000_000)]  # 2001
    one = found([*CLEAN, *early])["before_release"]
    assert (one["count"], one["level"]) == (1, "look")
    assert one["examples"] == [f"영화 {item} ({max(years())}): 1"]
    assert found(CLEAN, side=False)["before_release"]["level"] == "unchecked"


def test_one_film_under_two_ids() -> None:
    same = [at for at, year in enumerate(years()) if year == years()[0]] or [0]
    titles = [f"film {at}" for at in range(I)]
    unknown = [at for at, year in enumerate(years()) if not year][:2]
    titles[unknown[0]], titles[unknown[1]] = "Solaris ", "solaris"
    assert same
    one = found(CLEAN, titles=titles)["namesakes"]
    assert (one["count"], one["level"]) == (2, "look")
    titles[unknown[1]], titles[(unknown[1] + 1) % I] = "other", "solaris"  # of another year
    assert found(CLEAN, titles=titles)["namesakes"]["level"] == "clean"


def test_a_column_that_was_counted_from_the_log() -> None:
    counts = np.bincount([item for _, item, _ in CLEAN], minlength=I)
    one = found(CLEAN, numbers=np.log1p(counts + 3.0))["telling_columns"]
    assert (one["level"], one["count"]) == ("alarm", 1)
    assert one["examples"] == ["votes: rank correlation 1.00"]


def test_rank_correlation_shares_ranks_of_equal_values() -> None:
    rng = np.random.default_rng(0)
    one, two = rng.integers(0, 9, 50).astype(float), rng.integers(0, 9, 50)

    def ranks(values: Any) -> list[float]:
        return [sum(other < value for other in values) + (sum(other == value for other in values) + 1) / 2
                for value in values]

    want = np.corrcoef(ranks(one.tolist()), ranks(two.tolist()))[0, 1]
    assert odd_rows.rank_correlation(one, two) == pytest.approx(want)
    assert odd_rows.rank_correlation(np.ones(50), two) == 0


def test_ids_that_are_easily_mistaken() -> None:
    facts = describe(dataset(CLEAN))
    facts["ids"]["users"]["formula_start"] = 2
    (one,) = (finding for finding in odd_rows.odd_rows(dataset(CLEAN), facts) if finding.id == "odd_ids")
    assert (one.count, one.level) == (2, "look")


def test_answers_that_stand_in_the_log_and_answers_from_before(tmp_path: Any) -> None:
    rows = [row for row in CLEAN if row[1] < I - 1]
    last = {user: time for user, _, time in rows}
    answers = [(0, I - 1, last[0] + 9), (1, I - 1, last[1] - 9), (rows[0][0], rows[0][1], last[0] + 9)]
    file = tmp_path / "hidden.csv"
    file.write_text("user,item,time\n" + "".join(f"u{user:04},i{item:04},{time}\n" for user, item, time in answers))
    data = dataset(rows)
    split = Given(test=file, allow_overlap=True, allow_time_leak=True).split(data)
    told = {one.id: one for one in odd_split.odd_split(data, split, hidden(data, split))}
    assert (told["answers_in_log"].level, told["answers_in_log"].count) == ("alarm", 1)
    assert told["older_than_history"].level == "alarm"
    assert told["cold_answers"].count == 2
    assert told["answers_given"].level == "clean"


def test_a_leak_into_the_histories_is_an_alarm() -> None:
    data = dataset(CLEAN)
    split = GapAndTail().split(data)
    facts = hidden(data, split)
    told = {one.id: one for one in odd_split.odd_split(data, split, {**facts, "in_history": 4})}
    assert (told["answers_given"].level, told["answers_given"].count) == ("alarm", 4)
    stage = split.stages["test"]
    stage.given[:] = True
    assert hidden(data, split)["in_history"] == len(stage.truth.items)


def test_a_split_by_time_learns_nothing_from_later() -> None:
    data = dataset(CLEAN)
    split = ByTime().split(data)
    told = {one.id: one for one in odd_split.odd_split(data, split, hidden(data, split))}
    assert (told["older_than_history"].level, told["learnt_later"].level) == ("clean", "clean")


def test_a_busy_hour_is_no_crowd() -> None:
    rows = [(user, user % I, AT_NIGHT + int(second))
            for user, second in enumerate(np.random.default_rng(0).integers(0, 3600, 7200))]
    (one,) = (finding for finding in odd_times.odd_times(dataset(rows)) if finding.id == "crowded_seconds")
    assert one.level == "clean"
    assert np.bincount([time - AT_NIGHT for _, _, time in rows]).max() >= odd_times.CROWD


def test_without_times_checks_of_times_say_so() -> None:
    one = dataset([(user, item, 0) for user, item, _ in CLEAN])
    assert {finding.what for finding in odd_times.odd_times(one)} == {"the data have no times"}
    whole = [(user, item, time // DAY * DAY) for user, item, time in CLEAN]
    levels = [finding.level for finding in odd_times.odd_times(dataset(whole))]
    assert levels == ["unchecked"] * 4 + ["clean"] * 4
