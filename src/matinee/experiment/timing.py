"""Seconds and peak memory of each step of a run."""

from __future__ import annotations

import contextlib
import resource
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matinee import durable


@dataclass(frozen=True)
class Timings:
    """Steps go to the journal as they end, so that a run that was stopped keeps what it knew."""

    journal: Path

    @contextlib.contextmanager
    def step(self, id_: str | None, stage: str, *, reused: bool = False) -> Iterator[None]:
        """Time a block. `stage` is what is done: fit:valid, score:test ...; `id_` the entry it is done for."""
        forget_peak()
        start = time.perf_counter()
        yield
        durable.append_line(
            self.journal,
            {
                "event": "step",
                "time": round(time.time(), 3),
                "id": id_,
                "stage": stage,
                "seconds": round(time.perf_counter() - start, 3),
                "peak_mb": round(peak_mb(), 1),
                "reused": reused,
            },
            sync=True,
        )

    def rows(self) -> list[dict[str, Any]]:
        """Rows of `timings.json`: the newest measurement of each step."""
        newest: dict[tuple[str | None, str], dict[str, Any]] = {}
        for line in durable.read_lines(self.journal):
            if line.get("event") == "step":
                row = {key: value for key, value in line.items() if key not in {"event", "time"}}
                newest[(row["id"], row["stage"])] = row
        return list(newest.values())


def peak_mb() -> float:
    """The largest resident memory since the last step began (of the process's life, where the kernel keeps no more)."""
    try:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def forget_peak() -> None:
    """What `peak_mb` tells begins here."""
    # Linux resets the high-water mark of resident memory on writing 5 here; elsewhere the mark is that of the process.
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
