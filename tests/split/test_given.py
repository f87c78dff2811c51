"""Somebody else's answers, by raw id."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from matinee.errors import DataError
from matinee.split.given import Given
from tests.split.logs import dataset_of, hidden_of, history_of

ROWS = [("007", "살인의 추억", 10), ("007", "b", 20), ("7", "b", 10), ("7", "c", 20), ("8", "c", 5)]


def file(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_answers_are_joined_by_raw_id(tmp_path: Path) -> None:
    test = file(tmp_path, "test.csv", "user,item\n007,c\n7,살인의 추억\n007,c\n"
                                      "nobody,b\n7,unknown film\nnobody,x\nsomebody,x\n")
    dataset = dataset_of(ROWS)
    split = Given(test=test).split(dataset)
    assert list(split.stages) == ["test"]
    assert hidden_of(dataset, split, "test") == {"007": {"c": "all"}, "7": {"살인의 추억": "all"}}
    truth = split.stages["test"].truth
    assert truth.users.tolist() == [-1, -1, 0, 1]
    assert truth.counts.tolist() == [2, 1, 1, 2]
    assert (truth.items < 0).sum() == 3
    assert split.stages["test"].fit.all()
    assert split.stages["test"].given.all()
    notes = split.notes
    assert notes["unknown"] == {"test": {"users": 2, "items": 2}}
    assert (notes["test"]["users"], notes["test"]["users_with_nothing_hidden"]) == (4, 1)
    assert (notes["test"]["users_new_to_fit"], notes["test"]["cold_hidden_items"]) == (2, 3)
    assert split.settings["test"] == str(test)
    assert notes["warnings"] == []


def test_two_files_and_tab_separated_values(tmp_path: Path) -> None:
    valid = file(tmp_path, "valid.tsv", "item\tuser\na\t8\n")
    test = file(tmp_path, "test.csv", "user,item\n8,b\n")
    dataset = dataset_of([*ROWS, ("9", "a", 1)])
    protocol = Given(valid=valid, test=test)
    split = protocol.split(dataset)
    assert hidden_of(dataset, split, "valid") == {"8": {"a": "all"}}
    assert hidden_of(dataset, split, "test") == {"8": {"b": "all"}}
    assert protocol.files == (valid, test)
    assert Given(test=test).files == (test,)


def test_accepted_overlap_is_hidden_from_the_log(tmp_path: Path) -> None:
    valid, test = file(tmp_path, "valid.csv", "user,item\n7,b\n"), file(tmp_path, "test.csv", "user,item\n7,c\n")
    dataset = dataset_of(ROWS)
    split = Given(valid=valid, test=test, allow_overlap=True).split(dataset)
    assert history_of(dataset, split, "valid", "7") == []
    assert history_of(dataset, split, "test", "7") == ["b"]
    assert (split.stages["test"].fit.sum(), split.stages["test"].given.sum()) == (3, 4)
    assert split.notes["overlap"] == {"valid": 1, "test": 1, "files": 0}
    assert split.notes["warnings"] == ["2 answers stood in the log or in both files, and were accepted"]
    refitted = Given(valid=valid, test=test, allow_overlap=True, refit=True).split(dataset)
    assert np.array_equal(refitted.stages["test"].fit, refitted.stages["test"].given)


def test_one_answer_in_both_files_is_refused(tmp_path: Path) -> None:
    valid = file(tmp_path, "valid.csv", "user,item\n8,b\n")
    test = file(tmp_path, "test.csv", "user,item\n8,b\n8,살인의 추억\n")
    with pytest.raises(DataError, match=r"valid\.csv: overlap: 1 pairs are answers of both valid and test"):
        Given(valid=valid, test=test).split(dataset_of(ROWS))
    split = Given(valid=valid, test=test, allow_overlap=True).split(dataset_of(ROWS))
    assert split.notes["overlap"]["files"] == 1


def test_where_items_repeat_only_the_very_event_is_an_overlap(tmp_path: Path) -> None:
    dataset = dataset_of(ROWS, repeats=True)
    test = file(tmp_path, "test.csv", "user,item\n7,c\n")
    split = Given(test=test).split(dataset)
    assert history_of(dataset, split, "test", "7") == ["b", "c"]
    timed = file(tmp_path, "timed.csv", "user,item,time\n7,c,20\n7,c,99\n")
    with pytest.raises(DataError, match=r"overlap: 1 events of the log are answers, .* of user '7' with item 'c'"):
        Given(test=timed).split(dataset)
    hidden = Given(test=timed, allow_overlap=True).split(dataset)
    assert history_of(dataset, hidden, "test", "7") == ["b"]


@pytest.mark.parametrize(("text", "message"), [
    ("user,item\n7,\n", r"test\.csv:2:3: empty-id"),
    ("who,item\n7,b\n", r"test\.csv:1: no-column: no column 'user'; found 'who', 'item'"),
    ("user,item\n7,b,c\n", r"test\.csv:2"),
    ("user,item\n", "nothing-hidden: given on 5 events: the test part would be empty"),
    ("user,item,time\n7,a,soon\n", r"test\.csv:2:5: bad-time"),
])
def test_a_bad_file_is_refused_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        Given(test=file(tmp_path, "test.csv", text)).split(dataset_of(ROWS))
