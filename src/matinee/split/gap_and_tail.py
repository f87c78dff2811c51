"""Gap and tail: of each user the newest events and a random draw of earlier ones, as competitions hide them.

Events stand by time, equal times in the order of the file. Of n events left to a user,

    h = min(clip(round(fraction n), 2, most_hidden), n // 2)     hidden in all; halves round to the even number
    t = ceil(tail h)                                             of them the newest
    h - t                                                        uniformly from the n - t earlier ones

Test is drawn first, valid by the same rule from what is left. A user with one event has nothing hidden.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge, Gt, Le, Lt
from numpy.typing import NDArray

from matinee.data.dataset import Dataset
from matinee.errors import ConfigError
from matinee.split.assemble import ACROSS_USERS, split_by_hidden
from matinee.split.draw import shuffled
from matinee.split.parts import PARTS, Split
from matinee.split.protocol import Protocol
from matinee.split.units import Units

GAP, TAIL = PARTS.index("gap"), PARTS.index("tail")
FIXED, FIXED_LEFT = 10, 5
NEWEST_SHARE = 0.05


@dataclass(frozen=True, kw_only=True)
class GapAndTail(Protocol):
    """Shows what a model finds of the future and what it finds of the past, apart and together."""

    fraction: Annotated[float, Gt(0), Lt(1)] = 0.1
    """Share of a user's events that is hidden."""
    most_hidden: Annotated[int, Ge(2), Le(1_000_000)] = 20
    """At most so many events of a user are hidden."""
    tail: Annotated[float, Ge(0), Le(1)] = 0.5
    """Share of the hidden events that are the user's newest: 1 is pure next items, 0 a pure random draw."""
    preset: Literal["fixed10", "global_time"] | None = None
    """`fixed10`: h is 10 where at least 5 events are left, else n // 2; `fraction` and `most_hidden` do not apply.
    `global_time`: the tail is everything after the 95 % quantile of all times, except that a user keeps the oldest
    event, and the gap is `fraction` of the earlier ones; `most_hidden` and `tail` do not apply."""

    def __post_init__(self) -> None:
        idle = {"fixed10": ("fraction", "most_hidden"), "global_time": ("most_hidden", "tail")}
        for name in idle.get(self.preset or "", ()):
            if getattr(self, name) != getattr(GapAndTail, name):
                raise ConfigError("idle-key", f"{name}: {getattr(self, name)} has no effect with preset {self.preset}",
                                  f"leave out {name} or the preset")

    def split(self, dataset: Dataset) -> Split:
        units = Units.of(dataset)
        order = shuffled(dataset, units, self.seed)
        left, hidden = np.ones(len(units), bool), {}
        for stage in ("test", "valid"):
            tail, gap = self._sizes(dataset, units, left)
            newest = units.newest(left, tail)
            drawn = units.first(order, left & ~newest, gap)
            hidden[stage] = units.spread(np.where(newest, TAIL, np.where(drawn, GAP, -1)).astype(np.int8))
            left &= ~(newest | drawn)
        return split_by_hidden(self, dataset, hidden["valid"], hidden["test"], [ACROSS_USERS])

    def _sizes(
        self, dataset: Dataset, units: Units, left: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(U,) newest and (U,) random earlier units to hide of those left."""
        n = units.counts(left)
        if self.preset == "global_time":
            late = units.counts(left & _after_quantile(dataset.log.times[units.events], left))
            tail = np.minimum(late, np.maximum(n - 1, 0))
            gap = np.rint(self.fraction * (n - tail)).astype(np.int64)
            return tail, np.minimum(gap, np.maximum(n - tail - 1, 0))
        if self.preset == "fixed10":
            h = np.where(n >= FIXED + FIXED_LEFT, FIXED, n // 2)
        else:
            h = np.minimum(np.clip(np.rint(self.fraction * n), 2, self.most_hidden).astype(np.int64), n // 2)
        tail = np.ceil(self.tail * h - 1e-9).astype(np.int64)  # 0.28 x 25 is 7, not 7.000000000000001
        return tail, h - tail


def _after_quantile(times: NDArray[np.int64], left: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(M,) younger than the 95 % quantile of the times of what is left."""
    known = times[left]
    if len(known) == 0:
        return left
    at = len(known) - 1 - int(NEWEST_SHARE * len(known))
    return np.asarray(times > np.partition(known, at)[at])
