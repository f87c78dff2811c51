"""`matinee data embed-titles`: what it writes and tells, and what it refuses before any work."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from matinee.data.item_vectors import read
from matinee.data.load import load
from matinee.numerics.start_vectors import narrowed
from matinee.numerics.title_vectors import title_vectors
from tests.cli.commands import Said, matinee

__all__ = ["matinee"]

Matinee = Callable[..., Said]


@pytest.fixture
def films(tmp_path: Path) -> Path:
    """Five events over four items, one of which has no title, one of which has an empty one."""
    folder = tmp_path / "films"
    folder.mkdir()
    (folder / "train_ratings.csv").write_text("user,item,time\n1,7,1\n1,007,2\n2,7,3\n2,x,4\n2,y,5\n")
    (folder / "titles.tsv").write_text("item\ttitle\n7\tHeat (1995)\n007\t기생충 (2019)\nx\t\n", encoding="utf-8")
    return folder


def test_titles_by_tf_idf(matinee: Matinee, films: Path, tmp_path: Path) -> None:
    said = matinee("data", "embed-titles", films, "--out", tmp_path / "v.parquet", "--dim", "8")
    assert said.code == 0
    assert said.out.splitlines()[1] == "2 of 4 items, 60.0% of the events, 8 numbers each, by tfidf"
    assert said.error == "note: 2 items have no title, such as 'x', 'y'"
    data, found = load(films), read(tmp_path / "v.parquet")
    assert found.items.series.to_list() == ["007", "7"]
    np.testing.assert_array_equal(found.aligned(data.items), title_vectors(data.item_features, 8))
    assert read_of_default(matinee, films, tmp_path).values.shape == (2, 64)


def read_of_default(matinee: Matinee, films: Path, folder: Path) -> Any:
    assert matinee("data", "embed-titles", films, "--out", folder / "w.parquet").code == 0
    return read(folder / "w.parquet")


def test_vectors_from_elsewhere_are_joined_and_cut(matinee: Matinee, films: Path, tmp_path: Path) -> None:
    (tmp_path / "bert.csv").write_text("item,a,b,c\n7,1,0,3\ny,2,0,1\nx,4,1,5\nstranger,0,0,1\n")
    words = ["data", "embed-titles", films, "--encoder", tmp_path / "bert.csv", "--out", tmp_path / "v.parquet"]
    said = matinee(*words)
    assert said.out.splitlines()[1].startswith("3 of 4 items, 80.0% of the events, 3 numbers each, by ")
    assert said.error == "note: 1 items have no row in the file, such as '007'"
    assert read(tmp_path / "v.parquet").values.tolist() == [[1, 0, 3], [4, 1, 5], [2, 0, 1]]
    assert matinee(*words, "--dim", "2", "--overwrite").code == 0
    rows = np.array([[1, 0, 3], [4, 1, 5], [2, 0, 1]], np.float32)
    np.testing.assert_array_equal(read(tmp_path / "v.parquet").values, narrowed(rows, 2))


def test_an_encoder_that_is_not_installed(
    matinee: Matinee, films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "wordllama", None)
    said = matinee("data", "embed-titles", films, "--encoder", "wordllama", "--out", tmp_path / "v.parquet")
    assert said.code == 2
    assert said.error == ("not-installed: the encoder wordllama needs a package that is not installed; "
                          "pip install 'matinee[text]', or take tfidf")
    assert not (tmp_path / "v.parquet").exists()


def test_an_encoder_of_sentences_gets_the_titles_that_there_are(
    matinee: Matinee, films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    class Model:
        def __init__(self, cache_dir: Path, disable_download: bool) -> None:
            assert (cache_dir, disable_download) == (Path("/somewhere"), True)

        def embed(self, texts: list[str], norm: bool) -> np.ndarray:
            asked.extend(texts)
            return np.arange(len(texts) * 3, dtype=np.float32).reshape(-1, 3) + norm

    fake = SimpleNamespace(__file__="/somewhere/__init__.py", WordLlama=SimpleNamespace(load=Model))
    monkeypatch.setitem(sys.modules, "wordllama", fake)
    said = matinee("data", "embed-titles", films, "--encoder", "wordllama", "--out", tmp_path / "v.parquet")
    assert said.code == 0
    assert asked == ["기생충 (2019)", "Heat (1995)"]
    assert read(tmp_path / "v.parquet").values.tolist() == [[1, 2, 3], [4, 5, 6]]


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        (["--out", "v.csv"], 2, "bad-value: --out is 'v.csv'; end the name in .parquet"),
        ([], 2, "Missing option '--out'"),
        (["--out", "v.parquet", "--encoder", "bert"], 2, "unknown-encoder: there is no encoder 'bert', nor a file of"),
        (["--out", "v.parquet", "--encoder", "gone.csv"], 3, "gone.csv: no-file"),
        (["--out", "v.parquet", "--dim", "0"], 2, "--dim"),
        (["--out", "v.parquet", "--set", "min_ratin=4"], 2, "unknown-key: data.min_ratin"),
    ],
)
def test_wrong_words(
    matinee: Matinee, films: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], code: int, error: str
) -> None:
    monkeypatch.chdir(films)
    said = matinee("data", "embed-titles", films, *words)
    assert said.code == code
    assert error in said.error
    assert not Path("v.parquet").exists()


def test_a_file_that_is_there_is_kept_unless_told(matinee: Matinee, films: Path, tmp_path: Path) -> None:
    (tmp_path / "v.parquet").write_text("mine")
    said = matinee("data", "embed-titles", films, "--out", tmp_path / "v.parquet")
    assert said.code == 2
    assert "output-exists: the file is there already; choose another, or add --overwrite" in said.error
    assert (tmp_path / "v.parquet").read_text() == "mine"


@pytest.mark.parametrize("encoder", ["tfidf", "wordllama"])
def test_data_without_titles(matinee: Matinee, tmp_path: Path, encoder: str) -> None:
    (tmp_path / "log.csv").write_text("user,item\n1,2\n")
    words = ["--encoder", encoder, "--out", tmp_path / "v.parquet"]
    said = matinee("data", "embed-titles", tmp_path / "log.csv", *words)
    assert said.code == 3
    assert said.error == "no-titles: no item of the data has a title; join item files by `side`"
