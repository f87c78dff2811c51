"""A submission file: its hash, the run and entry it came from, found by its bytes, and their offline figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from matinee.errors import DataError, UsageError
from matinee.experiment.folder import RunFolder, find, runs_in
from matinee.experiment.material import file_hash


@dataclass(frozen=True, kw_only=True)
class HandedIn:
    """JSON-able."""

    file: str
    sha256: str
    run: str | None = None
    entry: str | None = None
    data: str | None = None
    """The hashes of the run's data and split: figures of others say nothing of these."""
    split: str | None = None
    offline: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Per metric, on test: value, low, high, users."""

    def __post_init__(self) -> None:
        """Raises ValueError for what a file of lines may hold and a submission cannot."""
        texts = [self.file, self.sha256, *(text for text in (self.run, self.entry, self.data, self.split) if text)]
        figures = [row[key] for row in self.offline.values() for key in ("value", "low", "high")]
        known = [figure for figure in figures if figure is not None]
        if not all(isinstance(text, str) for text in texts) or not all(isinstance(one, float | int) for one in known):
            raise ValueError("a file, run or figure of another kind")

    @property
    def name(self) -> str:
        """RUN/ID, or the file's name where no run is known."""
        return f"{self.run}/{self.entry}" if self.run else Path(self.file).name


def handed_in(what: str, runs: Path) -> HandedIn:
    """RUN/ID, or a file. Of a file the run is found by its bytes, so that it may be renamed and stand anywhere.

    Raises DataError for a file that is not there, UsageError for a run without an entry.
    """
    path = Path(what)
    if path.is_file():
        digest = file_hash(path)
        for folder, file in _submissions(runs, path):
            if file_hash(file) == digest:
                return _of_run(folder, file.stem, path, digest)
        return HandedIn(file=str(path), sha256=digest)
    if path.suffix in (".csv", ".tsv", ".txt"):
        raise DataError("no-file", "there is no such file", "give the submission, or RUN/ID", path)
    folder, id_ = find(what, runs)
    if id_ is None:
        raise UsageError("which-entry", f"{what} is a run, and only one of its submissions is handed in",
                         f"write {what}/ID; it has {', '.join(_written(folder)) or 'written none'}")
    file = folder.submission(id_)
    if not file.is_file():
        raise DataError("no-file", f"{folder.id} has written no submission of {id_!r}",
                        f"it has {', '.join(_written(folder)) or 'none'}; name it under output.which", file)
    return _of_run(folder, id_, file, file_hash(file))


def _of_run(folder: RunFolder, id_: str, file: Path, digest: str) -> HandedIn:
    offline = {row["metric"]: {key: row[key] for key in ("value", "low", "high", "users")} for row in folder.metrics
               if row["id"] == id_ and row["part"] == "test" and row["segment"] is None and row["value"] is not None}
    manifest = folder.manifest
    return HandedIn(file=str(file), sha256=digest, run=folder.id, entry=id_, data=manifest["data"]["hash"],
                    split=manifest["split"]["hash"], offline=offline)


def _submissions(runs: Path, like: Path) -> Iterator[tuple[RunFolder, Path]]:
    """Those of all runs, and of the run that the file stands in, that are as long as the file `like`."""
    length = like.stat().st_size
    own = like.resolve().parent.parent
    for folder in ([RunFolder(own)] if (own / "manifest.json").is_file() else []) + runs_in(runs):
        for file in sorted((folder.path / "submission").glob("*.csv")):
            if file.stat().st_size == length and (folder.path / "metrics.json").is_file():
                yield folder, file


def _written(folder: RunFolder) -> list[str]:
    return sorted(path.stem for path in (folder.path / "submission").glob("*.csv"))
