"""Hostile files for the loading tests: written small, refused with a place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from matinee.data.dataset import Dataset
from matinee.data.load import load
from matinee.data.source import Reading
from matinee.errors import DataError

HEADER = b"user,item,time\n"
ROWS = b"a,x,1000000000\na,y,1000000060\nb,x,1000000000\n"


def written(folder: Path, content: bytes, name: str = "log.csv") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def loaded(folder: Path, content: bytes, name: str = "log.csv", **reading: Any) -> Dataset:
    return load(written(folder, content, name), reading=Reading(**reading))


def refused(folder: Path, content: bytes, code: str, name: str = "log.csv", **reading: Any) -> DataError:
    """The refusal of a log with this content; it has the code, and ends a command with 3."""
    return refused_path(written(folder, content, name), code, **reading)


def refused_path(path: Path, code: str, **reading: Any) -> DataError:
    with pytest.raises(DataError) as caught:
        load(path, reading=Reading(**reading))
    assert caught.value.code == code, str(caught.value)
    assert caught.value.exit_code == 3
    assert caught.value.place is not None
    assert "\n" not in str(caught.value)
    return caught.value


def at(error: DataError) -> tuple[int, int]:
    """Line and column."""
    assert error.place is not None
    return error.place.line, error.place.column


def pairs(dataset: Dataset) -> list[tuple[str, str]]:
    """(user, item) of every event, in the order of the log."""
    users, items = dataset.users.decode(dataset.log.users), dataset.items.decode(dataset.log.items)
    return list(zip(users.to_list(), items.to_list(), strict=True))
