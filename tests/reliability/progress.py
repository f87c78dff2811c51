"""What a run in another process has done so far."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path


def epochs(runs: Path) -> int:
    return sum(path.read_text().count('"validation"') for path in runs.glob("*/journal.jsonl"))


def wait_for(happened: Callable[[], bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)
