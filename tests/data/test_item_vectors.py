"""Files of item vectors: what is read, what is refused and where, and how vectors stand beside a data set."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from matinee.data.ids import Vocabulary
from matinee.data.item_vectors import ItemVectors, known, read, with_vectors, write
from matinee.data.load import load
from matinee.errors import DataError

IDS = ["7", "007", "기생충", "a,b"]
VALUES = np.array([[1, 2], [3, 4], [-0.5, 1e-3], [5, 6]], np.float32)


def a_file(folder: Path, name: str, text: str) -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def same(found: ItemVectors) -> bool:
    aligned = found.aligned(Vocabulary.of(IDS))
    return bool((aligned == VALUES[np.argsort([raw.encode() for raw in IDS])]).all())


def test_what_is_written_is_read(tmp_path: Path) -> None:
    vectors = ItemVectors.of(pl.Series(IDS), VALUES)
    write(tmp_path / "v.parquet", vectors)
    found = read(tmp_path / "v.parquet")
    assert same(found)
    assert found.hash == vectors.hash != ItemVectors.of(pl.Series([*IDS[:3], "b"]), VALUES).hash
    assert pl.read_parquet(tmp_path / "v.parquet").schema == {"item": pl.String, "vector": pl.Array(pl.Float32, 2)}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("v.csv", 'item,v0,v1\n7,1,2\n007,3,4\n기생충,-.5,1e-3\n"a,b",5,6\n'),
        ("v.csv", 'v0,movie_id,v1\n1,7,2\n3,007,4\n-.5,기생충,1e-3\n5,"a,b",6\n'),
        ("v.tsv", "item\tv0\tv1\n7\t1\t2\n007\t3\t4\n기생충\t-.5\t1e-3\na,b\t5\t6\n"),
        ("v.csv", 'item,vector\n7,"[1, 2]"\n007,"[3.0,4]"\n기생충,"[-0.5, 0.001]"\n"a,b","(5; 6)"\n'),
        ("v.tab", "item\tvector\n7\t1 2\n007\t3  4\n기생충\t -0.5 1e-3\na,b\t5 6\n"),
    ],
)
def test_tables_by_others_are_read(tmp_path: Path, name: str, text: str) -> None:
    assert same(read(a_file(tmp_path, name, text)))


def test_parquet_by_others_is_read(tmp_path: Path) -> None:
    frame = pl.DataFrame({"item_id": IDS, "x": VALUES[:, 0].astype(np.float64), "y": VALUES[:, 1]})
    frame.write_parquet(tmp_path / "columns.parquet")
    assert same(read(tmp_path / "columns.parquet"))
    lists = pl.DataFrame({"item": IDS, "title": ["t"] * 4, "embedding": VALUES.astype(np.float64).tolist()})
    lists.write_parquet(tmp_path / "lists.parquet")
    assert same(read(tmp_path / "lists.parquet"))


def test_whole_numbers_stand_for_their_text_in_parquet(tmp_path: Path) -> None:
    pl.DataFrame({"item": [7, 8], "x": [1, 2]}).write_parquet(tmp_path / "v.parquet")
    found = read(tmp_path / "v.parquet").aligned(Vocabulary.of(["007", "7", "8"]))
    assert found[:, 0].tolist()[1:] == [1, 2]
    assert np.isnan(found[0, 0])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("item,v0,v1\na,1,2\nb,1,x\n", r"v.csv:3:5: bad-number: v1 is 'x': not a finite number"),
        ("item,v0,v1\na,1,2\nb,,1\n", r"v.csv:3:3: bad-number: v0 is ''"),
        ("item,v0\na,nan\n", r"v.csv:2:3: bad-number: v0 is 'nan'"),
        ("item,v0,v1\na,1e39,2\n", r"v.csv:2:3: too-large: v0 is '1e39'"),
        ("item,v0\na,1\nb,2\na,3\n", r"v.csv:4:1: double-id: item is 'a': this item has a vector already"),
        ("item,v0\n,1\n", r"v.csv:2:1: empty-id"),
        ("item,v0,v1\na,1\n", r"v.csv:2.*bad-width"),
        ("film,v0\na,1\n", r"no-column: no column 'item'; found 'film', 'v0'"),
        ("item\na\n", r"no-vectors: there are ids and no numbers"),
        ("item,v0\n", r"empty-file: there is no vector"),
        ('item,vector\na,"[1, 2]"\nb,"[1, 2, 3]"\n', r"v.csv:3:3: uneven-vectors: .*not the 2 numbers"),
        ('item,vector\na,"[1, 2]"\nb,"[1, two]"\n', r"v.csv:3:3: bad-number: vector is '\[1, two\]'"),
        ("item,vector\na,\n", r"v.csv:2:3: bad-number: vector is ''"),
    ],
)
def test_a_bad_row_is_refused_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        read(a_file(tmp_path, "v.csv", text))


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (pl.DataFrame({"item": ["a", "b"], "x": [1.0, float("nan")]}), r"v.parquet:2: bad-number: item 'b': no finite"),
        (pl.DataFrame({"item": ["a", "b"], "x": [1.0, None]}), r"v.parquet:2: bad-number"),
        (pl.DataFrame({"item": ["a"], "x": [1e39]}), r"v.parquet:1: bad-number"),
        (pl.DataFrame({"item": ["a", "a", "a"], "x": [1, 2, 3]}), r"v.parquet:2: double-id: .* \(2 such rows\)"),
        (pl.DataFrame({"item": ["a", None], "x": [1, 2]}), r"v.parquet:2: empty-id"),
        (pl.DataFrame({"item": ["a", "b"], "x": [[1.0], [1.0, 2.0]]}), r"v.parquet:2: uneven-vectors: .*not 1 numbers"),
        (pl.DataFrame({"item": ["a", "b"], "x": [[1.0], [None]]}), r"v.parquet:2: bad-number"),
        (pl.DataFrame({"item": ["a"], "x": [[]]}, schema_overrides={"x": pl.List(pl.Float64)}), "no-vectors"),
        (pl.DataFrame({"item": ["a"], "x": ["1"]}), r"no-vectors: beside the ids there are x; give one column"),
        (pl.DataFrame({"item": ["a"]}), r"no-vectors: beside the ids there are no columns"),
        (pl.DataFrame({"item": [1.0], "x": [1]}), r"no-column: .*found 'item' \(Float64\)"),
        (pl.DataFrame({"item": [], "x": []}, schema={"item": pl.String, "x": pl.Float64}), "empty-file"),
    ],
)
def test_bad_parquet_is_refused(tmp_path: Path, frame: pl.DataFrame, said: str) -> None:
    frame.write_parquet(tmp_path / "v.parquet")
    with pytest.raises(DataError, match=said):
        read(tmp_path / "v.parquet")


def test_what_is_no_file_of_vectors_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"unknown-format: 'v.npy' is no file of vectors; one of .parquet, .csv"):
        read(a_file(tmp_path, "v.npy", ""))
    with pytest.raises(DataError, match="bad-parquet"):
        read(a_file(tmp_path, "v.parquet", "item,v0\na,1\n"))
    with pytest.raises(DataError, match="no-file"):
        read(tmp_path / "none.csv")


def test_beside_a_data_set(tmp_path: Path) -> None:
    log = a_file(tmp_path, "log.csv", "user,item,time\nu,007,1\nu,7,2\nv,x,3\nv,y,4\n")
    data = load(log)
    file = a_file(tmp_path, "v.csv", "item,a,b\n7,1,2\n007,0,0\nstranger,5,5\ny,3,4\n")
    joined = with_vectors(data, "v.csv", file)
    vectors = joined.item_vectors["v.csv"]
    assert known(vectors).tolist() == [False, True, False, True]  # 007 7 x y; zeros say nothing
    assert vectors[[1, 3]].tolist() == [[1, 2], [3, 4]]
    assert joined.with_log(joined.log).item_vectors == joined.item_vectors
    with pytest.raises(DataError, match="nothing-in-common: of 1 items with a vector none is in the data"):
        with_vectors(data, "w", a_file(tmp_path, "w.csv", "item,a\n7.0,1\n"))


def test_the_hash_of_a_data_set_knows_its_vectors(tmp_path: Path) -> None:
    data = load(a_file(tmp_path, "log.csv", "user,item,time\nu,a,1\nu,b,2\n"))
    one, two = (ItemVectors.of(pl.Series(["a", "b"]), np.array([[1.0], [x]])) for x in (2.0, 3.0))
    hashes = {data.hash, *(with_vectors(data, name, it).hash for name in "vw" for it in (one, two))}
    assert len(hashes) == 5
    assert with_vectors(data, "v", one).hash == with_vectors(data, "v", one).hash
