"""`matinee run` and a neural model: stopped, killed, damaged and gone on with, to the same bits."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from matinee import catalog, durable
from matinee.cli.main import main
from matinee.errors import ConfigError, ResourceError
from matinee.nn import train
from matinee.scoring import store
from tests.cli.commands import process
from tests.reliability.progress import epochs, wait_for

EXPERIMENT = """
name: neural
data: {path: "synthetic:120x60:3"}
split: {protocol: gap_and_tail, refit: true}
evaluate: {metrics: [recall@10]}
models:
  - {model: multi_vae, dim: 8, epochs: 30, patience: 4, batch_size: 32, lr: 0.01, hidden: [12]}
  - {id: weighted, model: multi_dae, dim: 8, hidden: [], epochs: 4, batch_size: 64, weights: recency_half_life}
  - {id: nested, model: latent_neighbours, of: {model: multi_dae, dim: 8, hidden: [], epochs: 4, batch_size: 64}}
output: {which: [multi_vae, nested]}
"""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("neural") / "neural.yaml"
    path.write_text(EXPERIMENT)
    return path


def carried_out(file: Path, runs: Path, *more: str) -> int:
    return main(["run", str(file), "--runs", str(runs), "--threads", "1", *more])


@pytest.fixture(scope="module")
def unbroken(file: Path) -> dict[str, bytes]:
    assert carried_out(file, file.parent / "unbroken") == 0
    return results(file.parent / "unbroken")


def results(runs: Path) -> dict[str, bytes]:
    """Every figure and fitted array of the one run; the checkpoints have gone."""
    (folder,) = (path for path in runs.iterdir() if path.name.startswith("neural"))
    assert not (folder / "checkpoints").exists()
    found = [*folder.glob("models/*/*/*.safetensors"), *folder.glob("submission/*.csv"), folder / "metrics.json"]
    assert len(found) == 8 + 2 + 1
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def after_steps(patch: pytest.MonkeyPatch, count: int, act: Callable[[], object]) -> None:
    """Do `act` in the step of this number, over all trainings."""
    step, done = train._Loop._step, 0

    def counted(self: Any, given: Any) -> float:
        nonlocal done
        done += 1
        if done == count:
            act()
        return step(self, given)

    patch.setattr(train._Loop, "_step", counted)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_run_stopped_again_and_again_at_every_stage_ends_with_the_same_bits(
    file: Path, unbroken: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, code: int,
    capsys: pytest.CaptureFixture[str],
) -> None:
    said, ended = "", [code]
    while ended[-1] == code:
        with monkeypatch.context() as patch:
            after_steps(patch, 14, lambda: os.kill(os.getpid(), number))
            ended.append(carried_out(file, tmp_path))
        said += capsys.readouterr().err
    assert ended[-1] == 0
    assert len(ended) > 8
    assert said.count("stopped: stopped before the end; what was done is kept") == len(ended) - 2
    assert "multi_vae: goes on after 3 epochs and 2 steps" in said
    assert results(tmp_path) == unbroken
    stages = {line["part"] for line in durable.read_lines(next(tmp_path.glob("neural-*/journal.jsonl")))
              if line["event"] == "resumed" and line["id"] == "multi_vae"}
    assert stages == {"valid", "test", "final"}


@pytest.mark.slow
def test_a_run_killed_in_its_fit_goes_on_and_can_be_reproduced(
    file: Path, unbroken: dict[str, bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for attempt in range(5):  # on a busy machine the fit may be over before it is seen to have begun
        runs = tmp_path / str(attempt)
        words = ["run", str(file), "--runs", str(runs), "--threads", "1"]
        running = subprocess.Popen([sys.executable, "-m", "matinee", *words], stderr=subprocess.DEVNULL)
        wait_for(lambda: epochs(runs) >= 3)  # noqa: B023
        running.kill()
        assert running.wait() == -signal.SIGKILL
        if list(runs.glob("neural-*/checkpoints/valid/multi_vae/0*")):
            break
    assert main(words) == 0
    assert "goes on after" in capsys.readouterr().err
    assert results(runs) == unbroken
    run = next(runs.glob("neural-*"))
    assert main(["reproduce", str(run)]) == 0
    assert main(words) == 0
    assert "is done already" in capsys.readouterr().err


def test_checkpoints_go_once_the_model_is_stored_and_not_before(
    file: Path, unbroken: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def full(*words: Any, **more: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(store.tensors, "write", full)
        assert carried_out(file, tmp_path, "--set", "models.multi_vae.id=multi_vae") == 5
    said = capsys.readouterr().err
    assert "cannot-write: the disk is full" in said
    with monkeypatch.context() as patch:
        patch.setattr(store, "save", full)
        assert carried_out(file, tmp_path) == 5
    assert len(list(tmp_path.glob("neural-*/checkpoints/valid/multi_vae/0*"))) >= 2
    assert carried_out(file, tmp_path) == 0
    assert "multi_vae: was trained to its end before" in capsys.readouterr().err
    assert results(tmp_path) == unbroken


@pytest.mark.filterwarnings("default")
def test_a_damaged_checkpoint_ends_the_command_with_6_and_the_same_bits(
    file: Path, unbroken: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with monkeypatch.context() as patch:
        after_steps(patch, 23, lambda: os.kill(os.getpid(), signal.SIGINT))
        assert carried_out(file, tmp_path) == 130
    newest = max(tmp_path.glob("neural-*/checkpoints/valid/multi_vae/0*"))
    (newest / "state.safetensors").write_bytes(b"")
    capsys.readouterr()
    assert carried_out(file, tmp_path) == 6
    said = capsys.readouterr().err.splitlines()
    assert f"warning: checkpoint {newest} is damaged and was passed over for 00005-000000000" in said[3]
    assert said[-1].startswith("damaged: done, and nothing is lost, but checkpoint ")
    assert results(tmp_path) == unbroken
    assert carried_out(file, tmp_path) == 0


def test_a_training_that_diverges_ends_with_3_and_publishes_nothing(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert carried_out(file, tmp_path, "--set", "models.multi_vae.lr=10", "--set", "models.multi_vae.beta=10") == 3
    assert "diverged: multi_vae: " in capsys.readouterr().err
    assert not list(tmp_path.glob("neural-*/models"))


def test_a_checkpoint_of_another_thread_count_is_refused_by_name(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with monkeypatch.context() as patch:
        after_steps(patch, 9, lambda: os.kill(os.getpid(), signal.SIGINT))
        assert carried_out(file, tmp_path) == 130
    capsys.readouterr()
    assert carried_out(file, tmp_path, "--threads", "2") == 4
    assert "other-training: 00002-000000001 is of another training: threads was 1 and is 2" in capsys.readouterr().err


def test_without_torch_neural_models_are_listed_and_the_extra_is_named(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "torch.py").write_text("raise ModuleNotFoundError(\"No module named 'torch'\", name='torch')")
    hidden = {"PYTHONPATH": f"{tmp_path}:{os.environ.get('PYTHONPATH', '')}"}
    listed = process("models", environment=hidden)
    assert listed.returncode == 0
    assert b"\nmulti_vae " in listed.stdout
    refused = process("run", file, "--runs", tmp_path, environment=hidden)
    assert refused.returncode == 2
    assert b"multi_vae needs torch, which is not installed; pip install 'matinee[torch]'" in refused.stderr
    with monkeypatch.context() as patch:
        patch.setattr(catalog, "import_module", missing("elsewhere"))
        with pytest.raises(ModuleNotFoundError):
            catalog.load("multi_vae")
        patch.setattr(catalog, "import_module", missing("torch.nn"))
        with pytest.raises(ConfigError, match="needs torch"):
            catalog.load("multi_vae")


def missing(name: str) -> Callable[[str], Any]:
    def raising(module: str) -> Any:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    return raising


def test_a_run_that_another_process_is_at_work_on_is_refused(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    codes = []
    with monkeypatch.context() as patch:
        after_steps(patch, 2, lambda: codes.append(carried_out(file, tmp_path)))
        assert carried_out(file, tmp_path) == 0
    assert codes == [ResourceError.exit_code]
    assert "in-use: another process is at work on this folder" in capsys.readouterr().err
