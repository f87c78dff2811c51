"""Routing: each user gets the list of one member, chosen by how long or how long-lived the history is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
from annotated_types import Ge, Le, MinLen
from numpy.typing import NDArray

from matinee.data.interactions import Interactions
from matinee.ensemble.method import Histories, ListMethod
from matinee.errors import ConfigError, UsageError
from matinee.evaluation.segments import active_spans
from matinee.ranking.lists import Lists

_DAY = 86_400

_MEASURES: Mapping[str, Callable[[Interactions], NDArray[np.floating]]] = {
    "active_span": lambda history: active_spans(history) / _DAY,
    "history_length": lambda history: history.counts.astype(np.float64),
}


@dataclass(frozen=True, kw_only=True)
class Segments(ListMethod):
    """The first member serves users up to the first threshold, the second those up to the second, the last the rest.

    A member may stand in several places. Whoever has no list from the member of the place gets that of the next one
    that has; after the last comes the first. The history is the one that is asked with: what is hidden decides nothing.
    """

    takes_weights: ClassVar[bool] = False
    takes_repeats: ClassVar[bool] = True
    reads_histories: ClassVar[bool] = True

    by: Literal["active_span", "history_length"]
    """Days from the oldest to the newest event, or events."""
    thresholds: Annotated[tuple[Annotated[float, Ge(0), Le(1_000_000)], ...], MinLen(1)]
    """Ascending. Somebody exactly at a threshold is still below it. One member more than there are thresholds."""

    def __post_init__(self) -> None:
        if not all(low < high for low, high in zip(self.thresholds, self.thresholds[1:], strict=False)):
            raise ConfigError("bad-thresholds", f"the thresholds {list(self.thresholds)} do not ascend",
                              "write the smallest first, each once")

    @property
    def exactly(self) -> int:
        return len(self.thresholds) + 1

    def combine(
        self, members: Sequence[Lists], weights: Sequence[float] | None, k: int, histories: Histories | None = None
    ) -> Lists:
        self.checked(weights, len(members))
        if k < 1:
            raise UsageError("bad-k", f"a list of {k} items was asked for", "ask for one or more")
        if histories is None:
            raise UsageError("no-histories", "segments are told by histories, and none were given",
                             "give the histories that the members were asked with")
        users = np.unique(np.concatenate([member.users for member in members]))
        users = users[users >= 0]
        place = np.searchsorted(self.thresholds, _MEASURES[self.by](histories(users)))  # (n,)
        items = np.full((len(users), k), -1, np.int32)
        scores, filled = np.full(items.shape, -np.inf, np.float32), np.zeros(items.shape, bool)
        for turn in range(len(members)):
            waiting = items[:, 0] < 0
            for number, member in enumerate(members):
                mine = np.flatnonzero(waiting & ((place + turn) % len(members) == number))
                lists = member.top(k).of(users[mine])
                for whole, part in ((items, lists.items), (scores, lists.scores), (filled, lists.filled)):
                    whole[mine, : lists.depth] = part
        return Lists(users, items, scores, filled)
