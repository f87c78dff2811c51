"""Run folders, stores and servers for the tests of the mirror."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from matinee import durable
from matinee.experiment.folder import RunFolder
from matinee.tracking.address import address
from matinee.tracking.mirror import Mirror, locked
from matinee.tracking.store import SETTINGS, Store


def settings(monkeypatch: pytest.MonkeyPatch, uri: str) -> None:
    """MLflow's settings as ours, until the test ends, and no waiting."""
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)


def toy(runs: Path, id_: str = "toy-1a2b3c4d", *, epochs: int = 3, done: bool = True, **config: Any) -> RunFolder:
    """A run folder with everything that the mirror reads, and no model ever fitted."""
    folder = RunFolder(runs / id_)
    folder.write_json("manifest.json", {
        "run": id_,
        "config": {"name": "toy", "question": "why?", "seed": 0, "tracking": {"mlflow": True},
                   "models": [{"id": "a", "model": "bpr", "l2": 0.5}], **config},
        "code": {"commit": "c0ffee", "diff": None, "package": "p"},
        "data": {"hash": "d"}, "split": {"hash": "s"},
    })
    for epoch in range(1, epochs + 1):
        step(folder, epoch=epoch, loss=1 / epoch, validation=epoch / 10)
    durable.append_line(folder.journal, {"event": "step", "id": "a", "stage": "fit:valid", "seconds": 1.5,
                                         "peak_mb": 9.0, "reused": False})
    for name in ("models/valid/a/about.json", "models/valid/a/arrays.safetensors", "lists/test/a/part-0.parquet"):
        (folder.path / name).parent.mkdir(parents=True, exist_ok=True)
        (folder.path / name).write_bytes(name.encode() * 50)
    if done:
        row = {"id": "a", "part": "test", "segment": None, "metric": "ndcg@10", "value": 0.25, "low": 0.2, "high": 0.3,
               "users": 7}
        folder.write_json("metrics.json", {"rows": [row, {**row, "segment": "hidden_part=tail", "low": None}]})
        folder.write_json("timings.json", {"rows": []})
    return folder


def step(folder: RunFolder, **facts: Any) -> None:
    durable.append_line(folder.journal, {"event": "step-metrics", "id": "a", "part": "valid", "time": 1.5e9, **facts})


def mirror(folder: RunFolder) -> Mirror:
    return Mirror(folder, Store(address(folder.path.parent)))


def brought_up(folder: RunFolder) -> Mirror:
    with locked(folder):
        found = mirror(folder)
        found.catch_up(ended=folder.is_done)
        found.end("FINISHED" if folder.is_done else "RUNNING")
    return found


def history(folder: RunFolder) -> dict[str, list[tuple[int, float]]]:
    """Everything that MLflow has of the run: metric -> steps and values, in the order of steps."""
    run = one_run(folder)
    client = mirror(folder).store._client
    return {key: sorted((one.step, one.value) for one in client.get_metric_history(run.info.run_id, key))
            for key in run.data.metrics}


def one_run(folder: RunFolder) -> Any:
    """The folder's run in MLflow; there is no second one."""
    client = mirror(folder).store._client
    experiment = client.get_experiment_by_name(folder.manifest["config"]["name"])
    runs = client.search_runs([experiment.experiment_id], f"tags.`matinee.run` = '{folder.id}'")
    assert len(runs) == 1
    return runs[0]


def assert_complete(folder: RunFolder, epochs: int = 3) -> None:
    """Each (key, step) once, with its value."""
    found = history(folder)
    assert found["a/fit/valid/loss"] == [(epoch, 1 / epoch) for epoch in range(1, epochs + 1)]
    assert found["a/fit/valid/validation"] == [(epoch, epoch / 10) for epoch in range(1, epochs + 1)]
    assert found["a/fit/valid/seconds"] == [(0, 1.5)]
    assert found["a/test/ndcg_at_10"] == [(0, 0.25)]
    assert found["a/test/hidden_part/tail/ndcg_at_10/high"] == [(0, 0.3)]
    for key, points in found.items():
        assert max(Counter(at for at, _ in points).values()) == 1, key


@contextmanager
def server(folder: Path, database: Path, port: int) -> Iterator[str]:
    """MLflow's own server with its proxy for files; nothing of it is left afterwards."""
    words = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
             "--backend-store-uri", f"sqlite:///{database}", "--serve-artifacts",
             "--artifacts-destination", str(folder / "kept")]
    environment = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_TRACKING_URI": ""}
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(words, stdout=log, stderr=log, cwd=folder, env=environment, start_new_session=True)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, 15)
        process.wait(30)


def matinee(*words: str, expect: int | None = 0) -> str:
    """The command in its own process."""
    done = subprocess.run([sys.executable, "-m", "matinee", *words], capture_output=True, text=True, timeout=120,
                          check=False)
    assert expect is None or done.returncode == expect, done.stderr
    return done.stdout + done.stderr


def copied(migrated: Path, folder: Path) -> Path:
    """A database of its own: migrations take seconds, a copy none."""
    folder.mkdir(parents=True, exist_ok=True)
    return Path(shutil.copy(migrated, folder / "mlflow.db"))
