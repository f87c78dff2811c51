"""Bring MLflow up to a run folder: each (key, step) once, whoever was killed in between.

What is there already is asked of MLflow itself, never remembered: at the beginning, and again after anything went
wrong. `tracking/mirror.json` in the folder says how far it came, for whoever wants to know without asking.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from matinee import durable
from matinee.errors import ResourceError, UsageError
from matinee.experiment.folder import RunFolder
from matinee.tracking.address import Outage, without_credentials
from matinee.tracking.content import files, parameters, points, tags
from matinee.tracking.store import METRICS, Store, batched

NAMES = "names.json"


@dataclass
class State:
    """What is known of a folder's mirror. Damaged or lost it costs questions, never a double."""

    address: str = ""
    run: str = ""
    status: str = "RUNNING"
    """As the run is."""
    told: str = ""
    """As MLflow has it."""
    points: int = 0
    lines: int = 0
    files: dict[str, list[int]] = field(default_factory=dict)
    """Name -> size and time of change of what was copied."""
    trouble: str | None = None
    """What went wrong last."""

    @classmethod
    def of(cls, folder: RunFolder) -> State:
        try:
            return cls(**json.loads(_path(folder).read_text()))
        except (OSError, ValueError, TypeError):
            return cls()

    def write(self, folder: RunFolder) -> None:
        durable.write_json(_path(folder), asdict(self))


def is_mirrored(folder: RunFolder) -> bool:
    return _path(folder).is_file()


def behind(folder: RunFolder) -> str | None:
    """What MLflow lacks of a run that has ended, in words; None where it has everything."""
    if not is_mirrored(folder):
        return "nothing of this run is there yet"
    state = State.of(folder)
    found, lines = points(folder)
    missing = []
    if (len(found.found), lines) != (state.points, state.lines):
        missing.append(f"{max(0, len(found.found) - state.points):,} figures")
    if left := sum(state.files.get(name) != _stamp(path) for path, name in _files(folder, ended=True)):
        missing.append(f"{left:,} files")
    if state.told != state.status or state.status == "RUNNING":
        missing.append("its end")
    if not missing:
        return None
    return f"{', '.join(missing)} of this run are missing there" + (f" ({state.trouble})" if state.trouble else "")


class Mirror:
    """One run folder and its run in MLflow. Use it under `locked`."""

    def __init__(self, folder: RunFolder, store: Store) -> None:
        self.folder, self.store, self.state = folder, store, State.of(folder)
        self._known: dict[str, set[int] | None] | None = None
        """Metric -> its steps; None for steps that nobody has asked for yet."""
        self._seen: list[list[int]] | None = None
        """The journal and metrics.json as they were when MLflow had all of them."""
        address = without_credentials(store.address.uri)
        if self.state.address != address:
            self.state = State(address=address, status=self.state.status)

    def catch_up(self, *, ended: bool, stop: Callable[[], bool] = lambda: False) -> None:
        """All that the folder has and MLflow has not. Raises Outage or UsageError; after it, call again or not.

        stop: asked between files; what is left then is for the next call.
        """
        with self._trouble_noted():
            self._catch_up_figures()
            for path, name in _files(self.folder, ended=ended):
                if stop():
                    return
                self._copy(path, name)
            if self.state.trouble:
                self.state.trouble = None
                self._write()

    def end(self, status: str) -> None:
        """Tell MLflow how the run is. Raises Outage."""
        if self.state.status != status:
            self.state.status = status
            self._write()
        with self._trouble_noted():
            self._open()
            if self.state.told != status:
                journal = self.folder.journal
                at = journal.stat().st_mtime_ns // 1_000_000 if journal.exists() else None
                self.store.set_status(self.state.run, status, at)
                self.state.told = status
                self._write()

    def _open(self) -> dict[str, set[int] | None]:
        """What the run in MLflow has; made where it is not, with its parameters and tags."""
        if self._known is not None:
            return self._known
        manifest, file = self.folder.manifest, self.folder.path / "manifest.json"
        token = hashlib.sha256(self.folder.id.encode() + file.read_bytes()).hexdigest()[:32]
        made = file.stat().st_mtime_ns // 1_000_000
        run, was_there = self.store.run(manifest["config"]["name"], token, self.folder.id, made)
        if run != self.state.run:  # another store, or this one was emptied
            self.state.run, self.state.files, self.state.told = run, {}, "" if was_there else "RUNNING"
        had = self.store.known(run) if was_there else None
        wanted, left_out = parameters(manifest)
        told = tags(self.folder, left_out)
        if had:
            wanted = {name: value for name, value in wanted.items() if name not in had.parameters}
            told = {name: value for name, value in told.items() if had.tags.get(name) != value}
        self.store.add_words(run, wanted, told)
        self._known = dict.fromkeys(had.metrics if had else ())
        self._write()
        return self._known

    def _catch_up_figures(self) -> None:
        known = self._open()
        sources = [_stamp(path) for path in (self.folder.journal, self.folder.path / "metrics.json") if path.is_file()]
        if sources == self._seen:
            return
        found, lines = points(self.folder)
        missing = [one for one in found.found.values() if one.step not in self._steps(known, one.key)]
        for some in batched(missing, METRICS):
            self.store.add_points(self.state.run, some)
            for one in some:
                self._steps(known, one.key).add(one.step)
        if found.replaced:
            self.store.add_words(self.state.run, {}, {"matinee.replaced": found.replaced_in_words})
        if found.shortened:
            _write_if_new(self.folder.path / "tracking" / NAMES, found.shortened)
        self.state.points, self.state.lines = len(found.found), lines
        self._write()
        self._seen = sources

    def _steps(self, known: dict[str, set[int] | None], key: str) -> set[int]:
        steps = known.setdefault(key, set())
        if steps is None:
            steps = known[key] = self.store.steps(self.state.run, key)
        return steps

    def _copy(self, path: Path, name: str) -> None:
        stamp = _stamp(path)
        if self.state.files.get(name) == stamp:
            return
        if not self.state.files:
            self.store.check_artefacts(self.state.run)
        self.store.add_file(self.state.run, path, name)
        self.state.files[name] = stamp
        self._write()

    @contextlib.contextmanager
    def _trouble_noted(self) -> Iterator[None]:
        """After trouble nobody knows whether what was sent last has arrived: everything is asked again."""
        try:
            yield
        except (Outage, UsageError) as error:
            self._known = self._seen = None
            self.state.trouble = error.what
            self._write()
            raise

    def _write(self) -> None:
        self.state.write(self.folder)


@contextlib.contextmanager
def locked(folder: RunFolder) -> Iterator[None]:
    """Raises ResourceError where another process mirrors this run."""
    with durable.lock(folder.path / "tracking"):
        durable.sweep(folder.path / "tracking")
        yield


def is_at_work(folder: RunFolder) -> bool:
    """Is a process carrying out this run?"""
    try:
        with durable.lock(folder.path):
            return False
    except ResourceError:
        return True


def settle(folder: RunFolder, mirror: Mirror) -> None:
    """Say how a run ended whose process could not."""
    status = mirror.state.status
    if status == "RUNNING" and not is_at_work(folder):
        status = "FINISHED" if folder.is_done else "KILLED"
    mirror.end(status)


def _files(folder: RunFolder, *, ended: bool) -> Iterator[tuple[Path, str]]:
    """The configuration, as a file that `matinee run` takes; cut names in full; and what the run wrote."""
    own = folder.path / "tracking"
    _write_if_new(own / "config.yaml", folder.manifest["config"])  # JSON is YAML
    for name in ("config.yaml", NAMES):
        if (own / name).is_file():
            yield own / name, name
    yield from files(folder, ended=ended)


def _write_if_new(path: Path, content: Any) -> None:
    if not path.is_file() or json.loads(path.read_text()) != content:
        durable.write_json(path, content)


def _stamp(path: Path) -> list[int]:
    found = path.stat()
    return [found.st_size, found.st_mtime_ns]


def _path(folder: RunFolder) -> Path:
    return folder.path / "tracking" / "mirror.json"
