"""What a run folder has to say to MLflow: points of metrics, parameters, tags and files. No MLflow here."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from matinee import durable
from matinee.experiment.folder import NOTES, THOUGHTS, RunFolder
from matinee.tracking.names import LONGEST_TAG, LONGEST_VALUE, cut, flat, mapped, number

PARAMETERS = 1000
"""At most; the whole configuration is a file beside them."""
TOLD = 50
"""Replaced numbers that the tag names; it counts the others."""
STEPS = ("epoch", "trees")
"""Fields of a journal's line that say which step its numbers are of."""

RESULTS = ("manifest.json", "metrics.json", "timings.json", NOTES, "report.html", "submission/*.csv", "outside/*")
LARGE = ("lists/**/*", "models/**/*")


@dataclass(frozen=True)
class Point:
    key: str
    step: int
    value: float
    time: int
    """Milliseconds since 1970."""


@dataclass
class Points:
    """The points of a run in order, one for each (key, step): what a resumed fit repeats is said once."""

    found: dict[tuple[str, int], Point] = field(default_factory=dict)
    replaced: list[str] = field(default_factory=list)
    shortened: dict[str, str] = field(default_factory=dict)
    """Names that were too long: as they are in MLflow, and in full."""
    _count: Counter[tuple[str, ...]] = field(default_factory=Counter)

    def add_line(self, line: Mapping[str, Any], made: int) -> None:
        """One line of the journal. made: the time of lines that have none."""
        time = int(1000 * line["time"]) if isinstance(line.get("time"), int | float) else made
        id_ = line.get("id") or "_run"
        if line.get("event") == "step":
            place = (id_, *str(line["stage"]).split(":"))
            step = self._next(*place, "seconds")
            names = ["seconds", "peak_mb"]
        elif line.get("event") == "step-metrics":
            place = (id_, "fit", str(line.get("part", "")))
            counted = next((name for name in STEPS if isinstance(line.get(name), int)), None)
            names = [name for name in line if name not in {"id", "part", "time", "event", counted}]
            step = line[counted] if counted else self._next(*place, *names)
        else:
            return
        for name in names:
            self._add((*place, name), step, line.get(name), time)

    def add_metrics(self, rows: list[dict[str, Any]], time: int) -> None:
        """The rows of metrics.json, with their intervals."""
        for row in rows:
            segment = [] if row["segment"] is None else str(row["segment"]).split("=", 1)
            place = (row["id"], row["part"], *segment, row["metric"])
            for name, inner in (("value", ()), ("low", ("low",)), ("high", ("high",))):
                self._add((*place, *inner), 0, row[name], time)

    @property
    def replaced_in_words(self) -> str:
        """For a tag: which numbers MLflow has otherwise."""
        more = len(self.replaced) - TOLD
        return "; ".join(self.replaced[:TOLD]) + (f"; {more} more" if more > 0 else "")

    def _add(self, parts: tuple[str, ...], step: int, value: Any, time: int) -> None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return
        name = mapped(*parts)
        key = cut(name)
        if (key, step) in self.found:
            return
        if key != name:
            self.shortened[key] = name
        kept, otherwise = number(value)
        if otherwise:
            self.replaced.append(f"{cut(key, 60)} at {step}: {cut(repr(value), 40)}")
        self.found[key, step] = Point(key, step, kept, time)

    def _next(self, *place: str) -> int:
        self._count[place] += 1
        return self._count[place] - 1


def points(folder: RunFolder) -> tuple[Points, int]:
    """Everything that the folder says so far, and how many lines its journal had."""
    lines = durable.read_lines(folder.journal)
    found, made = Points(), milliseconds(folder.path / "manifest.json")
    for line in lines:
        found.add_line(line, made)
    metrics = folder.path / "metrics.json"
    if metrics.is_file():
        found.add_metrics(json.loads(metrics.read_text())["rows"], milliseconds(metrics))
    return found, len(lines)


def parameters(manifest: Mapping[str, Any]) -> tuple[dict[str, str], int]:
    """The configuration with dots, and how many parameters were too many."""
    config = {key: value for key, value in manifest["config"].items() if key not in THOUGHTS}
    all_ = dict(flat(config))
    kept = {cut(name): cut(value, LONGEST_VALUE) for name, value in list(all_.items())[:PARAMETERS]}
    return kept, max(0, len(all_) - PARAMETERS)


def tags(folder: RunFolder, left_out: int) -> dict[str, str]:
    """Where the run comes from and what was thought of it. `matinee.run` is its folder's name."""
    manifest = folder.manifest
    code = manifest["code"]
    told = {
        "mlflow.source.name": "matinee",
        "mlflow.source.type": "LOCAL",
        "mlflow.source.git.commit": code["commit"],
        "mlflow.note.content": "\n\n".join(f"{what}: {said}" for what, said in folder.thoughts.items()) or None,
        "matinee.run": manifest["run"],
        "matinee.code_changed": None if code["commit"] is None else json.dumps(code["diff"] is not None),
        "matinee.package_hash": code["package"],
        "matinee.data_hash": manifest["data"]["hash"],
        "matinee.split_hash": manifest["split"]["hash"],
        "matinee.parameters_left_out": str(left_out) if left_out else None,
    }
    return {name: cut(value, LONGEST_TAG) for name, value in told.items() if value is not None}


def files(folder: RunFolder, *, ended: bool) -> Iterator[tuple[Path, str]]:
    """What becomes an artefact, small things first, and its path there: regular files below the folder, by name.

    The journal grows until the run has ended. Everything else is whole as soon as it is there.
    """
    names = (*RESULTS, "journal.jsonl", *LARGE) if ended else (*RESULTS, *LARGE)
    for pattern in names:
        for path in sorted(folder.path.glob(pattern)):
            name = path.relative_to(folder.path)
            if path.is_file() and not path.is_symlink() and not any(part.startswith(".") for part in name.parts):
                yield path, name.as_posix()


def milliseconds(path: Path) -> int:
    """Since 1970, when a file was changed last."""
    return path.stat().st_mtime_ns // 1_000_000
