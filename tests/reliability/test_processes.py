"""One run shared by processes that torchrun starts."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from matinee.cli.main import main
from matinee.config import load_experiment
from matinee.errors import ModelError, ResourceError
from matinee.experiment import leading
from matinee.experiment.folder import RunFolder
from matinee.nn import processes
from matinee.scoring import store
from tests.reliability.progress import epochs, wait_for
from tests.reliability.tiny_training import fit

EXPERIMENT = """
name: shared
data: {path: "synthetic:120x60:3"}
split: {protocol: gap_and_tail, refit: true}
evaluate: {metrics: [recall@10]}
models:
  - {model: popularity}
  - {model: multi_vae, dim: 8, epochs: 6, batch_size: 119, hidden: [12], weights: recency_half_life}
  - {model: user_clusters, of: {model: multi_dae, dim: 8, hidden: [], epochs: 3}}
  - {id: same, model: multi_dae, dim: 8, hidden: [], epochs: 40, patience: 40, batch_size: 32, lr: 0.003, dropout: 0.0}
output: {which: [multi_vae]}
"""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("shared") / "shared.yaml"
    path.write_text(EXPERIMENT)
    return path


@contextmanager
def torchrun(file: Path, runs: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Two processes on this machine; none is left when the block ends."""
    words = ["--standalone", "--nproc_per_node", "2", "-m", "matinee", "run", file, "--runs", runs]
    command = [sys.executable, "-m", "torch.distributed.run", *map(str, words), "--threads", "2"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as running:
        try:
            yield running
        finally:
            for pid in workers(running):
                os.kill(pid, signal.SIGKILL)
            running.kill()


def workers(running: subprocess.Popen[bytes]) -> dict[int, int]:
    """Process id -> rank of what torchrun has started and still runs."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            words = dict(line.partition("=")[::2] for line in (folder / "environ").read_text().split("\0"))
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
        if parent == running.pid and "RANK" in words:
            found[int(folder.name)] = int(words["RANK"])
    return found


def done(file: Path, runs: Path) -> str:
    with torchrun(file, runs) as running:
        said = running.communicate(timeout=300)[0].decode()
    assert running.returncode == 0, said
    return said


def arrays(runs: Path) -> dict[str, bytes]:
    (folder,) = runs.glob("shared-*")
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.glob("models/*/*/*.safetensors")}


@pytest.mark.slow
def test_T7_a_killed_process_ends_the_run_in_seconds_and_going_on_gives_its_bits(file: Path, tmp_path: Path) -> None:
    whole = done(file, tmp_path / "whole")
    assert whole.count("model 2/4: multi_vae") == 1
    assert whole.count("\neverything ") == 1
    for rank, at in ((1, 18), (0, 30)):
        with torchrun(file, tmp_path / "killed") as running:
            wait_for(lambda at=at: epochs(tmp_path / "killed") >= at)  # type: ignore[misc]
            started = workers(running)
            assert sorted(started.values()) == [0, 1]
            (victim,) = (pid for pid, its in started.items() if its == rank)
            os.kill(victim, signal.SIGKILL)
            killed = time.monotonic()
            said = running.communicate(timeout=60)[0].decode()
            assert time.monotonic() - killed < 15  # 2 to 4 s, on an idle machine
            assert running.returncode not in (0, None)
        assert f"process-lost: process {1 - rank} of 2 has lost another one; start the same command again" in said
        assert not [pid for pid in started if Path(f"/proc/{pid}").exists()]
    with torchrun(file, tmp_path / "killed") as running:
        wait_for(lambda: epochs(tmp_path / "killed") >= 40)
        running.terminate()
        said = running.communicate(timeout=60)[0].decode()
    assert said.count("stopped: stopped before the end; what was done is kept") == 2
    assert re.search(r"same: goes on after \d+ epochs and \d+ steps", done(file, tmp_path / "killed"))
    assert arrays(tmp_path / "killed") == arrays(tmp_path / "whole")
    _is_what_one_process_learns(file, tmp_path / "alone", tmp_path / "whole")


def _is_what_one_process_learns(file: Path, alone: Path, together: Path) -> None:
    """Without draws, but for the order in which sums are rounded."""
    assert main(["run", str(file), "--runs", str(alone), "--threads", "1"]) == 0
    (one,), (two,) = ([RunFolder(path) for path in runs.glob("shared-*")] for runs in (alone, together))
    assert two.manifest["processes"] == 2
    mine, theirs = (store.load(folder.model("valid", "same"))[0] for folder in (one, two))
    assert mine.found == theirs.found
    for name in ("table", "output"):
        a, b = getattr(mine, name), getattr(theirs, name)
        assert not np.array_equal(a, b)
        np.testing.assert_allclose(a, b, atol=1e-3)
    for mine, theirs in zip(one.metrics, two.metrics, strict=True):
        assert theirs["low"] < mine["value"] < theirs["high"], theirs["id"]


@pytest.fixture
def second(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Makes this the second of two processes, who hears what it is told and is alone all the same."""

    def make(*messages: Any) -> None:
        heard = iter(messages)
        monkeypatch.setattr(processes, "count", lambda: 2)
        monkeypatch.setattr(processes, "rank", lambda: 1)
        monkeypatch.setattr(processes, "join", lambda: None)
        monkeypatch.setattr(processes, "told", lambda content=None: next(heard) if content is None else content)
        for name in ("spread", "sum_gradients"):
            monkeypatch.setattr(processes, name, lambda tensors: None)
        monkeypatch.setattr(processes, "sums", list)

    return make


def test_who_follows_writes_nothing(
    file: Path, tmp_path: Path, second: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["run", str(file), "--runs", str(tmp_path), "--threads", "1"]) == 0
    (folder,) = tmp_path.glob("shared-*")

    def state() -> dict[Path, int]:
        return {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}

    before = state()
    fits = [{"entry": id_, "stage": stage, "stop_at": 2, "validates": False}
            for id_ in ("multi_vae", "user_clusters") for stage in ("valid", "final")]
    second({"folder": str(folder), "threads": 1}, *fits, {"done": str(folder)})
    assert leading.follow(load_experiment(file)).path == folder
    assert state() == before


def test_who_is_given_something_else_to_train_is_told(
    second: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    second()
    told = processes.told

    def other(content: Any = None) -> Any:
        return told(content) if content is None else {**content, "seed": 7}

    monkeypatch.setattr(processes, "told", other)
    with pytest.raises(ModelError, match="process 1 does not train what process 0 does: seed was 7 and is 0"):
        fit(None)


def test_a_broken_connection_is_a_lost_process() -> None:
    with pytest.raises(ResourceError, match="process-lost") as caught, processes._lost():
        raise RuntimeError("Connection reset by peer")
    assert caught.value.exit_code == 5


def test_alone_nothing_is_shared_whatever_others_have_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "4")
    assert (processes.count(), processes.rank(), processes.count_here()) == (1, 0, 1)
    monkeypatch.setenv("RANK", "3")
    assert (processes.count(), processes.rank()) == (4, 3)
    assert list(range(10))[processes.share(10)] == [3, 7]
