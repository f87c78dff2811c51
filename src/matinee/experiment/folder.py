"""The run folder: where each artefact of a run stands, for everything that comes after the run."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from matinee import durable
from matinee.data import item_vectors
from matinee.data.dataset import Dataset
from matinee.data.item_vectors import NATIVE, ItemVectors
from matinee.errors import ModelError
from matinee.experiment.dataset_store import load_dataset, load_split
from matinee.split.parts import Split

NOTES = "notes.jsonl"
THOUGHTS = ("question", "expect", "conclusion")
MOST_NAMED = 5
"""Runs that an error names."""

Vectors = Mapping[str, Mapping[str, ItemVectors]]
"""Item vectors by the name that recipes call them, and by stage."""


@dataclass(frozen=True)
class RunFolder:
    path: Path

    @classmethod
    def open(cls, path: Path) -> RunFolder:
        """An existing run. Raises ModelError where `path` is none."""
        if not (path / "manifest.json").is_file():
            raise ModelError(
                "no-run",
                "this is not a run folder: it has no manifest.json",
                "give the folder that `matinee run` printed, such as runs/demo-1a2b3c4d",
                path,
            )
        return cls(path)

    @property
    def id(self) -> str:
        return self.path.name

    @cached_property
    def manifest(self) -> dict[str, Any]:
        return self._json("manifest.json")

    @cached_property
    def metrics(self) -> list[dict[str, Any]]:
        """Rows of id, part, segment, metric, value, low, high, users."""
        return list(self._json("metrics.json")["rows"])

    @cached_property
    def timings(self) -> list[dict[str, Any]]:
        """Rows of id, stage, seconds, peak_mb."""
        return list(self._json("timings.json")["rows"])

    @property
    def thoughts(self) -> dict[str, str]:
        """What was asked, expected and concluded, as far as it was said: the newest conclusion, the rest as it was."""
        said = {what: self.manifest["config"].get(what) for what in THOUGHTS}
        for line in durable.read_lines(self.path / NOTES):
            said["conclusion"] = line["conclusion"]
        return {what: text for what, text in said.items() if text}

    def conclude(self, text: str) -> None:
        """Write a conclusion beside the run. The page without it goes; the next `run` or `conclude` makes it anew."""
        with durable.lock(self.path):
            made = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            durable.append_line(self.path / NOTES, {"made": made, "conclusion": text}, sync=True)
            (self.path / "report.html").unlink(missing_ok=True)

    @property
    def journal(self) -> Path:
        return self.path / "journal.jsonl"

    @cached_property
    def dataset(self) -> Dataset:
        """The whole data set, final histories included."""
        return load_dataset(self.path / "dataset")

    @cached_property
    def split(self) -> Split:
        return load_split(self.path / "split")

    @cached_property
    def vectors(self) -> Vectors:
        """The item vectors that its models asked for. Raises ModelError where one is not what it was."""
        found: dict[str, ItemVectors] = {}
        for hash_ in {hash_ for stages in self.manifest.get("vectors", {}).values() for hash_ in stages.values()}:
            found[hash_] = item_vectors.read(self._vectors(hash_))
            if found[hash_].hash != hash_:
                raise ModelError("damaged", "these item vectors are not what was written", "run the experiment again",
                                 self._vectors(hash_))
        return {name: {stage: found[hash_] for stage, hash_ in stages.items()}
                for name, stages in self.manifest.get("vectors", {}).items()}

    def keep_vectors(self, vectors: Vectors) -> dict[str, dict[str, str]]:
        """Copies that stay when the file or the run is gone; their hashes, for the manifest."""
        for one in {one.hash: one for stages in vectors.values() for one in stages.values()}.values():
            item_vectors.write(self._vectors(one.hash), one)
        return {name: {stage: one.hash for stage, one in stages.items()} for name, stages in vectors.items()}

    def lists(self, stage: str, id_: str) -> Path:
        """The folder of one entry's lists; where test shares valid's scorer its lists are still its own."""
        return self.path / "lists" / stage / id_

    def kept_lists(self, address: str, stage: str) -> Path:
        """Where copies of the lists of another run's entry stand, so that this run can be done again without it."""
        return self.path / "members" / member_folder(address) / stage

    def model(self, stage: str, id_: str) -> Path:
        """The folder of one fitted model; test's is valid's where nothing was refitted."""
        return self.path / "models" / self.shared.get(stage, stage) / id_

    @property
    def shared(self) -> dict[str, str]:
        return dict(self.manifest["shared"])

    @property
    def is_done(self) -> bool:
        return (self.path / "timings.json").is_file()

    def submission(self, id_: str) -> Path:
        return self.path / "submission" / f"{id_}.csv"

    def write_json(self, name: str, content: Any) -> None:
        durable.write_json(self.path / name, content)

    def _vectors(self, hash_: str) -> Path:
        return self.path / "vectors" / f"{hash_[:16]}{NATIVE}"

    def _json(self, name: str) -> dict[str, Any]:
        path = self.path / name
        if not path.is_file():
            raise ModelError(
                "no-run",
                f"{name} is missing: the run has not come that far",
                "run the experiment again; it goes on where it stopped",
                self.path,
            )
        return dict(json.loads(path.read_text()))


def member_folder(address: str) -> str:
    """The folder of the copies that were made of RUN/ID."""
    return hashlib.sha256(address.encode()).hexdigest()[:16]


def runs_in(runs: Path) -> list[RunFolder]:
    """Every run below `runs`, finished or not, by its folder's name."""
    return [RunFolder(path.parent) for path in sorted(runs.glob("[!.]*/manifest.json"))]


def find(address: str, runs: Path) -> tuple[RunFolder, str | None]:
    """`RUN` or `RUN/ID`, RUN a path, a run's id below `runs`, or the beginning of exactly one run's id."""
    run, _, entry = address.rstrip("/").rpartition("/")
    for name, id_ in ((address, None), (run, entry)):
        if name and (found := _run_named(name, runs)):
            return found, id_
    raise ModelError(
        "no-run",
        f"no run answers to {address!r}",
        f"`matinee runs --runs {runs}` lists them; an entry of one is RUN/ID, such as demo-1a2b3c4d/ease",
    )


def _run_named(name: str, runs: Path) -> RunFolder | None:
    """Raises ModelError where several ids begin so."""
    for path in (Path(name), runs / name):
        if (path / "manifest.json").is_file():
            return RunFolder(path)
    near = [folder for folder in runs_in(runs) if folder.id.startswith(name)]
    if len(near) > 1:
        shown = ", ".join(folder.id for folder in near[:MOST_NAMED]) + (" ..." if len(near) > MOST_NAMED else "")
        raise ModelError("several-runs", f"{len(near)} runs begin with {name!r}: {shown}",
                         f"write more of the id; `matinee runs --runs {runs}` lists them")
    return near[0] if near else None
