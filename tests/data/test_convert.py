"""Writing layouts: there and back gives the same data set, ids stay byte for byte, and losses are said."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matinee.data import convert
from matinee.data.build import build
from matinee.data.dataset import Dataset
from matinee.data.layouts import boostcamp
from matinee.data.load import load
from matinee.data.source import SideTable, Source
from matinee.errors import DataError, UsageError
from tests.paths import data_folder

ODD_IDS = ["007", "7", "한국", "=1+1", "+7", "-7", "@x", 'q"q', '"', "a,b", "a\tb", "a\nb", " pad ", "NA", "null",
           "1e5", "nan", "-0", "é", "e\u0301", "a::b", ":a", "🎬", "\u200b", "1.0"]  # fmt: skip


def dataset(users: list[str], items: list[str], **more: Any) -> Dataset:
    """A data set with one event for each (user, item) pair given."""
    source = Source(
        name="x",
        layout="x",
        users=pl.Series(users, dtype=pl.String),
        items=pl.Series(items, dtype=pl.String),
        times=more.pop("times", np.arange(len(users)) + 1),
        **more,
    )
    return build(source)


def side(name: str, kind: Any, rows: dict[str, Any], weights: list[float] | None = None) -> SideTable:
    listed = {key: values if isinstance(values, list) else [values] for key, values in rows.items()}
    pairs = [(key, value) for key, values in listed.items() for value in values]
    dtype = pl.Float64 if kind == "numbers" else pl.String
    return SideTable(
        name=name,
        kind=kind,
        ids=pl.Series([key for key, _ in pairs], dtype=pl.String),
        values=pl.Series([value for _, value in pairs], dtype=dtype),
        weights=None if weights is None else np.array(weights, np.float32),
    )


def there_and_back(data: Dataset, layout: str) -> Dataset:
    with tempfile.TemporaryDirectory() as folder:
        convert.write(data, Path(folder, "자료"), layout)
        return load(Path(folder, "자료"))


ids = st.one_of(
    st.sampled_from(ODD_IDS),
    st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0\r"), min_size=1, max_size=8),
)
plain_ids = ids.filter(lambda text: "::" not in text and text.strip(":") == text and "\n" not in text)
labels = st.text(st.characters(categories=("L", "N", "P")), min_size=1, max_size=6)


@st.composite
def datasets(draw: st.DrawFn, layout: str) -> Dataset:
    name = plain_ids if layout == "movielens" else ids
    users, items = (draw(st.lists(name, min_size=1, max_size=6, unique=True)) for _ in range(2))
    pairs = draw(st.lists(st.tuples(st.sampled_from(users), st.sampled_from(items)), min_size=1, max_size=20))
    times = np.array(draw(st.lists(st.integers(1, 2_000_000_000), min_size=len(pairs), max_size=len(pairs))))
    columns = {}
    if layout != "boostcamp":
        rating = st.sampled_from([0.5, 1, 3.5, 5])
        columns["rating"] = np.array(draw(st.lists(rating, min_size=len(pairs), max_size=len(pairs))), np.float32)
    words = labels.filter(lambda text: "|" not in text and ":" not in text) if layout == "movielens" else labels
    of_items = {item: draw(st.lists(words, min_size=1, max_size=3, unique=True)) for item in items}
    tables = [side("genre", "categories", of_items)]
    tables.append(side("title", "texts", {item: draw(words) for item in items}))
    if layout != "movielens":
        tables.append(side("year", "numbers", {item: draw(st.integers(1900, 2030)) for item in items[1:]}))
    people = () if layout == "boostcamp" else (side("gender", "categories", dict.fromkeys(users, "F")),)
    if layout == "movielens":
        people += (side("age", "categories", dict.fromkeys(users, "25")),
                   side("occupation", "categories", {users[0]: "1"}))
    return dataset([u for u, _ in pairs], [i for _, i in pairs], times=times, columns=columns, item_side=tuple(tables),
                   user_side=people)  # fmt: skip


@pytest.mark.parametrize("layout", list(convert.TARGETS))
@settings(max_examples=30, deadline=None)
@given(st.data())
def test_there_and_back_is_the_same_data_set(layout: str, data: st.DataObject) -> None:
    before = data.draw(datasets(layout))
    after = there_and_back(before, layout)
    assert after.users.series.to_list() == before.users.series.to_list()
    assert after.items.series.to_list() == before.items.series.to_list()
    assert after.hash == before.hash


@pytest.mark.parametrize("layout", ["boostcamp", "recbole", "table"])
def test_odd_ids_stay_byte_for_byte(layout: str) -> None:
    before = dataset(ODD_IDS, ODD_IDS[::-1])
    assert there_and_back(before, layout).users == before.users


@pytest.mark.parametrize("layout", ["recbole", "table"])
def test_event_columns_weights_and_unknown_numbers_come_back(layout: str) -> None:
    columns = {
        "rating": np.array([0.1, 4, 5], np.float32),
        "watch_seconds": np.array([np.nan, 0.5, 1e6], np.float32),
        "session": np.array([0, 0, 1]),
    }
    keyword = side("keyword", "categories", {"x": ["가족", "우정"], "y": ["우정"]}, [0.25, 0.1, 1 / 3])
    run_time = side("run_time", "numbers", {"x": 0.1, "y": 1e-7})
    before = dataset(["a", "a", "b"], ["x", "y", "x"], columns=columns, item_side=(keyword, run_time))
    after = there_and_back(before, layout)
    assert after.log.columns["session"].dtype == np.int64
    np.testing.assert_array_equal(after.log.columns["watch_seconds"], columns["watch_seconds"])
    assert after.hash == before.hash


def test_recbole_headers_have_types(tmp_path: Path) -> None:
    genre = side("genre", "categories", {"x": ["Sci-Fi", "가족"]})
    title = side("title", "texts", {"x": "그 영화 (1999)"})
    gender = side("gender", "categories", {"a": "F"})
    data = dataset(["a"], ["x"], columns={"rating": np.array([4], np.float32)}, item_side=(genre, title),
                   user_side=(gender,))  # fmt: skip
    written = convert.write(data, tmp_path / "ml", "recbole")
    assert [path.name for path in written] == ["ml.inter", "ml.item", "ml.user"]
    assert written[0].read_text() == "user_id:token\titem_id:token\ttimestamp:float\trating:float\na\tx\t1\t4.0\n"
    assert written[1].read_text() == (
        "item_id:token\tgenre:token_seq\ttitle:token_seq\tyear:float\nx\tSci-Fi 가족\t그 영화 (1999)\t1999\n"
    )
    assert written[2].read_text() == "user_id:token\tgender:token\na\tF\n"


def test_boostcamp_files_and_the_derived_json(tmp_path: Path) -> None:
    genre = side("genre", "categories", {"x": ["드라마", "가족"], "y": ["가족"]})
    director = side("director", "categories", {"y": ["nm1"]})
    written = convert.write(dataset(["a", "a"], ["x", "y"], item_side=(genre, director)), tmp_path / "b", "boostcamp")
    assert {path.name for path in written} == {"train_ratings.csv", "genres.tsv", "directors.tsv", boostcamp.ATTRIBUTES}
    assert (tmp_path / "b/train_ratings.csv").read_text() == "user,item,time\na,x,1\na,y,2\n"
    assert json.loads((tmp_path / "b" / boostcamp.ATTRIBUTES).read_text()) == {"x": [0, 1], "y": [1]}
    assert load(tmp_path / "b").facts.notes["attributes_json"]["disagreeing"] == 0


def test_movielens_without_ratings_writes_ones(tmp_path: Path) -> None:
    convert.write(dataset(["a"], ["x"]), tmp_path / "m", "movielens")
    assert (tmp_path / "m/ratings.dat").read_text() == "a::x::1::1\n"


def test_without_times_none_are_written(tmp_path: Path) -> None:
    before = dataset(["b", "a"], ["x", "y"], times=None)
    convert.write(before, tmp_path / "t", "table")
    assert (tmp_path / "t/interactions.csv").read_text() == "user,item\na,y\nb,x\n"
    assert load(tmp_path / "t").hash == before.hash


@pytest.mark.parametrize(("layout", "raw"), [("movielens", "a::b"), ("movielens", "a\nb"), ("table", "a\rb")])
def test_ids_that_a_layout_cannot_hold_are_refused(tmp_path: Path, layout: str, raw: str) -> None:
    with pytest.raises(DataError, match=f"cannot-carry-id: 1 user ids cannot stand in the {layout} layout"):
        convert.write(dataset([raw], ["x"]), tmp_path / "out", layout)
    assert list(tmp_path.iterdir()) == []


def test_a_layout_that_cannot_be_written_is_named() -> None:
    with pytest.raises(UsageError, match="unknown-layout: cannot write 'recbol'; did you mean recbole"):
        convert.write(dataset(["a"], ["x"]), Path("nowhere"), "recbol")


@pytest.mark.parametrize(
    ("layout", "words"),
    [
        ("boostcamp", "event column 'rating' is left out"),
        ("boostcamp", "item column 'keyword' is left out"),
        ("boostcamp", "user column 'gender' is left out"),
        ("movielens", "item column 'year' is left out; it is found again"),
        ("recbole", "blanks in labels of 'keyword' become underscores"),
        ("table", "sessions are numbered anew"),
        ("table", "items may be recommended again"),
    ],
)
def test_losses_in_words(layout: str, words: str) -> None:
    data = dataset(
        ["a"],
        ["x"],
        columns={"rating": np.ones(1, np.float32), "session": np.ones(1, np.int64)},
        item_side=(side("keyword", "categories", {"x": ["a b", "c"]}, [1, 2]), side("year", "numbers", {"x": 1999})),
        user_side=(side("gender", "categories", {"a": "F"}),),
        repeats=True,
    )
    assert any(words in line for line in convert.losses(data, layout))


def test_no_losses_where_there_are_none() -> None:
    data = dataset(["a"], ["x"], item_side=(side("genre", "categories", {"x": ["드라마"]}),))
    assert [layout for layout in convert.TARGETS if convert.losses(data, layout)] == ["movielens"]  # it needs ratings


def test_a_column_name_cannot_leave_the_folder(tmp_path: Path) -> None:
    data = dataset(["a"], ["x"], item_side=(side("../../evil", "categories", {"x": ["y"]}),))
    written = convert.write(data, tmp_path / "deep" / "out", "table")
    assert {path.parent for path in written} == {tmp_path / "deep" / "out"}
    assert [path.name for path in tmp_path.iterdir()] == ["deep"]


@pytest.mark.parametrize("layout", ["recbole", "table"])
def test_a_real_data_set_there_and_back(layout: str) -> None:
    before = load(data_folder("ml-latest-small"))
    assert not convert.losses(before, "table")
    after = there_and_back(before, layout)
    assert after.log.hash() == before.log.hash()
    if layout == "table":
        assert after.hash == before.hash
