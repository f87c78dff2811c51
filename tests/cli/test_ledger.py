"""`matinee ledger`, as a user would type it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from matinee.config import load_experiment
from matinee.experiment.folder import RunFolder
from tests.cli.commands import Said, matinee
from tests.test_docs import blocks

__all__ = ["matinee"]

PAGE = "docs/guides/ledger.md"


@pytest.fixture
def runs(small: RunFolder, tmp_path: Path) -> Path:
    """A folder of runs with a ledger to come beside it."""
    shutil.copytree(small.path, tmp_path / "runs" / small.id)
    return tmp_path / "runs"


def test_a_submission_from_handing_in_to_the_best_of_the_ledger(
    runs: Path, small: RunFolder, matinee: Callable[..., Said], monkeypatch: pytest.MonkeyPatch
) -> None:
    where = ("--runs", runs)
    said = matinee("ledger", "rules", "--quota", "1", "--zone", "Asia/Seoul", *where)
    assert said.out == "1 a member a day; a day begins at 00:00 Asia/Seoul\n"
    at = ("--at", "2026-11-26T10:00")
    added = matinee("ledger", "add", f"{small.id}/blend", "--member", "김", *at, *where)
    assert added.out == f"submission 1: {small.id}/blend, 0 left that day\n"
    again = matinee("ledger", "add", f"{small.id}/nested", "--member", "김", "--at", "2026-11-26T23:59", *where)
    assert again.code == 2
    assert "김 has handed in 1 on 2026-11-26" in again.error
    monkeypatch.setenv("MATINEE_MEMBER", "lee")
    assert matinee("ledger", "add", f"{small.id}/nested", "--note", "투표", *at, *where).code == 0
    for number, score in ((1, 0.16), (2, 0.17)):
        assert matinee("ledger", "score", str(number), str(score), *where).code == 0
    shown = matinee("ledger", *where).out
    assert re.search(rf"2 +2026-11-26 10:00 +lee +{small.id}/nested +recall@10 0\.\d+ \[.*\] +0\.1700 +투표", shown)
    assert "cannot tell: 2 with both figures" in shown
    assert re.search(r"\d{4}-\d\d-\d\d: 김 has 1 left", shown)
    made = matinee("ensemble", small.id, "--from-ledger", "top:2", "--id", "top2", *where)
    assert made.code == 0, made.err
    assert f"the best 2 by the public score: 2 {small.id}/nested, 1 {small.id}/blend" in made.err
    assert matinee("ledger", "correct", "2", "--withdrawn", *where).code == 0
    assert "withdrawn; 투표" in matinee("ledger", *where).out
    assert "2 in the ledger" not in matinee("ensemble", small.id, "--from-ledger", "top:2", *where).error
    (runs.parent / "other.csv").write_text("user,item\na,b\n")
    stranger = matinee("ledger", "add", runs.parent / "other.csv", "--ledger", runs.parent / "second.jsonl", *where)
    assert "no run below" in stranger.err
    assert (runs.parent / "second.jsonl").read_text().count("\n") == 1


def test_what_is_doubtful_is_written_and_warned_of(runs: Path, small: RunFolder, matinee: Callable[..., Said]) -> None:
    add = ("ledger", "add", f"{small.id}/blend", "--again", "--runs", runs)
    assert matinee(*add, "--member", "kim", "--at", "2020-01-02T03:04").err == ""
    said = matinee(*add, "--member", "Kim", "--at", "2999-01-02T03:04")
    assert said.code == 0
    assert [line.split(";")[0] for line in said.err.splitlines()] == [
        "warning: Kim and kim are two members, each with a quota", "warning: 2999-01-02 03:04 UTC is still to come"]
    said = matinee("ledger", "correct", "1", "--at", "2999-01-02", "--runs", runs)
    assert (said.code, said.error.split(";")[0]) == (0, "warning: 2999-01-02 00:00 UTC is still to come")


def test_what_cannot_be_meant_is_refused(runs: Path, small: RunFolder, matinee: Callable[..., Said]) -> None:
    for words, code in ((["ledger", "add", f"{small.id}/blend", "--member", "kim", "--at", "noon"], "bad-time"),
                        (["ledger", "correct", "1"], "nothing-to-correct"),
                        (["ledger", "score", "1", "0.1"], "no-submission"),
                        (["ensemble", small.id], "which-members"),
                        (["ensemble", small.id, "als", "--from-ledger", "top:1"], "which-members")):
        said = matinee(*words, "--runs", runs)
        assert said.code == 2
        assert code in said.error


def test_the_guide_shows_what_is_said_and_its_experiment_is_good(tmp_path: Path, matinee: Callable[..., Said]) -> None:
    (table,), (text,), (shown,) = (blocks(PAGE, language) for language in ("csv", "yaml", "text"))
    (tmp_path / "anchors.csv").write_text(table)
    said = matinee("ledger", "agree", tmp_path / "anchors.csv", "--page", tmp_path / "page.html")
    assert said.out.splitlines()[-1] == shown.strip()
    page = (tmp_path / "page.html").read_text()
    assert page.count("<svg") == 1
    assert all(f">{row.split(',')[0]}<" in page for row in table.splitlines()[1:])
    (tmp_path / "guide.yaml").write_text("name: guide\ndata: {path: here}\n" + text)
    found = load_experiment(tmp_path / "guide.yaml").ensembles[0].from_ledger
    assert found is not None
    assert (found.top, found.by) == (5, "public")
    assert matinee("ledger", "agree", "--runs", tmp_path / "runs").out.startswith("cannot tell")

