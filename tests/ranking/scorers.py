"""Scorers made by hand for tests of ranking: what they answer is plain to see."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from matinee.contract import FusedScorer, Queries, Scorer
from matinee.ranking.topk import top_k


@dataclass(frozen=True, eq=False)
class Same(Scorer):
    """The same scores (I,) for everybody."""

    scores: np.ndarray

    @property
    def n_items(self):
        return len(self.scores)

    def score(self, queries: Queries):
        return np.tile(np.asarray(self.scores, np.float32), (len(queries), 1))


@dataclass(frozen=True, eq=False)
class ItemItem(Scorer):
    """history @ weights (I, I)."""

    weights: np.ndarray

    @property
    def n_items(self):
        return len(self.weights)

    def score(self, queries: Queries):
        return np.asarray(queries.history.matrix() @ self.weights, np.float32)


@dataclass(frozen=True, eq=False)
class Fused(FusedScorer):
    """Ranks as it scores, and tells `noticed` that it was asked to."""

    inner: Scorer
    noticed: Callable[[int], None]

    @property
    def n_items(self):
        return self.inner.n_items

    def score(self, queries: Queries):
        raise AssertionError("a fused scorer is asked to rank")

    def top_block(self, queries, k, masks):
        self.noticed(len(queries))
        return top_k(self.inner.score(queries), k, masks)
