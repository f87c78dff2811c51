"""Votes: a member votes for the items in the first places of its list, all alike or as much as the member weighs.

Ties go to the larger sum of reciprocal ranks, then to the item of the better member. Items below the
places that vote have no vote and come after, in the same order of ties.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge, Le
from numpy.typing import NDArray

from matinee.ensemble.method import PointsMethod


@dataclass(frozen=True, kw_only=True)
class HardVote(PointsMethod):
    """How many members have the item. List the best member first: it decides what nothing else does."""

    takes_weights: ClassVar[bool] = False

    depth: Annotated[int, Ge(1), Le(1_000_000)] = 10
    """Places of each list that vote."""

    def points(self, ranks: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.where(ranks <= self.depth, 1.0, 0.0)

    def standing(self, weights: NDArray[np.float64]) -> NDArray[np.int64]:
        return np.arange(len(weights))


@dataclass(frozen=True, kw_only=True)
class WeightedVote(PointsMethod):
    """The weights of the members that have the item, summed. The heaviest member decides what nothing else does."""

    depth: Annotated[int, Ge(1), Le(1_000_000)] = 10
    """Places of each list that vote."""

    def points(self, ranks: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.where(ranks <= self.depth, 1.0, 0.0)

    def standing(self, weights: NDArray[np.float64]) -> NDArray[np.int64]:
        return np.unique(-weights.round(9), return_inverse=True)[1].astype(np.int64)
