"""Side files joined by raw id: what is found in a folder, what holds where two say something, and the coverage."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from matinee.data import side
from matinee.data.load import load
from matinee.data.source import Reading, SideTable, Source
from matinee.errors import DataError
from tests.paths import data_folder


def source(item_side: tuple[SideTable, ...] = ()) -> Source:
    return Source(name="x", layout="x", users=pl.Series(["a", "a", "b", "b"]), items=pl.Series(["1", "2", "1", "03"]),
                  times=np.arange(4), item_side=item_side)  # fmt: skip


def write(folder: Path, **files: str) -> Path:
    for name, content in files.items():
        (folder / name.replace("__", ".")).write_text(content, encoding="utf-8")
    return folder


def rows(tables: tuple[SideTable, ...], name: str) -> list[tuple[str, object]]:
    table = next(table for table in tables if table.name == name)
    return list(zip(table.ids.to_list(), table.values.to_list(), strict=True))


def test_a_csv_of_items_by_its_header(tmp_path: Path) -> None:
    content = "movieId,title,genres,minutes,studio\n1,기생충,드라마|스릴러,132,A\n2,Up,가족,96,A\n"
    content += "03,Her,,,B\n3,Not it,x,1,B\n"
    joined = side.join(source(), write(tmp_path, films__csv=content), Reading())
    assert rows(joined.item_side, "title")[:2] == [("1", "기생충"), ("2", "Up")]
    assert rows(joined.item_side, "genre") == [("1", "드라마"), ("1", "스릴러"), ("2", "가족"), ("3", "x")]
    assert rows(joined.item_side, "minutes") == [("1", 132.0), ("2", 96.0), ("3", 1.0)]
    studio = next(table for table in joined.item_side if table.name == "studio")
    assert studio.kind == "categories"  # few values for many items
    genre = joined.notes["joined"][0]["items"]["columns"]["genre"]
    assert genre == {"known": 2, "share": 2 / 3, "event_share": 3 / 4}


def test_one_file_of_users_and_one_row_for_each_label(tmp_path: Path) -> None:
    folder = write(tmp_path, likes__tsv="user\tlikes\tweight\na\tred\t0.5\na\tblue\t2\nz\tred\t1\n")
    joined = side.join(source(), folder / "likes.tsv", Reading())
    assert rows(joined.user_side, "likes") == [("a", "red"), ("a", "blue"), ("z", "red")]
    assert joined.user_side[0].weights is not None
    assert joined.user_side[0].weights.tolist() == [0.5, 2, 1]
    assert joined.notes["joined"][0]["users"]["shared"] == 1


def test_tables_of_events_and_of_other_things_are_left_alone(tmp_path: Path) -> None:
    folder = write(tmp_path, log__csv="user,item\na,1\n", notes__csv="a,b\n1,2\n", years__tsv="item\tyear\n1\t1999\n",
                   empty__csv="", readme__txt="item,title\n1,x\n")  # fmt: skip
    assert [table.name for table in side.join(source(), folder, Reading()).item_side] == ["year"]


def test_what_the_log_says_holds_and_gaps_are_filled(tmp_path: Path) -> None:
    own = SideTable(name="genre", kind="categories", ids=pl.Series(["1", "1"]), values=pl.Series(["Drama", "War"]))
    folder = write(tmp_path, genres__tsv="item\tgenre\n1\tComedy\n2\tComedy\n")
    joined = side.join(source((own,)), folder, Reading())
    assert rows(joined.item_side, "genre") == [("1", "Drama"), ("1", "War"), ("2", "Comedy")]


def test_titles_that_begin_differently_are_shown(tmp_path: Path) -> None:
    own = SideTable(name="title", kind="texts", ids=pl.Series(["1", "2"]), values=pl.Series(["기생충 (2019)", "Up!"]))
    folder = write(tmp_path, titles__tsv="item\ttitle\n1\tParasite\n2\tUP (2009)\n")
    facts = side.join(source((own,)), folder, Reading()).notes["joined"][0]["items"]
    assert (facts["titles_compared"], facts["titles_apart"]) == (2, 1)
    assert facts["titles_apart_examples"] == [{"id": "1", "ours": "기생충 (2019)", "theirs": "Parasite"}]


def test_two_joins_are_both_told(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    first = write(tmp_path / "one", years__tsv="item\tyear\n1\t1999\n")
    second = write(tmp_path / "two", people__csv="user,gender\na,F\n")
    dataset = side.join(side.join(source(), first, Reading()), second, Reading())
    assert [facts["from"] for facts in dataset.notes["joined"]] == ["one", "two"]


def test_nothing_to_join_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no-side-files: no file about items or users in it"):
        side.join(source(), write(tmp_path, log__csv="user,item\na,1\n"), Reading())


def test_nothing_in_common_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nothing-in-common: none of its ids is in the log"):
        side.join(source(), write(tmp_path, years__tsv="item\tyear\n3\t1999\n"), Reading())


def test_recbole_and_uplus_and_movielens_files_are_found(tmp_path: Path) -> None:
    folder = write(
        tmp_path,
        x__item="item_id:token\trelease_year:float\n1\t1999\n",
        x__user="user_id:token\tage:token\na\t25\n",
        movies__dat="1::기생충 (2019)::Drama|Thriller\n",
        profile_data__csv="profile_id,sex,age,pr_interest_keyword_cd_1,pr_interest_keyword_cd_2,pr_interest_keyword_cd_3,"
        "ch_interest_keyword_cd_1,ch_interest_keyword_cd_2,ch_interest_keyword_cd_3\na,F,5,P01,,,,,\n",
    )
    joined = side.join(source(), folder, Reading())
    assert {table.name for table in joined.item_side} == {"title", "genre", "year"}
    assert {table.name for table in joined.user_side} == {"age", "gender", "parent_keyword", "child_keyword"}


def test_the_competitions_files_joined_to_movielens() -> None:
    dataset = load(data_folder("ml-1m"), side=[data_folder("boostcamp-movierec") / "train"])
    items = dataset.facts.notes["joined"][0]["items"]
    assert items["shared"] == 2159
    assert items["event_share"] == pytest.approx(0.937, abs=0.0005)
    assert items["columns"]["director"]["event_share"] == pytest.approx(0.88, abs=0.005)
    assert items["columns"]["writer"]["event_share"] == pytest.approx(0.88, abs=0.005)
    assert items["titles_compared"] == 2159
    assert 0 < items["titles_apart"] < 60
    toy_story = dataset.items.find("1")
    assert dataset.item_features.categories("director").labels(toy_story) == ["nm0005124"]
