"""Where tests find the real data sets: MATINEE_TEST_DATA, a folder that holds `ml-1m`, `movietweetings` and others."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def data_folder(name: str) -> Path:
    """The folder of one real data set; the test that asks is skipped where MATINEE_TEST_DATA is not set."""
    root = os.environ.get("MATINEE_TEST_DATA")
    if not root:
        pytest.skip("MATINEE_TEST_DATA is not set")
    folder = Path(root, name)
    assert folder.is_dir(), f"MATINEE_TEST_DATA has no {name}"
    return folder
