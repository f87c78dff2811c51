"""Real files in each layout, found by name and header, with the counts that are known of them."""

from __future__ import annotations

import gzip
import json
import shutil

import numpy as np
import polars as pl
import pytest

from matinee.data import layouts
from matinee.data.layouts.boostcamp import attributes, read_side
from matinee.data.load import load
from matinee.data.source import Reading
from matinee.errors import ConfigError, DataError
from tests.paths import data_folder


def test_ml_1m_has_its_counts_people_and_latin_titles():
    dataset = load(data_folder("ml-1m"))
    assert (len(dataset.log), dataset.n_users, dataset.n_items) == (1_000_209, 6_040, 3_706)
    assert (dataset.log.times.min(), dataset.log.times.max()) == (956_703_932, 1_046_454_590)
    assert dataset.facts.notes["item_title"] == {"rows": 3_883, "ids_not_in_the_log": 177}
    row = dataset.items.find("73")
    assert dataset.item_features.texts("title").values[row] == "Misérables, Les (1995)"
    assert dataset.item_features.categories("genre").labels(row) == ["Drama", "Musical"]
    assert dataset.item_features.numbers("year").values[row] == 1995
    assert dataset.user_features.categories("age").labels(dataset.users.find("1")) == ["1"]


def test_ml_100k_has_its_counts_and_flags_as_genres():
    dataset = load(data_folder("ml-100k"))
    assert (len(dataset.log), dataset.n_users, dataset.n_items) == (100_000, 943, 1_682)
    row = dataset.items.find("1")
    assert dataset.item_features.categories("genre").labels(row) == ["Animation", "Children's", "Comedy"]
    assert "Île" not in dataset.item_features.texts("title").values[row]
    assert dataset.user_features.numbers("age").values[dataset.users.find("1")] == 24
    assert len(load(data_folder("ml-100k") / "ua.test").log) == 9_430


def test_ml_latest_small_has_its_counts_and_weighted_tags():
    dataset = load(data_folder("ml-latest-small"))
    assert (len(dataset.log), dataset.n_users, dataset.n_items) == (100_836, 610, 9_724)
    assert dataset.log.columns["rating"].dtype == np.float32
    tags = dataset.item_features.categories("tag")
    row = dataset.items.find("296")
    heaviest = tags.codes[tags.indptr[row] : tags.indptr[row + 1]][
        tags.weights[tags.indptr[row] : tags.indptr[row + 1]].argmax()]  # fmt: skip
    assert tags.names[heaviest] == "good dialogue"
    assert "(no genres listed)" not in dataset.item_features.categories("genre").names


def test_movietweetings_keeps_its_ids_as_text():
    dataset = load(data_folder("movietweetings"))
    assert (len(dataset.log), dataset.n_users, dataset.n_items) == (141_695, 21_081, 12_611)
    row = dataset.items.find("0002844")
    assert dataset.item_features.texts("title").values[row].startswith("Fantômas - À l'ombre")
    assert not dataset.user_features.columns


def test_boostcamp_side_files_have_their_counts_and_agree_with_the_json(tmp_path):
    shutil.copytree(data_folder("boostcamp-movierec") / "train", tmp_path / "train")
    sample = data_folder("boostcamp-movierec") / "sample/train_ratings_sample.csv"
    shutil.copy(sample, tmp_path / "train/train_ratings.csv")
    dataset = load(tmp_path, min_item_events=0)
    assert (len(dataset.log), dataset.n_users, dataset.n_items) == (43_721, 162, 6_807)
    features, notes = dataset.item_features, dataset.facts.notes
    assert notes["item_director"]["rows"] == 5_905
    assert notes["item_writer"]["rows"] == 11_306
    assert len(features.categories("genre").names) == 18
    assert not features.numbers("year").missing().any()  # eight come from the titles
    assert notes["attributes_json"] == {"items": 6_807, "disagreeing": 0}
    assert load(tmp_path / "train").hash == load(tmp_path / "train/train_ratings.csv").hash == load(tmp_path).hash
    assert len(load(sample).log) == 43_721


@pytest.fixture
def boostcamp(tmp_path):
    (tmp_path / "train_ratings.csv").write_text("user,item,time\n11,b,1\n11,a,2\n")
    (tmp_path / "genres.tsv").write_text("item\tgenre\na\tDrama\na\t가족\nb\t가족\n")
    return tmp_path


def test_attributes_number_genres_in_the_order_of_appearance(boostcamp):
    genres = read_side(boostcamp / "genres.tsv", "genre", "categories", Reading())
    assert attributes(genres) == {"a": [0, 1], "b": [1]}


def test_a_json_that_disagrees_is_told_and_one_that_is_none_is_refused(boostcamp):
    path = boostcamp / "Ml_item2attributes.json"
    path.write_text(json.dumps({"a": [0, 1], "b": [0], "c": [1]}))
    told = load(boostcamp).facts.notes["attributes_json"]
    assert (told["items"], told["disagreeing"]) == (3, 2)
    assert told["warning"] == "Ml_item2attributes.json differs from genres.tsv on 2 items, such as ['b', 'c']"
    for content, text in (("{", "not JSON"), ("[1]", "a list, not an object")):
        path.write_text(content)
        with pytest.raises(DataError, match=f"bad-json: {text}"):
            load(boostcamp)


ROWS = [("u1", "한", 1_425_168_000, 4.5), ("u2", "b", 1_425_168_060, 3.0), ("u1", "b", 1_425_168_120, 1.0)]


def csv_text(header, separator=","):
    return "\n".join(separator.join(map(str, row)) for row in [header, *ROWS]) + "\n"


@pytest.mark.parametrize(
    "header",
    [
        ("user_id", "item_id", "timestamp", "rating"),
        ("userID", "itemID", "time", "Rating"),
        ("user", "movieId", "datetime", "score"),
        ("uid", "iid", "ts", "rating"),
    ],
)
@pytest.mark.parametrize(("name", "separator"), [("a.csv", ","), ("a.tsv", "\t"), ("a.txt", "|"), ("a.csv", ";")])
def test_tables_are_read_by_the_usual_names_and_separators(tmp_path, header, name, separator):
    (tmp_path / name).write_text(csv_text(header, separator))
    dataset = load(tmp_path / name)
    assert dataset.items.series.to_list() == ["b", "한"]
    assert dataset.log.times.tolist() == [1_425_168_000, 1_425_168_120, 1_425_168_060]
    assert dataset.log.columns["rating"].tolist() == [4.5, 1.0, 3.0]


def test_a_table_is_the_same_as_csv_gzip_and_parquet(tmp_path):
    text = csv_text(("user", "item", "timestamp", "weight"))
    (tmp_path / "a.csv").write_text(text)
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(text.encode()))
    frame = pl.DataFrame(ROWS, schema=["user", "item", "timestamp", "weight"], orient="row")
    frame.write_parquet(tmp_path / "a.parquet")
    as_dates = frame.with_columns(pl.from_epoch("timestamp"), pl.col("user").cast(pl.Categorical))
    as_dates.write_parquet(tmp_path / "dates.parquet")
    hashes = {load(path).hash for path in sorted(tmp_path.iterdir())}
    assert len(hashes) == 1
    assert load(tmp_path / "a.csv").log.columns["weight"].tolist() == [4.5, 1.0, 3.0]


def test_columns_of_a_table_may_be_named(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("item,product,at,s\n1,7,2015-03-01,k\n2,7,2015-03-02,k\n")
    columns = {"user": "item", "item": "product", "time": "at", "time_unit": "iso", "session": "s"}
    dataset = load(path, reading=Reading(columns=columns))
    assert dataset.users.series.to_list() == ["1", "2"]
    assert dataset.log.columns["session"].tolist() == [0, 0]
    assert dataset.facts.notes["columns"] == {"user": "item", "item": "product", "time": "at", "session": "s"}
    with pytest.raises(ConfigError, match="columns has no role 'itm'; did you mean 'item'"):
        load(path, reading=Reading(columns={"itm": "product"}))
    with pytest.raises(DataError, match=r"no column 'prodct'.*did you mean 'product'"):
        load(path, reading=Reading(columns={"item": "prodct"}))


def test_a_table_without_times_keeps_the_order_of_the_file(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("user,item\na,z\nb,y\na,x\n")
    dataset = load(path)
    assert dataset.items.decode(dataset.log.items).to_list() == ["z", "x", "y"]
    assert "order of the file" in dataset.facts.notes["times"]


def test_parquet_that_is_none_or_holds_no_text_is_refused(tmp_path):
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(b"PAR1 and nothing more")
    with pytest.raises(DataError, match=r"bad-parquet: not a Parquet file"):
        load(broken)
    lists = tmp_path / "lists.parquet"
    pl.DataFrame({"user": [["a"]], "item": ["x"]}).write_parquet(lists)
    with pytest.raises(DataError, match=r"bad-column: column 'user' holds List\(String\)"):
        load(lists)
    missing = tmp_path / "missing.parquet"
    pl.DataFrame({"user": ["a", None], "item": [1, 2]}).write_parquet(missing)
    with pytest.raises(DataError, match=r"missing\.parquet:2:1: empty-id"):
        load(missing)


def test_what_is_in_no_layout_names_all_that_was_looked_for(tmp_path):
    (tmp_path / "notes.md").write_text("nothing")
    with pytest.raises(DataError, match="unknown-layout") as caught:
        layouts.detect(tmp_path)
    assert all(f"{name}: " in str(caught.value) for name in layouts.LAYOUTS)
