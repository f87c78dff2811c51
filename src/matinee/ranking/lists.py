"""The one form of a result: every user's list, best first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matinee.errors import DataError

DEPTH = 100
"""Places kept of every stored list, so that lists can be combined later without refitting."""


@dataclass(frozen=True, slots=True, eq=False)
class Lists:
    users: NDArray[np.int64]  # (V,)  rows of the data set's users, ascending, each once; unknown users first, as -1
    items: NDArray[np.int32]  # (V, K)  dense items, best first; -1 pads a short list and stands only at its end
    scores: NDArray[np.float32]  # (V, K)  never rising along a list; -inf where items is -1
    filled: NDArray[np.bool_]  # (V, K)  true where the fallback gave the item, not the model

    def __post_init__(self) -> None:
        shape = self.items.shape
        if self.scores.shape != shape or self.filled.shape != shape or len(self.users) != shape[0]:
            raise DataError("misaligned", f"lists of shapes {shape}, {self.scores.shape}, {self.filled.shape} "
                                          f"for {len(self.users)} users")
        before, after = self.users[:-1], self.users[1:]
        if not bool(np.all((after > before) | ((after == -1) & (before == -1)))):
            raise DataError("misaligned", "the users of lists must ascend, each once")

    @property
    def depth(self) -> int:
        return int(self.items.shape[1])

    def __len__(self) -> int:
        return len(self.users)

    def top(self, k: int) -> Lists:
        """The first k places of every list."""
        return Lists(self.users, self.items[:, :k], self.scores[:, :k], self.filled[:, :k])

    def of(self, users: NDArray[np.int64]) -> Lists:
        """The lists of these users, ascending; somebody without a list, -1 included, gets an empty one."""
        at = np.searchsorted(self.users, users)
        found = (at < len(self.users)) & (users >= 0)
        found[found] = self.users[at[found]] == users[found]
        items = np.full((len(users), self.depth), -1, np.int32)
        scores = np.full((len(users), self.depth), -np.inf, np.float32)
        filled = np.zeros((len(users), self.depth), bool)
        items[found], scores[found], filled[found] = (a[at[found]] for a in (self.items, self.scores, self.filled))
        return Lists(users, items, scores, filled)
