"""What first-stage models found for each user, and which of it was hidden: what a second stage learns from."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


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
