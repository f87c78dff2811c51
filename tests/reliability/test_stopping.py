"""Trainings that are stopped, paused and gone on with; a test's name holds the id of the catalogue row it covers."""

from __future__ import annotations

import ast
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.architecture.source import PACKAGE, files, imports
from tests.reliability.tiny_training import STEPS, Tiny, at, bits, checkpoints, fit, stopped, whole


class Ended(BaseException):
    """What SIGTERM does in these tests."""


@pytest.fixture
def termination() -> Iterator[None]:
    def stop(number: int, frame: Any) -> None:
        raise Ended

    before = signal.signal(signal.SIGTERM, stop)
    yield
    assert signal.getsignal(signal.SIGTERM) is stop
    signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize("epoch", [0, 3])
@pytest.mark.parametrize("step", [0, 1, STEPS - 1])
@pytest.mark.parametrize(("number", "raised"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, Ended)])
@pytest.mark.usefixtures("termination")
def test_T2_a_first_signal_ends_the_step_and_a_second_one_at_once(
    tmp_path: Path, epoch: int, step: int, number: int, raised: type[BaseException]
) -> None:
    with pytest.raises(raised):
        stopped(tmp_path / "once", epoch, step, number)
    assert checkpoints(tmp_path / "once")[-1] == f"{epoch:05d}-{step + 1:09d}"
    assert bits(fit(tmp_path / "once")) == whole()
    with pytest.raises(raised):
        stopped(tmp_path / "twice", epoch, step, signal.SIGINT, number)
    assert f"{epoch:05d}-{step + 1:09d}" not in checkpoints(tmp_path / "twice")
    assert bits(fit(tmp_path / "twice")) == whole()


@pytest.mark.usefixtures("termination")
def test_a_signal_in_the_last_validation_or_at_the_very_end_is_not_lost(tmp_path: Path) -> None:
    def judged(scorer: Any) -> float:
        os.kill(os.getpid(), signal.SIGTERM)
        return 0.0

    with pytest.raises(Ended):
        fit(tmp_path / "a", Tiny(epochs=1), validate=judged)
    assert checkpoints(tmp_path / "a") == ["00001-000000000"]
    with pytest.raises(KeyboardInterrupt):
        fit(None, Tiny(epochs=1), progress=lambda *_: os.kill(os.getpid(), signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        stopped(None, 0, 0, signal.SIGINT)  # nothing is kept, and it stops all the same


def test_a_signal_that_was_ignored_stays_ignored(tmp_path: Path) -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        stopped(tmp_path, 1, 1, signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)
    assert bits(fit(tmp_path)) == whole()


def test_T4_no_clock_is_looked_at_and_a_pause_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped for a while from outside, with clocks that run wild."""
    clocks = {"time", "datetime"}
    assert {path.name for path in files(PACKAGE / "nn") if clocks & set(imports(path))} <= {"processes.py"}
    names = {node.id for node in ast.walk(ast.parse((PACKAGE / "nn/processes.py").read_text()))
             if isinstance(node, ast.Name)}
    assert not names & {"time", "datetime"}
    wild = iter(range(10**9, 0, -10**6))
    monkeypatch.setattr(time, "time", lambda: float(next(wild)))
    me = os.getpid()

    def pause(loss: torch.Tensor) -> None:
        subprocess.run(["bash", "-c", f"kill -STOP {me}; sleep 0.5; kill -CONT {me}"], check=True)

    assert bits(fit(tmp_path, Tiny(hook=at(1, 1, pause)))) == whole()


def test_T9_going_on_after_early_stopping_does_nothing_and_says_so(tmp_path: Path) -> None:
    said: list[Any] = []
    assert bits(fit(tmp_path, journal=said.append)) == whole()
    assert [line["epoch"] for line in said] == [1, 2, 3, 4, 5, 6, 7]
    said.clear()

    def never(epoch: int, step: int, loss: torch.Tensor) -> None:
        raise AssertionError("a step was taken")

    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert bits(fit(tmp_path, Tiny(hook=(never,)), journal=said.append)) == whole()
    assert said[-1] == {"event": "trained-before", "model": "tiny", "epoch": 7}
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


@pytest.mark.parametrize("places", [[(0, 0)], [(0, 0), (0, 1)], [(6, STEPS - 1)], [(0, 2), (3, 3), (4, 0), (6, 2)],
                                    [(3, 3), (5, 3)]])
@pytest.mark.parametrize("last", [None, 5])
def test_T10_resumed_at_the_start_at_the_end_and_again_and_again(
    tmp_path: Path, places: list[tuple[int, int]], last: int | None
) -> None:
    """With a validation, whose counter and best have to come back too, and to a given number of epochs."""
    told = {} if last is None else {"stop_at": last, "validate": None}
    want = bits(fit(None, **told))
    for epoch, step in places:
        if last is None or epoch < last:
            hook = at(epoch, step, lambda loss: os.kill(os.getpid(), signal.SIGINT))
            with pytest.raises(KeyboardInterrupt):
                fit(tmp_path, Tiny(hook=hook), **told)
    assert bits(fit(tmp_path, **told)) == want
    assert want[1] == (last or whole()[1])
