"""Seconds and peak memory of each step of a run."""

from __future__ import annotations

import contextlib
import resource
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Timings:
    """Rows of `timings.json`, in the order the steps ended."""

    rows: list[dict[str, Any]] = field(default_factory=list)

    @contextlib.contextmanager
    def step(self, id_: str | None, stage: str) -> Iterator[None]:
        """Time a block. `stage` is what is done: load, split, fit, score, evaluate ...; `id_` the model it is done for."""
        _forget_peak()
        start = time.perf_counter()
        yield
        self.rows.append({"id": id_, "stage": stage, "seconds": round(time.perf_counter() - start, 3),
                          "peak_mb": round(peak_mb(), 1)})


def peak_mb() -> float:
    """The largest resident memory of this process since the last step began (or ever, where the kernel keeps no more)."""
    try:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _forget_peak() -> None:
    # Linux resets the high-water mark of resident memory on writing 5 here; elsewhere the mark is that of the process.
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
