"""`matinee data report`: a page and its figures, of a source or of an experiment."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from matinee.data.load import load
from tests.cli.commands import Said, matinee

__all__ = ["matinee"]

SMALL = "synthetic:120x60:1"


def test_a_page_and_its_figures(matinee: Callable[..., Said], tmp_path: Path) -> None:
    said = matinee("data", "report", SMALL, "-o", tmp_path / "page.html", "--json")
    assert said.code == 0
    assert said.out.splitlines()[:2] == [f"wrote {tmp_path / 'page.html'}", f"wrote {tmp_path / 'page.json'}"]
    found = json.loads((tmp_path / "page.json").read_text())
    assert found["facts"]["users"] == 120
    assert found["hidden"]["settings"]["protocol"] == "gap_and_tail"
    assert "synthetic-120x60-1" in (tmp_path / "page.html").read_text()


def test_no_figures_unless_asked_and_cleaning_as_everywhere(matinee: Callable[..., Said], tmp_path: Path) -> None:
    words = ("--set", "sample_users=0.5", "--protocol", "by_time")
    said = matinee("data", "report", SMALL, "-o", tmp_path / "page.html", *words)
    assert said.code == 0
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]
    assert "split by_time" in (tmp_path / "page.html").read_text()


def test_hours_are_of_the_zone_that_was_asked_for_and_the_page_says_so(
    matinee: Callable[..., Said], tmp_path: Path
) -> None:
    (tmp_path / "one.yaml").write_text(f"name: one\ndata: {{path: '{SMALL}'}}\nmodels: [ease]\n")
    for source in (SMALL, tmp_path / "one.yaml"):
        said = matinee("data", "report", source, "-o", tmp_path / "page.html", "--zone", "Asia/Seoul")
        assert said.code == 0
        assert "Visits by hour of the day (Asia/Seoul)" in (tmp_path / "page.html").read_text()
    matinee("data", "report", SMALL, "-o", tmp_path / "page.html")
    assert "Visits by hour of the day (UTC)" in (tmp_path / "page.html").read_text()
    for name in ("Asia/Seol", "../etc", "", "/etc/localtime"):
        said = matinee("data", "report", "nothing.csv", "-o", tmp_path / "none.html", "--zone", name)
        assert (said.code, f"there is no time zone {name!r}" in said.error) == (2, True)
    assert not (tmp_path / "none.html").exists()


def test_an_experiment_says_how_to_read_and_split(matinee: Callable[..., Said], tmp_path: Path) -> None:
    file = tmp_path / "one.yaml"
    file.write_text(f"name: one\ndata: {{path: '{SMALL}'}}\nsplit: {{protocol: leave_last}}\nmodels: [ease]\n")
    said = matinee("data", "report", file, "-o", tmp_path / "page.html", "--json", "--set", "data.min_user_events=12")
    assert said.code == 0
    found = json.loads((tmp_path / "page.json").read_text())
    assert found["hidden"]["settings"]["protocol"] == "leave_last"
    assert found["facts"]["history"]["min"] >= 12
    refused = matinee("data", "report", file, "--layout", "table")
    assert refused.code == 2
    assert "an experiment file says itself how to read and split" in refused.error


def test_what_is_read_is_never_replaced(
    matinee: Callable[..., Said], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "log.json"
    log.write_text("user,item\na,x\n")
    for words, code in (((log, "-o", log), "output-is-input"), ((log, "-o", tmp_path), "output-exists"),
                        ((log, "-o", tmp_path / "log.html", "--json"), "output-is-input"),
                        ((SMALL, "-o", tmp_path / "page.json", "--json"), "usage")):
        said = matinee("data", "report", *words)
        assert (said.code, code in said.error) == (2, True)
    monkeypatch.setattr("matinee.cli.data_report.find_spec", lambda name: None)
    said = matinee("data", "report", SMALL, "-o", tmp_path / "page.html")
    assert said.code == 5
    assert "pip install 'matinee[report]'" in said.error
    assert [path.name for path in tmp_path.iterdir()] == ["log.json"]
    assert log.read_text() == "user,item\na,x\n"


def test_hidden_rows_from_a_file(matinee: Callable[..., Said], tmp_path: Path) -> None:
    data = load(SMALL)
    log = data.log
    rows = f"user,item\n{data.users[0]},{data.items[int(log.items[0])]}\nstranger,new\n"
    (tmp_path / "hidden.csv").write_text(rows)
    said = matinee("data", "report", SMALL, "-o", tmp_path / "page.html", "--json", "--test", tmp_path / "hidden.csv")
    assert said.code == 0
    assert "! 1 rows of the files stand in the log" in said.out
    found = json.loads((tmp_path / "page.json").read_text())
    assert (found["hidden"]["overlap"]["test"], found["hidden"]["outside_catalogue"]) == (1, 1)


def test_a_split_that_cannot_be_made_leaves_the_rest(matinee: Callable[..., Said], tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("user,item\na,x\nb,y\n")
    said = matinee("data", "report", tmp_path / "log.csv", "-o", tmp_path / "page.html")
    assert said.code == 0
    assert "Not shown: gap_and_tail on 2 events" in (tmp_path / "page.html").read_text()
    said = matinee("data", "report", tmp_path / "log.csv", "-o", tmp_path / "page.html", "--protocol", "leave_last")
    assert said.code == 0
    assert "Not shown: leave_last needs times." in (tmp_path / "page.html").read_text()


def test_a_file_of_hidden_rows_that_is_not_there_is_an_error(matinee: Callable[..., Said], tmp_path: Path) -> None:
    said = matinee("data", "report", SMALL, "-o", tmp_path / "page.html", "--test", tmp_path / "none.csv")
    assert said.code == 3
    assert not (tmp_path / "page.html").exists()
