"""Lists of several places of one history put to the vote: what is missing, says each of them, stood near me."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matinee.contract import ItemVectorScorer, Masks, Queries
from matinee.errors import ModelError
from matinee.numerics import factors
from matinee.scoring.checks import check_catalogue
from matinee.scoring.masked import MaskedTransformer
from matinee.scoring.newest_events import newest


@dataclass(frozen=True, eq=False)
class PlaceVotes(ItemVectorScorer):
    """score(u, i) = how many of u's places have i among the `depth` best that u has not had + sigma(mean score of i).

    Asked are the newest place and every one that is `every`, 2 `every`, ... before it; nothing is masked. The second
    term parts items of as many votes, and never outweighs one. An item of the history gets no votes.
    """

    inner: MaskedTransformer
    every: int = 5
    depth: int = 10
    chosen: Mapping[str, Any] = field(default_factory=dict)
    """What validation found."""

    def __post_init__(self) -> None:
        if self.every < 1 or self.depth < 1:
            raise ModelError("bad-form", f"every {self.every}, depth {self.depth}", "give 1 or more")

    @property
    def found(self) -> Mapping[str, Any]:  # type: ignore[override]
        return self.chosen

    @property
    def n_items(self) -> int:
        return self.inner.n_items

    def item_vectors(self) -> NDArray[np.float32]:
        return self.inner.item_vectors()

    def score(self, queries: Queries) -> NDArray[np.float32]:
        check_catalogue(self, queries)
        history, inner = queries.history, self.inner
        out = np.zeros((len(queries), self.n_items), np.float32)
        there = np.flatnonzero(history.counts)
        items, starts = newest(history, there, inner.length)
        states = inner.states(items, starts, np.diff(starts))
        owners = np.repeat(np.arange(len(there)), np.diff(starts))
        asked = (starts[owners + 1] - 1 - np.arange(len(items))) % self.every == 0
        states, owners = np.pad(states[asked], ((0, 0), (0, 1)), constant_values=1), owners[asked]
        seen = history.take(there[owners])
        best, _ = factors.top(states, inner.tiles, self.n_items, self.depth, Masks(seen.indptr, seen.items))
        users = np.broadcast_to(there[owners][:, None], best.shape)
        np.add.at(out, (users[best >= 0], best[best >= 0]), np.float32(1))
        sums = np.zeros((len(queries), states.shape[1]), np.float32)
        np.add.at(sums, there[owners], states)  # place by place: the same sum in any company
        sums /= np.maximum(sums[:, -1:], 1)
        means = np.clip(factors.scores(sums, inner.tiles, self.n_items), -8, 8)
        out += np.float32(0.5) + np.float32(0.5) * np.tanh(np.float32(0.5) * means)
        return out
