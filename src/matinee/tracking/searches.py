"""A search in MLflow: a run of its own, and inside it one for each trial that came to an end.

It is told when `matinee tune` ends, or by `matinee track sync`. A trial never changes once it has ended, so one that
MLflow has as ended is passed over; what was sent in part is made whole.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from matinee import durable
from matinee.tracking.address import address, without_credentials
from matinee.tracking.content import Point, milliseconds
from matinee.tracking.names import LONGEST_TAG, LONGEST_VALUE, cut, flat, mapped, number
from matinee.tracking.store import Store

STATUS = {"done": "FINISHED", "pruned": "KILLED", "failed": "FAILED"}
FILES = ("tune.json", "tuned.yaml", "tune.html")


def mirrored_searches(runs: Path) -> list[Path]:
    """Folders of searches below `runs` that were mirrored, or asked to be."""
    return [folder for folder in searches_in(runs) if _note(folder).is_file() or _wants(folder)]


def searches_in(runs: Path) -> list[Path]:
    """Folders of searches that have come to something."""
    return [path.parent for path in sorted(runs.glob("[!.]*-tune-*/tune.json"))]


def named(name: str, runs: Path) -> Path | None:
    """The search whose folder, or whose folder's name below `runs`, this is; None where it is none."""
    return next((place for place in (Path(name), runs / name) if (place / "tune.json").is_file()), None)


def bring_up_to_date(folder: Path, runs: Path) -> int:
    """Tell MLflow what it lacks of a search; how many trials it has. It goes to MLFLOW_TRACKING_URI, else to where the
    search was mirrored before, else to a file in `runs`.

    Raises Outage or UsageError, after either call it again; ResourceError where another process is at it.
    """
    with durable.lock(folder / "tracking"):
        durable.sweep(folder / "tracking")
        note = _note(folder)
        place = address(runs, json.loads(note.read_text())["address"] if note.is_file() else None)
        durable.write_json(note, {"address": without_credentials(place.uri)})
        return _Search(folder, json.loads((folder / "tune.json").read_text()), Store(place)).tell()


@dataclass(frozen=True, eq=False)
class _Search:
    folder: Path
    found: Mapping[str, Any]
    """As tune.json has it."""
    store: Store

    def tell(self) -> int:
        ended, trials = milliseconds(self.folder / "tune.json"), list(self._trials())
        started = min((start for start, _, _ in trials), default=ended)
        run, was_there = self.store.run(self.name, self._token(), self.folder.name, started)
        code = self.found["code"]
        told = {"mlflow.source.name": "matinee", "mlflow.source.type": "LOCAL",
                "mlflow.source.git.commit": code["commit"], "matinee.search": self.folder.name,
                "matinee.metric": self.found["metric"], "matinee.budget": self.found["budget"]["words"]}
        self.store.add_words(run, {}, {name: value for name, value in told.items() if value is not None})
        for start, end, facts in trials:
            self._tell_trial(run, start, end, facts)
        self._add_points(run, list(self._bests(ended)), self.store.known(run).metrics if was_there else ())
        self.store.check_artefacts(run)
        for name in FILES:
            if (self.folder / name).is_file():
                self.store.add_file(run, self.folder / name, name)
        self.store.set_status(run, "FINISHED", ended)
        return len(trials)

    @property
    def name(self) -> str:
        return str(self.found["config"]["name"])

    def _bests(self, time: int) -> Iterator[Point]:
        """Each model as it is written and at its best, by how many trials were made: a larger budget adds a step."""
        for row in self.found["models"]:
            for what, value in (("as_written", row["first"]), ("best", (row["best"] or {}).get("value"))):
                if value is not None:
                    yield Point(mapped(row["id"], what), row["tried"], number(value)[0], time)

    def _tell_trial(self, parent: str, start: int, end: int, facts: Mapping[str, Any]) -> None:
        id_, number_ = facts["id"], facts["number"]
        run, was_there = self.store.run(self.name, self._token(id_, number_), f"{id_} {number_}", start)
        had = self.store.known(run) if was_there else None
        if had and had.status != "RUNNING":
            return
        settings = {cut(name): cut(value, LONGEST_VALUE) for name, value in flat(facts["settings"])}
        told = {"mlflow.parentRunId": parent, "matinee.search": self.folder.name, "matinee.trial": f"{id_}/{number_}",
                "matinee.model": facts["model"], "matinee.state": facts["state"], "matinee.why": facts["why"]}
        self.store.add_words(run, settings, {name: cut(value, LONGEST_TAG) for name, value in told.items() if value})
        value = facts["value"] if facts["state"] == "done" else None
        points = [(mapped(self.found["metric"]), 0, value), ("seconds", 0, facts["seconds"]),
                  ("peak_mb", 0, facts["peak_mb"]),
                  *(("validation", step, one) for step, one in enumerate(facts["reports"], 1))]
        self._add_points(run, [Point(key, step, number(one)[0], end) for key, step, one in points if one is not None],
                         had.metrics if had else ())
        self.store.set_status(run, STATUS[facts["state"]], end)

    def _add_points(self, run: str, points: list[Point], metrics: Sequence[str]) -> None:
        """Those of them that MLflow has not, which knows these metrics of the run."""
        had = {key: self.store.steps(run, key) for key in metrics}
        if missing := [one for one in points if one.step not in had.get(one.key, ())]:
            self.store.add_points(run, missing)

    def _trials(self) -> Iterator[tuple[int, int, dict[str, Any]]]:
        """Each trial with its beginning and end, in milliseconds since 1970; as far as the folder knows them."""
        for row in self.found["models"]:
            for trial in row["trials"]:
                values = self.folder / "values" / row["id"] / f"{trial['number']}.npy"
                end = milliseconds(values if values.is_file() else self.folder / "tune.json")
                yield end - int(1000 * trial["seconds"]), end, {"id": row["id"], "model": row["model"], **trial}

    def _token(self, *which: object) -> str:
        """The same for the same search and trial."""
        return hashlib.sha256(json.dumps([self.folder.name, *which]).encode() + self._begun).hexdigest()[:32]

    @cached_property
    def _begun(self) -> bytes:
        """The first line of the search's journal, which names the process that wrote it: no two searches have the
        same."""
        with (self.folder / "trials.log").open("rb") as file:
            return file.readline()


def _wants(folder: Path) -> bool:
    config = json.loads((folder / "tune.json").read_text())["config"]
    return bool(config.get("tracking", {}).get("mlflow"))


def _note(folder: Path) -> Path:
    return folder / "tracking" / "mirror.json"
