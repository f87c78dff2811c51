"""Lists from files that somebody else made."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from matinee.data.ids import Vocabulary
from matinee.data.interactions import Interactions
from matinee.ensemble.external import read_lists
from matinee.errors import DataError
from tests.ensemble.tables import rows_of

USERS, ITEMS = Vocabulary.of(["007", "7", "민지"]), Vocabulary.of([f"film {n}" for n in range(6)] + ["기생충"])


def read(folder: Path, text: str, name: str = "lists.csv", **options):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    lists, counts = read_lists(path, USERS, ITEMS, **options)
    rows = {USERS[user]: [ITEMS[item] for item in items] for user, items in rows_of(lists).items()}
    return lists, rows, counts


def test_a_submission_is_read_in_the_order_of_its_rows(tmp_path: Path) -> None:
    lists, rows, counts = read(
        tmp_path, "user,item\n민지,기생충\n007,film 2\n민지,film 0\n007,film 1\n7,film 5\n7,other\nstranger,film 1\n"
                  "stranger,film 2\n민지,기생충\n")
    assert rows == {"007": ["film 2", "film 1"], "7": ["film 5"], "민지": ["기생충", "film 0"]}
    assert counts == {"rows": 9, "unknown_users": 1, "unknown_items": 1, "rows_of_unknown": 3, "repeated_rows": 1,
                      "seen_rows": 0, "rows_past_depth": 0}
    assert lists.scores[0].tolist() == [1.0, 0.5]
    assert not lists.filled.any()


def test_scores_order_large_first_and_are_kept(tmp_path: Path) -> None:
    lists, rows, _ = read(tmp_path, "item,score,user\nfilm 1,-2.5,7\nfilm 2,0.5,7\nfilm 3,1e300,7\nfilm 4,-2.5,7\n")
    assert rows == {"7": ["film 3", "film 2", "film 1", "film 4"]}
    assert lists.scores[0, 1:].tolist() == [0.5, -2.5, -2.5]
    assert np.isfinite(lists.scores).all()


def test_ranks_order_small_first_and_go_before_scores(tmp_path: Path) -> None:
    lists, rows, _ = read(tmp_path, "user_id\tmovieId\trank\tscore\n7\tfilm 1\t10\t9\n7\tfilm 2\t9\t1\n", "lists.tsv")
    assert rows == {"7": ["film 2", "film 1"]}
    assert lists.scores[0].tolist() == [1.0, 0.5]


def test_of_a_repeated_item_the_better_place_counts(tmp_path: Path) -> None:
    _, rows, counts = read(tmp_path, "user,item,score\n7,film 1,1\n7,film 2,2\n7,film 1,3\n")
    assert rows == {"7": ["film 1", "film 2"]}
    assert counts["repeated_rows"] == 1


def test_seen_items_are_left_out_on_request(tmp_path: Path) -> None:
    seen = Interactions.from_events([1], [int(ITEMS.encode(["film 1"])[0])], n_users=3, n_items=7)
    _, rows, counts = read(tmp_path, "user,item\n7,film 1\n7,film 2\n007,film 1\n", seen=seen)
    assert rows == {"007": ["film 1"], "7": ["film 2"]}
    assert counts["seen_rows"] == 1


def test_only_the_first_hundred_places_are_kept(tmp_path: Path) -> None:
    items = Vocabulary.of([str(n) for n in range(150)])
    path = tmp_path / "long.csv"
    path.write_text("user,item\n" + "".join(f"7,{n}\n" for n in range(150)))
    lists, counts = read_lists(path, USERS, items)
    assert lists.items.shape == (1, 100)
    assert items[int(lists.items[0, 99])] == "99"
    assert counts["rows_past_depth"] == 50


@pytest.mark.parametrize(("text", "message"), [
    ("user,item,score\n7,film 1,0.5\n7,film 2,nan\n", r"lists\.csv:3:10: bad-number: score is 'nan'"),
    ("user,item,rank\n7,film 1,first\n", r"lists\.csv:2:10: bad-number: rank is 'first'"),
    ("user,film\n7,film 1\n", r"lists\.csv:1: no-column: no column 'item'"),
    ("user,item\n7\n", r"lists\.csv:2"),
    ("user,item\nx,film 1\n7,y\n", "no-lists: none of 2 rows has a user and an item of this data set"),
    ("user,item\n", "no-lists: none of 0 rows"),
])
def test_a_bad_file_is_refused_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(tmp_path, text)
