"""Raw ids, text byte for byte, to dense integers and back. Touched only on the way in and on the way out.

Dense ids follow the order of the ids' UTF-8 bytes. So the order of a file never decides a dense id, and
"ties go to the smaller external id" is "ties go to the smaller dense id" everywhere inside.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from matinee.errors import DataError, ModelError


class Vocabulary:
    """N distinct raw ids in byte order; raw id <-> position 0..N-1."""

    def __init__(self, ordered: pl.Series) -> None:
        """`ordered` must be distinct and in byte order; `Vocabulary.of` takes anything."""
        self._ids = ordered.rename("id")

    @classmethod
    def of(cls, ids: pl.Series | Iterable[str]) -> Vocabulary:
        """From raw ids in any order, repeats allowed; whole numbers stand for their text.

        Raises DataError on an empty id.
        """
        series = ids if isinstance(ids, pl.Series) else pl.Series("id", list(ids), dtype=pl.String)
        ordered = _different(series).cast(pl.String).sort()
        if ordered.null_count() or (len(ordered) and ordered[0] == ""):
            raise DataError("empty-id", "an id is empty", "give every user and item an id")
        return cls(ordered)

    def __len__(self) -> int:
        return len(self._ids)

    def __getitem__(self, position: int) -> str:
        return str(self._ids[int(position)])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vocabulary) and self._ids.equals(other._ids)

    def __hash__(self) -> int:
        return int(self.hash[:15], 16)

    @property
    def series(self) -> pl.Series:
        """(N,) the raw ids, in order."""
        return self._ids

    def encode(self, ids: pl.Series | Iterable[str]) -> NDArray[np.int32]:
        """Raw ids -> (n,) positions; -1 where the id is unknown. Whole numbers stand for their text."""
        series = ids if isinstance(ids, pl.Series) else pl.Series("id", list(ids), dtype=pl.String)
        if series.dtype == pl.Int64:
            numbers = series.to_numpy()
            if _narrow(numbers):
                positions: NDArray[np.int32] = self._positions(int(numbers.max(initial=-1)))[numbers]
                return positions
        found = series.cast(pl.String).cast(pl.Enum(self._ids), strict=False).to_physical()
        return found.cast(pl.Int32).fill_null(-1).to_numpy()

    def _positions(self, largest: int) -> NDArray[np.int32]:
        """(largest + 1,) the position of each number's text; -1 where it is no id."""
        numbers = self._ids.cast(pl.Int64, strict=False)
        only_text = numbers.cast(pl.String) == self._ids
        own = (only_text & (numbers >= 0) & (numbers <= largest)).fill_null(False).to_numpy()
        out = np.full(largest + 1, -1, np.int32)
        out[numbers.fill_null(-1).to_numpy()[own]] = np.flatnonzero(own)
        return out

    def find(self, raw: str) -> int:
        """The position of one raw id, -1 where unknown. O(log N)."""
        at = self._ids.search_sorted(raw)
        return int(at) if at < len(self) and self._ids[int(at)] == raw else -1

    def decode(self, positions: NDArray[np.integer]) -> pl.Series:
        """(n,) positions -> raw ids. Raises IndexError where one is out of range or negative."""
        positions = np.asarray(positions)
        if len(positions) and (positions.min() < 0 or positions.max() >= len(self)):
            raise IndexError(f"positions must lie in [0, {len(self)})")
        return self._ids.gather(positions.astype(np.uint32))

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the ids with their lengths; stored beside every array that speaks in positions."""
        arrays = self.to_arrays()
        return hashlib.sha256(arrays["offsets"].tobytes() + arrays["bytes"].tobytes()).hexdigest()

    def to_arrays(self) -> dict[str, NDArray[np.generic]]:
        """`bytes` (uint8) and `offsets` (N + 1, int64), for storing without pickle."""
        encoded = [raw.encode() for raw in self._ids.to_list()]
        offsets = np.zeros(len(encoded) + 1, np.int64)
        np.cumsum([len(raw) for raw in encoded], out=offsets[1:])
        return {"bytes": np.frombuffer(b"".join(encoded), np.uint8), "offsets": offsets}

    @classmethod
    def from_arrays(cls, content: NDArray[np.uint8], offsets: NDArray[np.int64]) -> Vocabulary:
        """The inverse of `to_arrays`. Raises ModelError where ids repeat or are out of order."""
        text = content.tobytes()
        raw = [text[a:b].decode() for a, b in zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True)]
        series = pl.Series("id", raw, dtype=pl.String)
        if series.n_unique() != len(series) or not series.is_sorted():
            raise ModelError("bad-vocabulary", "stored ids repeat or are out of order", "fit the model again")
        return cls(series)


def _different(ids: pl.Series) -> pl.Series:
    """Each id once, in some order."""
    if ids.dtype == pl.Int64 and _narrow(numbers := ids.to_numpy()):
        met = np.zeros(int(numbers.max(initial=-1)) + 1, bool)
        met[numbers] = True
        return pl.Series(ids.name, np.flatnonzero(met))
    return ids.unique()


def _narrow(numbers: NDArray[np.int64]) -> bool:
    """Is a table of all numbers up to the largest no larger than a few of the ids themselves?"""
    return not len(numbers) or (int(numbers.min()) >= 0 and int(numbers.max()) < 4 * len(numbers) + (1 << 16))
