"""`matinee data`: what the verbs write and print, and what they refuse before any work."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from matinee.data.load import load
from matinee.data.sample import sample
from tests.cli.commands import Said, matinee
from tests.paths import data_folder

__all__ = ["matinee"]

Matinee = Callable[..., Said]

LOG = "user,item,time,rating\n가,x,100,5\n가,y,200,3\n007,x,300,4\n7,x,300,1\n"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    (tmp_path / "기록.csv").write_text(LOG, encoding="utf-8")
    return tmp_path / "기록.csv"


def test_describe_prints_tables_and_warnings(matinee: Matinee, log: Path) -> None:
    said = matinee("data", "describe", log)
    assert said.code == 0
    assert "기록" in said.out
    assert "events           " in said.out
    assert "! Half of the users have 1 events or fewer" in said.out
    assert "\x1b" not in said.out


def test_describe_tells_sessions_and_warns_of_histories_within_one_day(matinee: Matinee, log: Path) -> None:
    said = matinee("data", "describe", log).out
    assert "3  (by gaps over 6 hours; half have 1 events or fewer)" in said
    assert "! 100% of the users with several events did everything within one day" in said


def test_describe_as_json(matinee: Matinee, log: Path) -> None:
    said = matinee("data", "describe", log, "--json")
    facts = json.loads(said.out)
    assert (facts["users"], facts["items"], facts["events"]) == (3, 2, 4)
    assert facts["hash"] == load(log).hash


def test_describe_cleans_as_an_experiment_would(matinee: Matinee, log: Path) -> None:
    facts = json.loads(matinee("data", "describe", log, "--json", "--set", "min_rating=4").out)
    assert facts["events"] == 2
    swapped = ["--set", "columns.user=item", "--set", "columns.item=user"]
    facts = json.loads(matinee("data", "describe", log, "--json", *swapped).out)
    assert facts["users"] == 2


def test_describe_takes_what_is_no_file(matinee: Matinee) -> None:
    assert json.loads(matinee("data", "describe", "synthetic:30x20", "--json").out)["users"] == 30


def test_describe_tells_the_coverage_of_a_join(matinee: Matinee, log: Path, tmp_path: Path) -> None:
    (tmp_path / "side").mkdir()
    (tmp_path / "side/titles.tsv").write_text("item\ttitle\nx\t기생충 (2019)\n", encoding="utf-8")
    said = matinee("data", "describe", log, "--side", tmp_path / "side")
    assert "joined from side" in said.out
    assert "75.0%" in said.out


@pytest.mark.parametrize("layout", ["recbole", "boostcamp", "movielens", "table"])
def test_convert_writes_what_can_be_read(matinee: Matinee, log: Path, tmp_path: Path, layout: str) -> None:
    said = matinee("data", "convert", log, tmp_path / "out", "--to", layout)
    assert said.code == 0
    assert said.out.splitlines()[-1] == f"3 users, 2 items, 4 events, as {layout}"
    assert load(tmp_path / "out").users == load(log).users
    for line in said.out.splitlines()[:-1]:
        assert Path(line.removeprefix("wrote ")).is_file()


def test_convert_says_what_is_lost(matinee: Matinee, log: Path, tmp_path: Path) -> None:
    said = matinee("data", "convert", log, tmp_path / "out", "--to", "boostcamp")
    assert said.error == "note: boostcamp: event column 'rating' is left out"


def test_sample_keeps_the_layout(matinee: Matinee, tmp_path: Path) -> None:
    matinee("data", "convert", "synthetic:50x30", tmp_path / "whole", "--to", "boostcamp")
    said = matinee("data", "sample", tmp_path / "whole", tmp_path / "part", "--users", "5", "--seed", "3")
    assert said.out.splitlines()[-1].startswith("5 users")
    assert load(tmp_path / "part").hash == sample(load(tmp_path / "whole"), users=5, seed=3).hash
    assert (tmp_path / "part/train_ratings.csv").is_file()


def test_split_writes_tables_and_its_hash(matinee: Matinee, tmp_path: Path) -> None:
    said = matinee("data", "split", "synthetic:50x30", tmp_path / "s", "--protocol", "random_ratio", "--set", "seed=5")
    assert said.code == 0
    about = json.loads((tmp_path / "s/split.json").read_text())
    assert (about["settings"]["protocol"], about["settings"]["seed"]) == ("random_ratio", 5)
    assert f"split {about['split_hash']}" in said.out
    assert {path.name for path in (tmp_path / "s").iterdir()} >= {"train.csv", "valid.csv", "test.csv"}


def test_split_of_cleaned_data(matinee: Matinee, tmp_path: Path) -> None:
    words = ["data", "split", "synthetic:50x30", tmp_path / "s", "--set", "data.min_item_events=10"]
    assert matinee(*words).code == 0
    whole = load("synthetic:50x30", min_item_events=10)
    assert json.loads((tmp_path / "s/split.json").read_text())["data"]["hash"] == whole.hash


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["--to", "recbol"], "unknown-layout: cannot write 'recbol'; did you mean recbole?"),
        (["--to", "table", "--set", "min_ratin=4"], "unknown-key: data.min_ratin"),
        (["--to", "table", "--set", "min_rating"], "bad-override: an override is written key=value"),
        (["--to", "table", "--layout", "recbol"], "data.layout"),
        (["--to", "table", "--max-bad-rows", "many"], "bad-value: --max-bad-rows is 'many'"),
        ([], "Missing option '--to'"),
    ],
)
def test_wrong_words(matinee: Matinee, log: Path, tmp_path: Path, words: list[str], error: str) -> None:
    said = matinee("data", "convert", log, tmp_path / "out", *words)
    assert said.code == 2
    assert error in said.error
    assert not (tmp_path / "out").exists()


def test_wrong_protocol_and_key(matinee: Matinee, log: Path, tmp_path: Path) -> None:
    said = matinee("data", "split", log, tmp_path / "out", "--protocol", "leave_las")
    assert said.code == 2
    assert "leave_last" in said.error
    said = matinee("data", "split", log, tmp_path / "out", "--set", "fractoin=0.2")
    assert said.code == 2
    assert "split.fractoin" in said.error
    assert "fraction" in said.error


def test_an_output_that_is_there_is_kept_unless_told(matinee: Matinee, log: Path, tmp_path: Path) -> None:
    words = ["data", "convert", log, tmp_path / "out", "--to"]
    matinee(*words, "table")
    said = matinee(*words, "recbole")
    assert said.code == 2
    assert "output-exists: the folder is there already; choose another, or add --overwrite" in said.error
    assert (tmp_path / "out/interactions.csv").is_file()
    assert matinee(*words, "recbole", "--overwrite").code == 0
    assert not (tmp_path / "out/interactions.csv").exists()
    assert (tmp_path / "out/out.inter").is_file()


@pytest.mark.parametrize("foreign", ["thesis.docx", "photos/", "Makefile"])
def test_a_folder_with_other_things_is_never_replaced(
    matinee: Matinee, log: Path, tmp_path: Path, foreign: str
) -> None:
    out = tmp_path / "home"
    out.mkdir()
    (out / foreign).mkdir() if foreign.endswith("/") else (out / foreign).write_text("mine")
    said = matinee("data", "convert", log, out, "--to", "table", "--overwrite")
    assert said.code == 2
    assert f"holds other things, such as '{foreign.rstrip('/')}'" in said.error
    assert (out / foreign).exists()


def test_a_folder_is_no_file(matinee: Matinee, log: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    said = matinee("data", "sample", log, tmp_path / "out", "--users", "1", "--overwrite")
    assert said.code == 2
    assert "is a file" in said.error
    assert (tmp_path / "out").read_text() == "mine"


@pytest.mark.parametrize("inside", ["", "deep"])
def test_an_output_that_holds_the_input_is_refused(
    matinee: Matinee, tmp_path: Path, inside: str
) -> None:
    data = tmp_path / "data"
    matinee("data", "convert", "synthetic:5x5", data / inside, "--to", "table")
    said = matinee("data", "convert", data / inside, data, "--to", "recbole", "--overwrite")
    assert said.code == 2
    assert "output-is-input" in said.error
    assert (data / inside / "interactions.csv").is_file()


def test_the_side_folder_is_an_input_too(matinee: Matinee, log: Path, tmp_path: Path) -> None:
    (tmp_path / "side").mkdir()
    (tmp_path / "side/titles.tsv").write_text("item\ttitle\nx\tX\n")
    out = tmp_path / "side"
    said = matinee("data", "convert", log, out, "--to", "table", "--side", out, "--overwrite")
    assert said.code == 2
    assert (tmp_path / "side/titles.tsv").is_file()


def test_skipped_rows_are_told_and_change_the_exit_code(matinee: Matinee, tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(LOG + "x,y,late,4\n", encoding="utf-8")
    words = ["data", "convert", tmp_path / "log.csv", tmp_path / "out", "--to", "table"]
    words += ["--rejects", tmp_path / "no.csv"]
    assert matinee(*words).code == 3
    assert matinee(*words, "--bad-rows", "skip").code == 3  # one of five is more than 1 %
    said = matinee(*words, "--bad-rows", "skip", "--max-bad-rows", "30%")
    assert said.code == 6
    assert said.error.startswith("rows-skipped: 1 bad rows were left out")
    assert len(load(tmp_path / "out").log) == 4
    assert "late" in (tmp_path / "no.csv").read_text()


@pytest.mark.parametrize("verb", ["describe", "convert", "sample", "split"])
def test_help_teaches_with_an_example(matinee: Matinee, verb: str) -> None:
    said = matinee("data", verb, "--help")
    assert said.code == 0
    assert f"matinee data {verb} data/ml-1m" in said.out


def test_help_names_every_layout(matinee: Matinee) -> None:
    said = matinee("data", "--help")
    assert all(name in said.out for name in ("boostcamp", "movielens", "uplus", "recbole", "table", "synthetic:"))


def test_latin_1_films_come_out_as_utf_8(matinee: Matinee, tmp_path: Path) -> None:
    matinee("data", "convert", data_folder("ml-100k"), tmp_path / "out", "--to", "boostcamp")
    assert "Misérables, Les (1995)" in (tmp_path / "out/titles.tsv").read_text(encoding="utf-8")
