"""Side information on items or users, aligned to the same dense ids: categories, numbers, text."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from matinee.errors import DataError


@dataclass(frozen=True, slots=True, eq=False)
class Categories:
    """Any number of labels for each of N rows, in the order given: genres, directors, sex."""

    indptr: NDArray[np.int64]  # (N + 1,)
    codes: NDArray[np.int32]  # (n,)  positions in `names`
    names: tuple[str, ...]
    weights: NDArray[np.float32] | None = None  # (n,)  where the source grades its labels

    def __len__(self) -> int:
        return len(self.indptr) - 1

    def take(self, rows: NDArray[np.int64]) -> Categories:
        """Rows (B,) in that order; -1 is a row without labels."""
        known = np.maximum(rows, 0)
        counts = np.where(rows < 0, 0, np.diff(self.indptr)[known])
        indptr = np.zeros(len(rows) + 1, np.int64)
        np.cumsum(counts, out=indptr[1:])
        at = np.arange(indptr[-1]) + np.repeat(self.indptr[known] - indptr[:-1], counts)
        return Categories(indptr, self.codes[at], self.names, None if self.weights is None else self.weights[at])

    def missing(self) -> NDArray[np.bool_]:
        """(N,) rows without a label."""
        return np.asarray(np.diff(self.indptr) == 0)

    def labels(self, row: int) -> list[str]:
        return [self.names[code] for code in self.codes[self.indptr[row] : self.indptr[row + 1]]]

    @classmethod
    def from_pairs(
        cls, rows: NDArray[np.int64], labels: list[str], n: int, weights: NDArray[np.float32] | None = None
    ) -> Categories:
        """From (row, label) pairs in file order; names are numbered in byte order, so file order decides nothing."""
        names = sorted(set(labels), key=lambda label: label.encode())
        code_of = {name: code for code, name in enumerate(names)}
        codes = np.fromiter((code_of[label] for label in labels), np.int32, len(labels))
        order = np.argsort(rows, kind="stable")
        indptr = np.zeros(n + 1, np.int64)
        np.cumsum(np.bincount(rows, minlength=n), out=indptr[1:])
        return cls(indptr, codes[order], tuple(names), None if weights is None else weights[order])


@dataclass(frozen=True, slots=True, eq=False)
class Numbers:
    """One number for each of N rows; NaN where unknown."""

    values: NDArray[np.float64]  # (N,)

    def __len__(self) -> int:
        return len(self.values)

    def take(self, rows: NDArray[np.int64]) -> Numbers:
        """Rows (B,) in that order; -1 is unknown."""
        return Numbers(np.where(rows < 0, np.nan, self.values[np.maximum(rows, 0)]))

    def missing(self) -> NDArray[np.bool_]:
        return np.isnan(self.values)


@dataclass(frozen=True, slots=True, eq=False)
class Texts:
    """One text for each of N rows; empty where unknown."""

    values: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.values)

    def take(self, rows: NDArray[np.int64]) -> Texts:
        return Texts(tuple("" if row < 0 else self.values[row] for row in rows.tolist()))

    def missing(self) -> NDArray[np.bool_]:
        return np.array([value == "" for value in self.values], bool)


@dataclass(frozen=True, slots=True, eq=False)
class Vectors:
    """A vector for each of N rows; NaN throughout where unknown."""

    values: NDArray[np.float32]  # (N, D)

    def __len__(self) -> int:
        return len(self.values)

    def take(self, rows: NDArray[np.int64]) -> Vectors:
        """Rows (B,) in that order; -1 is unknown."""
        return Vectors(np.where(rows[:, None] < 0, np.float32(np.nan), self.values[np.maximum(rows, 0)]))

    def missing(self) -> NDArray[np.bool_]:
        return np.asarray(np.isnan(self.values).any(axis=1))


Column = Categories | Numbers | Texts
Known = Mapping[str, Categories | Numbers | Vectors]
"""What a feature has learnt, by names of its own; see `features/`."""
C = TypeVar("C", Categories, Numbers, Texts)


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """Named columns over the same N rows. The usual names: title, year, genre, director, writer; gender, age."""

    n: int
    columns: Mapping[str, Column] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, column in self.columns.items():
            if len(column) != self.n:
                raise DataError("bad-features", f"column {name!r} has {len(column)} rows where {self.n} are needed")

    def __contains__(self, name: str) -> bool:
        return name in self.columns

    def categories(self, name: str) -> Categories:
        """The categories called `name`. Raises DataError where there are none."""
        return self._typed(name, Categories)

    def numbers(self, name: str) -> Numbers:
        """The numbers called `name`. Raises DataError where there are none."""
        return self._typed(name, Numbers)

    def texts(self, name: str) -> Texts:
        """The texts called `name`. Raises DataError where there are none."""
        return self._typed(name, Texts)

    def _typed(self, name: str, kind: type[C]) -> C:
        column = self.columns.get(name)
        if not isinstance(column, kind):
            known = ", ".join(n for n, c in self.columns.items() if isinstance(c, kind)) or "none"
            raise DataError("no-feature", f"no {kind.__name__.lower()} called {name!r}; known: {known}")
        return column

    def take(self, rows: NDArray[np.int64]) -> Features:
        """Rows (B,) in that order; -1 is somebody or something of which nothing is known."""
        return Features(len(rows), {name: column.take(rows) for name, column in self.columns.items()})

    def hash(self) -> str:
        """SHA-256 of all columns, independent of their order."""
        digest = hashlib.sha256(str(self.n).encode())
        for name, column in sorted(self.columns.items()):
            digest.update(f"{name} {type(column).__name__}".encode())
            for part in _parts(column):
                digest.update(part)
        return digest.hexdigest()


def known_hash(known: Known) -> str:
    """SHA-256 of what a feature has learnt."""
    digest = hashlib.sha256()
    for name, column in sorted(known.items()):
        digest.update(f"{name} {type(column).__name__} {len(column)}".encode())
        for part in _parts(column):
            digest.update(part)
    return digest.hexdigest()


def _parts(column: Column | Vectors) -> list[bytes]:
    if isinstance(column, Numbers | Vectors):
        return [column.values.tobytes()]
    if isinstance(column, Texts):
        return ["\0".join(column.values).encode()]
    weights = b"" if column.weights is None else column.weights.tobytes()
    return [column.indptr.tobytes(), column.codes.tobytes(), "\0".join(column.names).encode(), weights]
