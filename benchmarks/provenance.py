"""Where a figure comes from: commit, machine, versions, threads, load. Stands at the top of every result file."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from matinee.experiment import fingerprint

SHOWN = ("matinee", "numpy", "scipy", "numba", "polars", "threadpoolctl")


def provenance(seeds: Iterable[int], threads: int) -> dict[str, Any]:
    """JSON-able. `changed` is true where the package differs from its commit; `package` hashes what really ran."""
    code, versions = fingerprint.code_state(), fingerprint.versions()
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "commit": code["commit"],
        "changed": code["diff"] is not None,
        "package": code["package"],
        "machine": fingerprint.machine(),
        "threads": threads,
        "load_average": load(),
        "seeds": list(seeds),
        "versions": {name: versions[name] for name in SHOWN if name in versions},
    }


def load() -> list[float]:
    """The load average over 1, 5 and 15 minutes."""
    return [round(value, 2) for value in os.getloadavg()]


def told(origin: Mapping[str, Any]) -> list[str]:
    """The same as lines of Markdown."""
    machine, commit = origin["machine"], (origin["commit"] or "unknown")[:12]
    return [
        f"- {origin['date']}, commit {commit}{' with changes' if origin['changed'] else ''}",
        f"- {machine['processor']}, {machine['cores']} cores, {machine['memory_gb']} GB, Python {machine['python']}; "
        f"{origin['threads']} threads; load average at the start {origin['load_average'][0]}",
        f"- seeds {', '.join(map(str, origin['seeds']))}; "
        + ", ".join(f"{name} {version}" for name, version in origin["versions"].items()),
    ]


def table(head: list[str], rows: Iterable[Iterable[object]]) -> list[str]:
    """Lines of a Markdown table."""
    body = [f"| {' | '.join(str(cell) for cell in row)} |" for row in rows]
    return [f"| {' | '.join(head)} |", f"|{'|'.join('---' for _ in head)}|", *body]


def write(folder: Path, results: Mapping[str, Any], lines: Iterable[str]) -> None:
    """results.json and results.md."""
    (folder / "results.json").write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", "utf-8")
    (folder / "results.md").write_text("\n".join(lines) + "\n", "utf-8")
