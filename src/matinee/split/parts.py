"""What a split is: per stage the events to learn from, the histories to ask with, and what was hidden.

All masks are over the events of the data set's log, in its order. Letters: E events, V users with a
hidden event, H hidden events.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

PARTS = ("all", "gap", "tail")
"""Names of `Truth.parts`: nothing said, taken from the middle of a history, taken from its end."""


@dataclass(frozen=True, eq=False)
class Truth:
    """What was hidden of each user, to be found again."""

    users: NDArray[np.int64]  # (V,)  rows of the data set's users, ascending; unknown users come first, as -1 each
    indptr: NDArray[np.int64]  # (V + 1,)  no user is empty
    items: NDArray[np.int32]  # (H,)  distinct within a user, ascending; those outside the catalogue are < 0
    parts: NDArray[np.int8]  # (H,)  positions in PARTS

    def __len__(self) -> int:
        return len(self.users)

    @property
    def counts(self) -> NDArray[np.int64]:
        """(V,) hidden items of each user."""
        return np.diff(self.indptr)

    def of(self, users: NDArray[np.int64]) -> Truth:
        """Of these users alone, ascending, each of whom has something hidden."""
        rows = np.searchsorted(self.users, users)
        counts = self.counts[rows]
        indptr = np.zeros(len(rows) + 1, np.int64)
        np.cumsum(counts, out=indptr[1:])
        kept = np.repeat(self.indptr[rows] - indptr[:-1], counts) + np.arange(indptr[-1])
        return Truth(users, indptr, self.items[kept], self.parts[kept])

    @cached_property
    def hash(self) -> str:
        digest = hashlib.sha256()
        for array in (self.users, self.indptr, self.items, self.parts):
            digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()


@dataclass(frozen=True, eq=False)
class Stage:
    """`valid` or `test`: nothing of `truth` is in `fit` or in `given`."""

    fit: NDArray[np.bool_]  # (E,)  events to learn from
    given: NDArray[np.bool_]  # (E,)  events in the histories that the model is asked with
    truth: Truth


@dataclass(frozen=True, eq=False)
class Split:
    settings: Mapping[str, Any]  # protocol and its keys, JSON-able
    stages: Mapping[str, Stage]  # "valid" (absent where a protocol has none) and "test"
    notes: Mapping[str, Any]  # counts and warnings for people, JSON-able

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the masks and truths: what makes two runs comparable."""
        digest = hashlib.sha256(json.dumps(sorted(self.stages)).encode())
        for name in sorted(self.stages):
            stage = self.stages[name]
            digest.update(np.packbits(stage.fit).data)
            digest.update(np.packbits(stage.given).data)
            digest.update(stage.truth.hash.encode())
        return digest.hexdigest()
