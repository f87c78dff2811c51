"""Every error a user can meet, and the exit code each one ends a command with.

    MatineeError                 1  a fault of ours
    ├── UsageError               2  wrong words on the command line
    │   └── ConfigError          2  an experiment file or a recipe that cannot mean what it says
    ├── DataError                3  input refused: file, line and column where known
    ├── ModelError               4  a stored model, a checkpoint or a run refused
    ├── ResourceError            5  disk, memory, lock, port
    └── Degraded                 6  no failure: all is done and written, but less well than asked, and this says how

130 and 143 are a stop by INT and TERM; what was done is kept and the same command goes on.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Place:
    """Where in a file something stands. Lines and columns start at 1; 0 means unknown."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        parts = [printable(self.file)]
        if self.line:
            parts.append(str(self.line))
            if self.column:
                parts.append(str(self.column))
        return ":".join(parts)


def printable(text: str) -> str:
    """`text` with control characters escaped, so that a file name cannot drive a terminal."""
    shown = "".join(c if unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Zl", "Zp"} else repr(c)[1:-1] for c in text)
    return shown if len(shown) <= 300 else shown[:297] + "..."


class MatineeError(Exception):
    """What is wrong, the value seen, and the way out, in one line.

    code  short and stable, for scripts: `empty-id`, `unknown-key`
    what  what is wrong, with the value seen
    way   what to do
    """

    exit_code = 1

    def __init__(self, code: str, what: str, way: str = "", place: Place | Path | str | None = None) -> None:
        self.code, self.what, self.way = code, printable_lines(what), printable_lines(way)
        self.place = place if isinstance(place, Place) or place is None else Place(str(place))
        super().__init__(str(self))

    def __str__(self) -> str:
        where = f"{self.place}: " if self.place else ""
        return f"{where}{self.code}: {self.what}" + (f"; {self.way}" if self.way else "")

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.code, self.what, self.way, self.place)

    def as_json(self) -> str:
        """One line of JSON with the same facts."""
        place = self.place
        return json.dumps(
            {
                "code": self.code,
                "what": self.what,
                "way": self.way,
                "file": place.file if place else None,
                "line": (place.line or None) if place else None,
                "column": (place.column or None) if place else None,
                "exit": self.exit_code,
            },
            ensure_ascii=True,
        )


def printable_lines(text: str) -> str:
    """As `printable`, on one line and without the length limit."""
    return "".join(c if unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Zl", "Zp"} else repr(c)[1:-1] for c in text)


class UsageError(MatineeError):
    exit_code = 2


class ConfigError(UsageError):
    pass


class DataError(MatineeError):
    exit_code = 3


class ModelError(MatineeError):
    exit_code = 4


class ResourceError(MatineeError):
    exit_code = 5


class Degraded(MatineeError):
    """Raised by a command as its last act, when its work is done and written."""

    exit_code = 6


class DamagedWarning(UserWarning):
    """Something stored was damaged, and was done without: nothing is lost, and the disk wants a look. A command that
    meets one ends as if it had raised `Degraded`."""


def nearest(word: str, known: Iterable[str]) -> str:
    """The way out of a name that nobody knows: the likely ones, or all of them."""
    from difflib import get_close_matches  # only errors pay for the import

    names = list(known)
    near = get_close_matches(word, names, n=3)
    return f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(names) or 'none'}"
