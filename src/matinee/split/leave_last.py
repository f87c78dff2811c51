"""Leave the last out: the newest event of each user is test, the one before it valid.

Events stand by time, equal times in the order of the file; another order among equal times is another test
set. A user who would be left without an event has nothing hidden at that stage; nobody is dropped.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Ge, Le

from matinee.data.dataset import Dataset
from matinee.split.assemble import ACROSS_USERS, split_by_hidden
from matinee.split.parts import PARTS, Split
from matinee.split.protocol import Protocol
from matinee.split.units import Units


@dataclass(frozen=True, kw_only=True)
class LeaveLast(Protocol):
    """The usual protocol of next-item papers. It leaks: what others did later is in training."""

    valid: Annotated[int, Ge(1), Le(1_000_000)] = 1
    """Events of each user hidden in valid, just before those of test."""
    test: Annotated[int, Ge(1), Le(1_000_000)] = 1
    """Events of each user hidden in test: the newest."""

    def split(self, dataset: Dataset) -> Split:
        units = Units.of(dataset)
        left, hidden = np.ones(len(units), bool), {}
        for stage, size in (("test", self.test), ("valid", self.valid)):
            newest = units.newest(left, np.where(units.counts(left) > size, size, 0))
            hidden[stage] = units.spread(np.where(newest, PARTS.index("tail"), -1).astype(np.int8))
            left &= ~newest
        return split_by_hidden(self, dataset, hidden["valid"], hidden["test"], [ACROSS_USERS])
