"""The layouts that logs come in, one module each, told apart by names and headers."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from matinee.errors import ConfigError, DataError

if TYPE_CHECKING:
    from matinee.data.source import Reading, Source


class Reader(Protocol):
    """What a module in this folder offers."""

    def detect(self, path: Path) -> bool:
        """Does this look like the layout? Never raises for what is merely something else."""

    def read(self, path: Path, reading: Reading) -> Source:
        """Everything in it, as it stands. Raises DataError."""


@dataclass(frozen=True)
class Layout:
    """A layout by its name; its module is imported when it is needed."""

    name: str
    looks_for: str

    @property
    def reader(self) -> Reader:
        return cast(Reader, importlib.import_module(f"{__name__}.{self.name}"))

    def detect(self, path: Path) -> bool:
        return self.reader.detect(path)

    def read(self, path: Path, reading: Reading) -> Source:
        return self.reader.read(path, reading)


LAYOUTS: dict[str, Layout] = {
    layout.name: layout
    for layout in (
        Layout("uplus", "a folder with history_data.csv"),
        Layout("boostcamp", "train_ratings.csv (user,item,time), or a folder that has it, or has it under train/"),
        Layout("movielens", "u.data, ratings.dat, or ratings.csv (userId,movieId,rating,timestamp), or their folder"),
        Layout("recbole", "a folder with NAME.inter, or that file"),
        Layout("table", "a CSV, TSV or Parquet file with columns of users and items, or a folder of interactions.csv"),
    )
}
"""In the order in which they are tried."""


def detect(path: Path) -> str:
    """The name of the layout. Raises DataError with all that was looked for."""
    _must_exist(path)
    for layout in LAYOUTS.values():
        if layout.detect(path):
            return layout.name
    sought = "; ".join(f"{layout.name}: {layout.looks_for}" for layout in LAYOUTS.values())
    way = "name the layout, and for a table its columns, such as columns: {user: customer, item: product}"
    raise DataError("unknown-layout", f"no layout that is known; looked for {sought}", way, path)


def read(path: Path, layout: str | None, reading: Reading) -> Source:
    """Read `path` in a layout, or in the one that is detected. Raises DataError where it holds no interaction."""
    if layout is not None and layout not in LAYOUTS:
        raise ConfigError("unknown-layout", f"no layout called {layout!r}", f"one of {', '.join(LAYOUTS)}")
    _must_exist(path)
    name = detect(path) if layout is None else layout
    source = LAYOUTS[name].read(path, reading)
    if not len(source.users):
        raise DataError("no-interactions", f"no interactions in it, read as {name}", "give a log with rows", path)
    return source


def _must_exist(path: Path) -> None:
    from matinee.data.blocks import regular_file

    if not path.is_dir():
        regular_file(path)
