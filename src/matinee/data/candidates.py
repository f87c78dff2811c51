"""What first-stage models found for each user, and which of it was hidden: what a second stage learns from."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matinee.errors import ConfigError

HELD_OUT = 10
"""One user of so many is held out to find how long to learn."""


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """The union of S first-stage lists of each of V users, C long where the longest is; -1 is no candidate.

    The first-stage models were fitted without what `hidden` tells of, and so is the data that this stands beside.
    """

    users: NDArray[np.int64]  # (V,) rows of the log, ascending
    items: NDArray[np.int32]  # (V, C) distinct in a row; all -1 stand at its end
    scores: NDArray[np.float32]  # (V, C, S) of each model, less the mean of the user's row by its standard deviation
    ranks: NDArray[np.int32]  # (V, C, S) the place in each model's list, from 1; 0 where it is not in it
    hidden: NDArray[np.bool_]  # (V, C)
    sources: tuple[str, ...]  # S names of the models
    depth: int
    """Of each model's list."""

    def __len__(self) -> int:
        return len(self.users)

    def hash(self) -> str:
        """SHA-256 of all of it."""
        told = hashlib.sha256(f"{self.sources} {self.depth}".encode())
        for array in (self.users, self.items, self.scores, self.ranks, self.hidden):
            told.update(f"{array.shape}".encode())
            told.update(np.ascontiguousarray(array).data)
        return told.hexdigest()


def to_learn_from(
    found: Candidates | None, name: str, *, hold: bool
) -> tuple[Candidates, NDArray[np.int64], NDArray[np.int64]]:
    """What there is, rows of it that teach, and those held out, if some are asked for; users none of whose hidden items
    is a candidate are in neither. Raises ConfigError (`no-candidates`) where there is nothing to learn from."""
    if found is None:
        raise ConfigError("no-candidates", f"{name} orders what other models find, and none is named",
                          "add `candidates: {from: [ease, transitions]}` to its entry")
    rows = np.flatnonzero(found.hidden.any(axis=1))
    if len(rows) < 2:
        raise ConfigError("no-candidates", "not two users have a hidden item among their candidates",
                          "name better first-stage models, or go deeper")
    held = np.arange(len(rows)) % HELD_OUT == HELD_OUT - 1
    return (found, rows[~held], rows[held]) if hold else (found, rows, rows[:0])
