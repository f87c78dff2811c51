"""Fixtures that several folders share."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from matinee.experiment.folder import RunFolder

os.environ.pop("MATINEE_RUNS", None)  # pages show ./runs, and whoever runs tests keeps runs of his own elsewhere


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """The finished run of the small experiment. Read it; do not write into it."""
    from tests.small_run import finished  # most tests need no run, and this imports everything

    return finished(tmp_path_factory.mktemp("small"))


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    return tmp_path / "runs"
