"""The data set and the split of an experiment, read once and then found again by content."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from matinee.config import DataSettings, Experiment
from matinee.data.dataset import Dataset
from matinee.data.load import load
from matinee.data.source import Reading
from matinee.errors import ModelError
from matinee.experiment import fingerprint
from matinee.experiment.cache import Cache
from matinee.experiment.dataset_store import load_dataset, load_split, save_dataset, save_split
from matinee.experiment.folder import Vectors
from matinee.split.parts import Split
from matinee.split.protocol import Protocol

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, eq=False)
class Material:
    dataset: Dataset
    split: Split
    reused: tuple[str, ...]
    """Which of `data` and `split` were found and not made."""
    vectors: Vectors = field(default_factory=dict)
    """What the models ask for by name."""
    lists: Path | None = None
    """Copies of the lists of other runs that an ensemble has as members, where a run kept them."""
    sources: tuple[str, ...] = ()
    """Name and SHA-256 of each file that the data was read from."""


def material(experiment: Experiment, cache: Cache | None, progress: Progress) -> Material:
    """Read and split, or find both again: a second experiment on the same files starts at the models.

    Without a cache all is made anew, and nothing is kept.
    """
    named = [path for path in (experiment.data.path, *experiment.data.side) if not _is_generated(path)]
    sources = tuple(line for path in named for line in _content(experiment.base / path))
    dataset, data_found = _dataset(experiment.data, experiment.base, sources, cache, progress)
    split, split_found = _split(experiment.split, dataset, cache)
    found = [name for name, was_found in (("data", data_found), ("split", split_found)) if was_found]
    return Material(dataset, split, tuple(found), sources=sources)


def read_dataset(settings: DataSettings, base: Path, progress: Progress) -> Dataset:
    """As the `data` block of an experiment says; paths count from `base`."""
    return load(
        settings.path if _is_generated(settings.path) else base / settings.path,
        layout=settings.layout,
        side=[base / folder for folder in settings.side],
        reading=Reading(columns=settings.columns, encoding=settings.encoding, progress=progress),
        min_rating=settings.min_rating,
        min_user_events=settings.min_user_events,
        min_item_events=settings.min_item_events,
        duplicates=settings.duplicates,
        repeats=settings.repeats,
        sample_users=settings.sample_users,
        sample_events=settings.sample_events,
    )


def _dataset(
    settings: DataSettings, base: Path, sources: tuple[str, ...], cache: Cache | None, progress: Progress
) -> tuple[Dataset, bool]:
    if cache is None:
        return read_dataset(settings, base, progress), False
    key = fingerprint.digest(
        [
            asdict(settings),
            sources,
            fingerprint.source_hash(fingerprint.PACKAGE / "data/load.py"),
            [fingerprint.source_hash(path) for path in _layout_files()],
        ]
    )
    place = cache.place("data", key)
    try:
        return load_dataset(place), True
    except ModelError:  # not there, or damaged: reading again is the cure for both
        dataset = read_dataset(settings, base, progress)
        save_dataset(dataset, place)
        return dataset, False


def _split(protocol: Protocol, dataset: Dataset, cache: Cache | None) -> tuple[Split, bool]:
    if cache is None:
        return protocol.split(dataset), False
    source = fingerprint.source_hash(fingerprint.PACKAGE / "split/__init__.py")
    files = [_content(path) for path in protocol.files]
    key = fingerprint.digest([protocol.settings, files, dataset.hash, source])
    place = cache.place("split", key)
    try:
        return load_split(place), True
    except ModelError:
        split = protocol.split(dataset)
        save_split(split, place)
        return split, False


def _is_generated(path: str) -> bool:
    return path.startswith(("embedded:", "synthetic"))


def _layout_files() -> list[Path]:
    return sorted((fingerprint.PACKAGE / "data").rglob("*.py"))


def _content(path: Path) -> list[str]:
    """Name and SHA-256 of every file at `path`, read in blocks."""
    return [f"{file.relative_to(path) if file != path else path.name} {file_hash(file)}" for file in _files(path)]


def _files(path: Path) -> Iterator[Path]:
    if path.is_dir():
        yield from sorted(file for file in path.rglob("*") if file.is_file())
    elif path.is_file():
        yield path


def file_hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
