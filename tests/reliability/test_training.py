"""Trainings under faults; a test's name holds the id of the row of the catalogue it covers."""

from __future__ import annotations

import ast
import errno
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import matinee
from matinee import durable
from matinee.contract import Run
from matinee.errors import DataError, ModelError, ResourceError
from matinee.nn import identity, processes
from matinee.nn.train import _optimiser
from matinee.testing.toy import planted
from tests.architecture.source import PACKAGE, files, imports
from tests.reliability.tiny_training import STEPS, Hook, Tiny, bits, fit


@cache
def whole() -> tuple[bytes, int | None]:
    """Of a training that was never stopped."""
    return bits(fit(None))


def at(epoch: int, step: int, act: Callable[[torch.Tensor], Any]) -> tuple[Hook]:
    """A recipe's hook that does `act` in one step."""
    return (lambda e, s, loss: act(loss) if (e, s) == (epoch, step) else None,)


def stopped(folder: Path | None, epoch: int, step: int, *signals: int) -> None:
    """Send a training these signals in one step."""
    hook = at(epoch, step, lambda loss: [os.kill(os.getpid(), number) for number in signals] and None)
    fit(folder, Tiny(hook=hook))


def checkpoints(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("0*"))


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


DISASTERS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "the loss is nan": lambda loss: loss * float("nan"),
    "the loss is inf": lambda loss: loss * float("inf"),
    "network.1.weight is not finite": lambda loss: loss + (loss - loss.detach()).sqrt(),
    "optimiser.second.0.exp_avg_sq is not finite": lambda loss: loss.detach() + 1e25 * (loss - loss.detach()),
}


@pytest.mark.parametrize("what", DISASTERS)
def test_T1_a_training_that_leaves_the_numbers_stops_and_keeps_the_last_good_checkpoint(
    tmp_path: Path, what: str
) -> None:
    step = STEPS - 1  # the only one that moves the second part
    with pytest.raises(DataError, match=what) as caught:
        fit(tmp_path, Tiny(hook=at(2, step, DISASTERS[what])))
    assert (caught.value.exit_code, caught.value.code) == (3, "diverged")
    assert "at step 4 of epoch 3; lower lr, or set clip; the last checkpoint is kept" in str(caught.value)
    assert checkpoints(tmp_path) == ["00001-000000000", "00002-000000000"]
    assert bits(fit(tmp_path)) == whole()


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


def test_T5_a_second_trainer_on_one_folder_is_refused(tmp_path: Path) -> None:
    def second(loss: torch.Tensor) -> None:
        with pytest.raises(ResourceError, match="in-use: another process is at work") as caught:
            fit(tmp_path)
        assert caught.value.exit_code == 5

    assert bits(fit(tmp_path, Tiny(hook=at(1, 1, second)))) == whole()
    assert bits(fit(tmp_path)) == whole()


@pytest.mark.parametrize("greedy", [lambda: torch.empty(1 << 50), lambda: np.empty(1 << 50)])
@pytest.mark.parametrize("validating", [False, True])
def test_T6_out_of_memory_names_the_step_and_what_it_takes(tmp_path: Path, greedy: Any, validating: bool) -> None:
    recipe, judged = Tiny(hook=at(1, 2, lambda loss: greedy())), None
    if validating:
        recipe, judged = Tiny(), lambda scorer: greedy()
    with pytest.raises(ResourceError, match=r"weights, gradients and optimiser alone take 0 MB") as caught:
        fit(tmp_path, recipe, **({"validate": judged} if judged else {}))
    assert (caught.value.exit_code, caught.value.code) == (5, "out-of-memory")
    assert ("the validation after epoch 1" if validating else "at step 3 of epoch 2") in str(caught.value)
    if not validating:
        assert bits(fit(tmp_path)) == whole()


def test_another_error_that_speaks_of_memory_is_left_as_it_is(tmp_path: Path) -> None:
    def wrong(loss: torch.Tensor) -> None:
        raise RuntimeError("unsupported memory format")

    with pytest.raises(RuntimeError, match="memory format"):
        fit(tmp_path, Tiny(hook=at(0, 0, wrong)))


def other_log() -> Any:
    log = planted().data.log
    return planted().data.with_log(log.select(np.arange(len(log)) > 0))


CHANGES: dict[str, Callable[[pytest.MonkeyPatch, Path], Any]] = {
    "data was .* and is .*": lambda patch, folder: Tiny().fit(
        other_log(), Run(checkpoint=folder, threads=1, validate=lambda scorer: 0.0)),
    "recipe.lr was 0.05 and is 0.06": lambda patch, folder: fit(folder, Tiny(lr=0.06)),
    "recipe.epochs was 8 and is 9": lambda patch, folder: fit(folder, Tiny(epochs=9)),
    "seed was 0 and is 1": lambda patch, folder: fit(folder, seed=1),
    "threads was 1 and is 2": lambda patch, folder: fit(folder, threads=2),
    "stop_at was null and is 3; validates was true and is false": lambda patch, folder: fit(
        folder, stop_at=3, validate=None),
    "versions.torch was .* and is .*9.9": lambda patch, folder: (
        patch.setattr(identity, "version", lambda name: "9.9"), fit(folder)),
    "code was .* and is .*new": lambda patch, folder: (
        patch.setattr(identity, "_code", lambda file: "new"), fit(folder)),
    "processes was 1 and is 2": lambda patch, folder: (
        patch.setattr(processes, "count", lambda: 2), patch.setattr(identity.processes, "told", lambda x=None: x),
        patch.setattr(processes, "join", lambda: None), fit(folder)),
}


@pytest.mark.parametrize("said", CHANGES)
def test_T8_what_changed_between_start_and_resume_is_named_and_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    with pytest.raises(KeyboardInterrupt):
        stopped(tmp_path, 1, 1, signal.SIGINT)
    with monkeypatch.context() as patch, pytest.raises(ModelError, match=f"other-training: .*{said}") as caught:
        CHANGES[said](patch, tmp_path)
    assert caught.value.exit_code == 4
    assert "train as it was, or remove the folder" in caught.value.way
    assert bits(fit(tmp_path)) == whole()


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


def test_T11_threads_change_no_bit_of_these_shapes(tmp_path: Path) -> None:
    """MKL splits products with 5 to 11 rows otherwise for two threads: then lists agree where scores are apart."""
    data = matinee.load("synthetic:256x700:3")
    settings = {"dim": 48, "epochs": 3, "batch_size": 128}
    recipe = matinee.recipe("multi_vae", settings | {"hidden": [64]})
    queries = matinee.stages(data, "leave_last")["test"].ask(np.arange(data.n_users))
    one, two = (recipe.fit(data, Run(threads=threads)).score(queries) for threads in (1, 2))
    np.testing.assert_array_equal(one, two)
    odd = matinee.recipe("multi_vae", settings | {"hidden": [64], "batch_size": 125})  # 125, 125 and 6 users
    one, two = (odd.fit(data, Run(threads=threads)).score(queries) for threads in (1, 2))
    order = np.argsort(-one, axis=1)[:, :11]
    best = np.take_along_axis(one, order, axis=1)
    clear = -np.diff(best, axis=1) > 1e-5
    again = np.take_along_axis(two, order, axis=1)
    assert (np.diff(again, axis=1)[clear] < 0).all()


def test_an_optimiser_begins_with_the_state_that_its_first_step_would_make() -> None:
    one, two = (torch.nn.Parameter(torch.tensor([[1.0, -2.0]])) for _ in range(2))
    ours, theirs = _optimiser([one], Tiny()), torch.optim.AdamW([two], lr=Tiny().lr, weight_decay=0.0, fused=True)
    for _ in range(3):
        for parameter, optimiser in ((one, ours), (two, theirs)):
            parameter.grad = parameter.detach().square() + 0.1
            optimiser.step()
    assert torch.equal(one, two)
    assert ours.state[one].keys() == theirs.state[two].keys()
    for name, tensor in theirs.state[two].items():
        assert (ours.state[one][name].dtype, ours.state[one][name].shape) == (tensor.dtype, tensor.shape)
        assert torch.equal(ours.state[one][name], tensor)


class Full:
    """A disk with room for this many more bytes."""

    def __init__(self, room: int) -> None:
        self.room = room

    def write(self, write: Callable[[bytes], int], content: bytes) -> int:
        if not self.room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        done = write(content[: self.room])
        self.room -= done
        return done


def test_T13_a_disk_that_fills_while_logging_tears_no_line_and_loses_no_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, folder = tmp_path / "journal.jsonl", tmp_path / "checkpoint"

    def journal(facts: Any) -> None:
        durable.append_line(log, dict(facts))

    fit(None, journal=journal)
    all_lines = log.read_text()
    for room in (0, 1, 70, 200):
        log.unlink()
        disk, opened = Full(room), open

        def nearly_full(*words: Any, opened: Any = opened, disk: Full = disk, **named: Any) -> Any:
            file = opened(*words, **named)
            if "+" in str(words[1:2]):
                wrapped = _Wrapped(file, disk)
                return wrapped
            return file

        monkeypatch.setattr(durable, "open", nearly_full, raising=False)
        with pytest.raises(ResourceError, match="the disk is full") as caught:
            fit(folder, journal=journal)
        assert caught.value.exit_code == 5
        monkeypatch.delattr(durable, "open")
        assert all_lines.startswith(log.read_text())
        assert log.read_text() == "" or log.read_text().endswith("\n")
        assert bits(fit(folder, journal=journal)) == whole()
        assert [json.loads(line) for line in log.read_text().splitlines()]
        for path in folder.iterdir():
            durable.discard(path) if path.is_dir() else path.unlink()


class _Wrapped:
    def __init__(self, file: Any, disk: Full) -> None:
        self.file, self.disk = file, disk

    def __enter__(self) -> _Wrapped:
        return self

    def __exit__(self, *error: object) -> None:
        self.file.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)

    def write(self, content: bytes) -> int:
        return self.disk.write(self.file.write, content)


def test_a_line_that_a_killed_writer_left_half_is_cut_off_by_the_next(tmp_path: Path) -> None:
    log = tmp_path / "journal.jsonl"
    durable.append_line(log, {"a": 1})
    with log.open("ab") as file:
        file.write(b'{"b": 2')
    assert durable.read_lines(log) == [{"a": 1}]
    durable.append_line(log, {"c": 3}, sync=True)
    assert durable.read_lines(log) == [{"a": 1}, {"c": 3}]
    log.write_bytes(b'{"a"')
    durable.append_line(log, {"d": 4})
    assert durable.read_lines(log) == [{"d": 4}]
