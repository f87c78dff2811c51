"""The run's side of its mirror: what it tells the process beside it, and how long it waits for that."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from matinee.config import Experiment, experiment_from
from matinee.experiment.folder import RunFolder
from matinee.tracking import beside


def experiment(**tracking: Any) -> Experiment:
    return experiment_from({"name": "a", "data": {"path": "-"}, "models": [{"model": "popularity"}],
                            "tracking": tracking}, Path.cwd())


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Another program in the follower's place."""
    real = subprocess.Popen

    def becomes(code: str) -> None:
        monkeypatch.setattr(beside.subprocess, "Popen",
                            lambda words, **named: real([sys.executable, "-c", code, words[-1]], **named))

    return becomes


WRITES = "import sys, pathlib; pathlib.Path(sys.argv[1], 'word').write_text(sys.stdin.read())"


ENDS = [(None, "FINISHED"), (ValueError, "FAILED"), (KeyboardInterrupt, "KILLED")]


@pytest.mark.parametrize(("raised", "word"), ENDS)
def test_the_follower_is_told_how_the_run_ended(
    tmp_path: Path, stand_in: Callable[[str], None], raised: type[BaseException] | None, word: str
) -> None:
    stand_in(WRITES)

    def runs() -> None:
        with beside.mirrored(experiment(mlflow=True), tmp_path, None) as begun:
            begun(RunFolder(tmp_path))
            if raised:
                raise raised

    if raised:
        with pytest.raises(raised):
            runs()
    else:
        runs()
    assert (tmp_path / "word").read_text() == word


def test_one_that_waits_for_an_answer_is_stopped_and_one_that_works_is_not(
    tmp_path: Path, stand_in: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beside, "LEAST", 0.5)
    folder = RunFolder(tmp_path)
    for work, done in (("time.sleep(60)", False), ("\nwhile time.monotonic() < end: pass\n", True)):
        stand_in(f"import time; end = time.monotonic() + 2; {work}{WRITES}" if done else f"import time; {work}")
        follower = beside.Follower(lambda line: None)
        follower.start(folder)
        started = time.monotonic()
        follower.end("FINISHED")
        assert time.monotonic() - started < 30
        assert (tmp_path / "word").is_file() == done


def test_who_is_mirrored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert [beside.is_wanted(experiment(**said)) for said in ({}, {"mlflow": True}, {"mlflow": False})] == [
        False, True, False]
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://host:5000")
    assert [beside.is_wanted(experiment(**said)) for said in ({}, {"mlflow": True}, {"mlflow": False})] == [
        True, True, False]
