"""Test rows that training does not know, and test rows that training knows too well."""

from __future__ import annotations

from pathlib import Path

import pytest

from matinee.errors import DataError
from matinee.split.given import Given
from matinee.split.leave_last import LeaveLast
from tests.split.logs import dataset_of, history_of

ROWS = [("u", "a", 10), ("u", "b", 20), ("v", "a", 10), ("v", "c", 20), ("alone", "c", 5)]


def test_D23_users_without_answers_and_answers_without_training_are_counted_apart(tmp_path: Path) -> None:
    answers = tmp_path / "answers.csv"
    answers.write_text("user,item\nu,c\nu,film nobody saw\nstranger,a\n")
    notes = Given(test=answers).split(dataset_of(ROWS)).notes
    assert notes["test"]["users"] == 2  # what every mean is over
    assert notes["test"]["users_with_nothing_hidden"] == 2
    assert notes["unknown"]["test"] == {"users": 1, "items": 1}
    assert notes["test"]["cold_hidden_items"] == 1
    split = LeaveLast().split(dataset_of([*ROWS, ("u", "new", 30)]))
    assert split.notes["test"] == {
        "fit_events": 3, "given_events": 4, "users": 2, "users_with_nothing_hidden": 1, "users_new_to_fit": 0,
        "users_without_history": 0, "hidden_items": 2, "hidden_gap": 0, "hidden_tail": 2,
        "cold_hidden_items": 1, "cold_items": 1,
    }


def test_D25_shared_rows_and_answers_from_the_past_are_refused_unless_allowed(tmp_path: Path) -> None:
    dataset, answers = dataset_of(ROWS), tmp_path / "answers.csv"
    answers.write_text("user,item,time\nu,b,20\nv,b,30\n")
    overlap = (r"answers\.csv: overlap: 1 events of the log are answers, the first of user 'u' with item 'b'; "
               r"take them out of the log, or .* allow_overlap: true")
    with pytest.raises(DataError, match=overlap) as refused:
        Given(test=answers).split(dataset)
    assert refused.value.exit_code == 3
    split = Given(test=answers, allow_overlap=True).split(dataset)
    assert split.notes["overlap"] == {"test": 1}
    assert split.notes["warnings"] == ["1 answers stood in the log or in both files, and were accepted"]
    assert history_of(dataset, split, "test", "u") == ["a"]

    answers.write_text("user,item,time\nu,c,19\nv,b,20\nstranger,b,1\n")
    leak = r"time-leak: 1 of 3 answers are older than what their user is asked with; accept .* by allow_time_leak: true"
    with pytest.raises(DataError, match=leak) as refused:
        Given(test=answers).split(dataset)
    assert refused.value.exit_code == 3
    split = Given(test=answers, allow_time_leak=True).split(dataset)
    assert split.notes["older_than_history"] == {"test": 1}
    assert split.notes["warnings"] == ["1 answers are older than what their user is asked with, and were accepted"]
