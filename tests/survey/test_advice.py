"""Advice rests on figures that stand where it points, names only what there is, and fits the data."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest

from matinee import catalog
from matinee.data.confidence import CONFIDENCES
from matinee.data.dataset import Dataset
from matinee.data.load import load
from matinee.errors import DataError
from matinee.ranking.filters import FILTERS
from matinee.split import PROTOCOLS, GapAndTail
from matinee.survey import advice, odd_rows, odd_split, odd_times
from matinee.survey.whole import survey
from tests.survey.logs import START, dataset, events

DAY = 86_400
SETTINGS = {"preset: global_time", "horizon: 1", "duplicates: last", "repeats: true", "matinee compare",
            "seen_before", "seen@10"}


def surveyed(data: Dataset) -> dict[str, Any]:
    return survey(data, GapAndTail().split(data))


def texts(found: dict[str, Any]) -> str:
    return " ".join(one["text"] for one in found["advice"])


def test_every_name_in_backticks_is_one_of_ours() -> None:
    known = {*catalog.names(), *CONFIDENCES, *FILTERS, *PROTOCOLS, *SETTINGS}
    names = set()
    for module in (advice, odd_rows, odd_split, odd_times):
        tree = ast.parse(Path(str(module.__file__)).read_text())
        docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        strings = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in docs]
        names |= set(re.findall(r"`([^`]+)`", " ".join(text for text in strings if isinstance(text, str))))
    assert len(names) > 15
    assert names - known == {"min_item_events:  "}, "its number is of the data"


def test_lists_typed_in_are_told_from_lives() -> None:
    lives = surveyed(dataset(events(users=100, days=900)))
    assert "Order means something" in texts(lives)
    typed = [(user, item, START + user * DAY + at // 3) for at, (user, item, _) in enumerate(events(users=100))]
    told = texts(surveyed(dataset(sorted(typed, key=lambda row: row[0]))))
    assert "Hide gaps as well as ends" in told
    assert "Do not rely on `leave_last`" in told
    assert "Order means something" not in told


def test_where_the_newest_is_unsure_no_other_line_asks_for_it() -> None:
    dates = surveyed(dataset(events(users=100, days=30, seconds=DAY)))
    assert dates["sittings"]["within_one_day_share"] < advice.GROWN
    assert "Do not rely on `leave_last`" in texts(dates)
    assert "Order means something here: `by_time` asks" in texts(dates)
    assert texts(dates).count("`leave_last`") == 1


def test_without_times_there_is_nothing_next() -> None:
    found = surveyed(dataset([(user, item, 0) for user, item, _ in events()]))
    assert "Split by `random_ratio`" in texts(found)
    assert "by time" not in texts(found)
    absent = {name for name, subject in found.items() if isinstance(subject, dict) and "absent" in subject}
    assert absent == {"activity", "sittings", "ties", "seasons", "taste"}


def test_without_side_tables_the_rest_is_there() -> None:
    found = surveyed(dataset(events(users=100), side=False))
    absent = {name for name, subject in found.items() if isinstance(subject, dict) and "absent" in subject}
    assert absent == {"genres", "eras"}
    assert found["taste"]["genres"] == {"absent": "the items have no genres"}
    assert found["hidden"]["decades"] == {"absent": "the items have no release years"}


def test_an_alarm_comes_first() -> None:
    rows = events(users=100)
    found = surveyed(dataset([*rows, *rows[:400]]))
    assert found["advice"][0]["about"] == "data"
    assert {reason["words"] for reason in found["advice"][0]["because"]} == {
        one["what"] for one in found["findings"] if one["level"] == "alarm"}


@pytest.mark.parametrize("rows", [[], [(0, 0, 5)], [(0, 0, 0), (1, 1, 0)], [(0, 0, 5), (0, 1, 5)]])
def test_next_to_nothing_is_surveyed_too(rows: list[tuple[int, int, int]]) -> None:
    data = dataset(rows, items=2, side=False)
    found = survey(data, None, "nothing would be hidden")
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert found["hidden"] == {"absent": "nothing would be hidden"}


@pytest.mark.parametrize("source", ["synthetic:120x60", "synthetic-uplus:150x60", "synthetic:5x4"])
def test_every_source_gives_plain_json(source: str) -> None:
    data = load(source)
    found = surveyed(data) if data.n_users > 5 else survey(data, None, "nothing would be hidden")
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_having_the_same_again_is_told_where_that_is_normal() -> None:
    rows = [(user, item % 5, time) for user, item, time in events(users=100)]
    assert "have the same again" in texts(surveyed(dataset(rows, repeats=True)))
    assert "have the same again" not in texts(surveyed(dataset(rows)))


def test_protocols_that_cannot_be_used_say_why() -> None:
    rows = surveyed(dataset([(user, item, 0) for user, item, _ in events(users=8)]))["protocols"]["rows"]
    assert rows["by_time"] == {"absent": "it needs times"}
    assert rows["random_ratio"]["older_than_own_share"] is None
    with pytest.raises(DataError):
        PROTOCOLS["by_time"]().split(dataset([(0, 0, 5)], items=2, side=False))
