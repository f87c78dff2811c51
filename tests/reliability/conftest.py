"""A store of MLflow's for the tests of the mirror."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.reliability import tracked


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database that MLflow has made: it takes seconds, a copy none."""
    runs = tmp_path_factory.mktemp("migrated")
    with pytest.MonkeyPatch.context() as patch:
        from matinee.tracking.address import address
        from matinee.tracking.store import Store

        tracked.settings(patch, "")
        Store(address(runs))
    return runs / "mlflow" / "mlflow.db"


@pytest.fixture
def mirrored(tmp_path: Path, migrated: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for runs, with a store beside them."""
    tracked.settings(monkeypatch, "")
    tracked.copied(migrated, tmp_path / "runs" / "mlflow")
    return tmp_path / "runs"
