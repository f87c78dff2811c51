"""Ranks: summed, or their reciprocals summed, or two lists half and half."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge, Gt, Le
from numpy.typing import NDArray

from matinee.ensemble.method import Histories, ListMethod, PointsMethod, by_blocks
from matinee.errors import ConfigError
from matinee.numerics.fusion import take_turns
from matinee.ranking.lists import Lists


@dataclass(frozen=True, kw_only=True)
class RankSum(PointsMethod):
    """The smallest sum of ranks first, where an item that a list does not have counts as one rank behind it.

    Scores are (absent - rank) / absent, averaged over the members, which is the same order the other way round.
    """

    depth: Annotated[int, Ge(1), Le(1_000_000)] = 30
    """Places of each list that count."""
    absent: Annotated[int, Ge(2), Le(1_000_000)] | None = None
    """The rank of an item that does not stand in these places; None: `depth` + 1."""

    def __post_init__(self) -> None:
        if self.absent is not None and self.absent <= self.depth:
            raise ConfigError("bad-absent", f"absent is {self.absent} where {self.depth} places count",
                              "let it be larger than depth")

    def points(self, ranks: NDArray[np.float64]) -> NDArray[np.float64]:
        absent = self.depth + 1 if self.absent is None else self.absent
        return np.where(ranks <= self.depth, (absent - ranks) / absent, 0.0)


@dataclass(frozen=True, kw_only=True)
class ReciprocalRank(PointsMethod):
    """1 / (k + rank), summed over all lists that hold the item.

    Cormack, Clarke, Büttcher, "Reciprocal rank fusion outperforms Condorcet and individual rank learning
    methods", SIGIR 2009.
    """

    k: Annotated[float, Gt(0), Le(1_000_000)] = 60.0
    """How little the first places stand out; the paper's value."""

    def points(self, ranks: NDArray[np.float64]) -> NDArray[np.float64]:
        return 1.0 / (self.k + ranks)


@dataclass(frozen=True, kw_only=True)
class HalfAndHalf(ListMethod):
    """Half of the list from the first member, usually a static model, half from the second, usually a sequential one.

    What the first half has already is skipped in the second; a member that has nothing left is replaced by the other.
    Below `places` it goes on in the same way, half and half.
    """

    takes_weights: ClassVar[bool] = False

    places: Annotated[int, Ge(2), Le(1_000_000)] = 10
    """Length of the list that is shared: the first half of it, rounded up, is the first member's."""

    @property
    def exactly(self) -> int:
        return 2

    def combine(
        self, members: Sequence[Lists], weights: Sequence[float] | None, k: int, histories: Histories | None = None
    ) -> Lists:
        self.checked(weights, len(members))
        return by_blocks(members, k, lambda items, filled: take_turns(items, filled, self.places, k))
