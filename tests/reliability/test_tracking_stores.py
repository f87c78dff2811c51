"""The mirror without MLflow, and with a database that is locked, full, damaged or gone."""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from matinee import durable
from matinee.cli.main import main
from matinee.errors import UsageError
from matinee.experiment.folder import RunFolder
from matinee.tracking.address import Outage, address
from matinee.tracking.mirror import State
from tests.reliability import tracked
from tests.reliability.tracked import brought_up, history, mirror, step, toy

pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SADeprecationWarning")

EXPERIMENT = """
name: tracked
data: {path: "synthetic:60x30:3"}
models: [{model: popularity}]
tracking: {mlflow: true}
"""


@pytest.mark.parametrize("import_", ["raise ImportError('no mlflow here')", "import time; time.sleep(60)"])
def test_R1_without_mlflow_the_run_is_done_and_says_so(
    mirrored: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], import_: str
) -> None:
    (tmp_path / "shadow" / "mlflow").mkdir(parents=True)
    (tmp_path / "shadow" / "mlflow" / "__init__.py").write_text(import_)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path / "shadow"), *sys.path]))
    (tmp_path / "e.yaml").write_text(EXPERIMENT)
    started = time.monotonic()
    assert main(["run", str(tmp_path / "e.yaml"), "--runs", str(mirrored)]) == 6
    assert time.monotonic() - started < 55
    said = capsys.readouterr().err
    assert "track sync" in said
    assert ("matinee[track]" in said) == ("no mlflow" in import_)
    folder = RunFolder(next(mirrored.glob("tracked-*")))
    assert folder.is_done
    assert len(durable.read_lines(folder.journal)) > 3


def locked_elsewhere(path: Path) -> Callable[[], object]:
    other = sqlite3.connect(path)
    other.execute("BEGIN EXCLUSIVE")
    return other.close


def every_connection(pragma: str) -> Callable[[], object]:
    """What SQLite itself does when a disk is full or read-only; the superuser, who runs tests, may write anywhere."""

    def hook(connection: Any, record: Any, proxy: Any) -> None:
        connection.execute(pragma)

    event.listen(Engine, "checkout", hook)
    return lambda: event.remove(Engine, "checkout", hook)


FAULTS: dict[str, Callable[[Path], Callable[[], object]]] = {
    "locked": locked_elsewhere,
    "readonly": lambda path: every_connection("PRAGMA query_only = 1"),
    "full": lambda path: every_connection("PRAGMA max_page_count = 1"),
}


def test_R3_a_database_in_trouble_loses_nothing(mirrored: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, fault in FAULTS.items():
        folder = toy(mirrored, f"{name}-1a2b3c4d", done=False, epochs=2)
        follower = brought_up(folder)
        step(folder, epoch=3, loss=1 / 3, **{f"m{at}": at for at in range(500)})  # more than a page
        before = folder.journal.read_bytes()
        with monkeypatch.context() as patch:
            patch.setattr(follower.store._client._tracking_client.store, "_run_with_deadlock_retry",
                          lambda do, *words: do(*words))
            mend = fault(mirrored / "mlflow" / "mlflow.db")
            started = time.monotonic()
            try:
                with pytest.raises(Outage):
                    follower.catch_up(ended=False)
            finally:
                mend()
            assert time.monotonic() - started < 5, name
            follower.store._client._tracking_client.store.engine.dispose()
        assert folder.journal.read_bytes() == before
        assert "track sync" not in (State.of(folder).trouble or "")
        follower.catch_up(ended=False)
        assert history(folder)["a/fit/valid/loss"] == [(1, 1.0), (2, 0.5), (3, 1 / 3)], name


@pytest.mark.parametrize(
    ("damage", "said"),
    [(lambda path: path.write_bytes(b"SQLite format 2" * 500), "not a database"),
     (lambda path: _sql(path, "UPDATE alembic_version SET version_num = 'newer'"), "out-of-date|upgrade"),
     (lambda path: path.unlink(), None),
     (lambda path: os.replace(shutil.copy(path, path.with_name("other.db")), path), None)],
)
def test_a_database_that_is_damaged_of_another_version_or_gone(
    mirrored: Path, tmp_path: Path, migrated: Path, monkeypatch: pytest.MonkeyPatch, damage: Callable[[Path], object],
    said: str | None,
) -> None:
    own = tracked.copied(migrated, tmp_path / "own")
    folder = toy(mirrored, done=False)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{own}")
    if said:
        damage(own)
        with pytest.raises(Outage, match=said):
            mirror(folder)
        return
    follower = brought_up(folder)
    step(folder, epoch=4, loss=0.1)
    damage(own)
    with pytest.raises(Outage, match="deleted"):
        follower.catch_up(ended=False)
    tracked.copied(migrated, tmp_path / "new")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'new' / 'mlflow.db'}")
    brought_up(folder)
    assert len(history(folder)["a/fit/valid/loss"]) == 4


def _sql(path: Path, words: str) -> None:
    with sqlite3.connect(path) as database:
        database.execute(words)
    database.close()


def test_a_store_that_cannot_be_written_to_is_refused_before_any_work(
    mirrored: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "e.yaml").write_text(EXPERIMENT.replace("tracking: {mlflow: true}", ""))
    for uri in ("file:///tmp/mlruns", "databricks", "https+x://h", "sqlite://", "ftp://me:hunter2@host"):
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
        assert main(["run", str(tmp_path / "e.yaml"), "--runs", str(mirrored)]) == 2
        said = capsys.readouterr().err
        assert "unknown-store" in said
        assert "hunter2" not in said
    assert not list(mirrored.glob("tracked-*"))
    with pytest.raises(UsageError):
        address(mirrored)
    assert "hunter2" not in str(Outage("http://me:hunter2@host: away"))
