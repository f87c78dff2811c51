"""RecBole's atomic files: types from the header, the usual names, vectors and unknown columns left out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from matinee.data import layouts
from matinee.data.layouts import recbole
from matinee.data.load import load
from matinee.data.source import Reading, SideTable
from matinee.errors import DataError

INTER = "user_id:token\titem_id:token\trating:float\ttimestamp:float\tmood:float\n"
INTER += "196\t242\t3\t881250949\t0.5\n007\t302\t3.5\t891717742\t0.1\n196\t302\t\t881250950\t0.2\n"
ITEM = "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\tposter:float_seq\tcountry:token\n"
ITEM += "242\tKolya 콜랴\t1996\tComedy Drama\t0.1 0.2\t체코 공화국\n302\tL.A. Confidential\t\tCrime\t1 2\t\n"
USER = "user_id:token\tage:token\tgender:token\tincome:float\n196\t49\tM\t\n007\t53\tF\t1e3\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "ml-tiny"
    folder.mkdir()
    for suffix, content in (("inter", INTER), ("item", ITEM), ("user", USER)):
        (folder / f"ml-tiny.{suffix}").write_text(content, encoding="utf-8")
    return folder


def rows(tables: tuple[SideTable, ...], name: str) -> list[tuple[str, object]]:
    table = next(table for table in tables if table.name == name)
    return list(zip(table.ids.to_list(), table.values.to_list(), strict=True))


def test_detected_by_its_log(folder: Path) -> None:
    assert layouts.detect(folder) == layouts.detect(folder / "ml-tiny.inter") == "recbole"
    assert not recbole.detect(folder / "ml-tiny.item")


def test_events(folder: Path) -> None:
    source = recbole.read(folder, Reading())
    assert source.name == "ml-tiny"
    assert source.users.to_list() == ["196", "007", "196"]
    assert source.items.to_list() == ["242", "302", "302"]
    assert source.times is not None
    assert source.times.tolist() == [881250949, 891717742, 881250950]
    np.testing.assert_array_equal(source.columns["rating"], np.array([3, 3.5, np.nan], np.float32))
    assert source.notes == {"columns_left_out": ["mood"]}


def test_side_columns_by_type_and_usual_name(folder: Path) -> None:
    source = recbole.read(folder, Reading())
    assert rows(source.item_side, "title") == [("242", "Kolya 콜랴"), ("302", "L.A. Confidential")]
    assert rows(source.item_side, "year") == [("242", 1996.0)]
    assert rows(source.item_side, "genre") == [("242", "Comedy"), ("242", "Drama"), ("302", "Crime")]
    assert rows(source.item_side, "country") == [("242", "체코 공화국")]
    assert rows(source.user_side, "age") == [("196", "49"), ("007", "53")]
    assert rows(source.user_side, "income") == [("007", 1000.0)]
    assert {table.name for table in source.item_side} == {"title", "year", "genre", "country"}


def test_the_log_alone_is_enough(tmp_path: Path) -> None:
    (tmp_path / "log.inter").write_text("session_id:token\titem_id:token\tuser_id:token\ns9\t1\ta\ns1\t2\ta\n")
    source = recbole.read(tmp_path / "log.inter", Reading())
    assert source.times is None
    assert source.item_side == source.user_side == ()
    first, second = source.columns["session"].tolist()
    assert first != second


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("user_id:token\titem_id\n", "log.inter: untyped-column: column 'item_id' has no type; write NAME:TYPE"),
        ("user_id:token\titem_id:int\n", "untyped-column: column 'item_id:int'"),
        ("user_id:token\tthing:token\n", "no-column: no column 'item_id:token'"),
    ],
)
def test_headers_that_say_too_little(tmp_path: Path, header: str, words: str) -> None:
    (tmp_path / "log.inter").write_text(header + "a\tb\n")
    with pytest.raises(DataError, match=words):
        recbole.read(tmp_path / "log.inter", Reading())


def test_several_logs_in_one_folder(folder: Path) -> None:
    (folder / "other.inter").write_text(INTER)
    assert recbole.read(folder, Reading()).name == "ml-tiny"  # the one called like the folder
    (folder / "ml-tiny.inter").rename(folder / "third.inter")
    with pytest.raises(DataError, match="several-logs: several data sets in one folder: other"):
        recbole.read(folder, Reading())


def test_graded_labels_need_as_many_weights(folder: Path) -> None:
    header = "item_id:token\tkeyword:token_seq\tkeyword_weight:float_seq\n"
    (folder / "ml-tiny.item").write_text(header + "242\t가족 우정\t0.5 1\n")
    keyword = next(iter(recbole.read(folder, Reading()).item_side))
    assert keyword.weights is not None
    assert keyword.weights.tolist() == [0.5, 1]
    (folder / "ml-tiny.item").write_text(header + "242\ta b\t0.5\n")
    with pytest.raises(DataError, match="uneven-weights: keyword of '242' has 2 labels and 1 weights"):
        recbole.read(folder, Reading())
    (folder / "ml-tiny.item").write_text(header + "242\ta b\t0.5 x\n")
    with pytest.raises(DataError, match="bad-number: a weight of keyword of '242' is 'x'"):
        recbole.read(folder, Reading())


def test_becomes_a_data_set(folder: Path) -> None:
    dataset = load(folder)
    assert (dataset.n_users, dataset.n_items, len(dataset.log)) == (2, 2, 3)
    assert dataset.item_features.categories("genre").labels(0) == ["Comedy", "Drama"]
