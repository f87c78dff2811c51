"""Scorers and questions made of plain arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matinee.contract import Queries, Scorer
from matinee.data.columns import Features
from matinee.data.interactions import Interactions
from matinee.ranking.recommend import Ask, ask_from


@dataclass(frozen=True, eq=False)
class Table(Scorer):
    """The scores of the users of a fitted log, row by row."""

    scores: NDArray[np.float32]  # (U, I)

    @property
    def n_items(self) -> int:
        return int(self.scores.shape[1])

    def score(self, queries: Queries) -> NDArray[np.float32]:
        return self.scores[queries.rows]


@dataclass(frozen=True, eq=False)
class Mute(Scorer):
    """Must not be asked."""

    n: int

    @property
    def n_items(self) -> int:
        return self.n

    def score(self, queries: Queries) -> NDArray[np.float32]:
        raise AssertionError("a member of weight 0 was asked")


def asker(users: int, items: int) -> Ask:
    """Everybody has had item 0, and nothing else."""
    log = Interactions.from_events(np.arange(users), np.zeros(users, int), n_users=users, n_items=items)
    return ask_from(log, log.counts, Features(users))
