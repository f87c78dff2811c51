"""Candidates of first-stage models in the order of a model of pairs, which learnt from the log and not from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matinee.contract import PairScorer, Queries
from matinee.errors import ModelError
from matinee.scoring.first_stage import OrderedBy, below, found_by


@dataclass(frozen=True, eq=False)
class Reranked(OrderedBy):
    """The best `depth` of each first-stage model by the inner scores; below them everything else in the order of the
    first model. The inner model is asked for candidates alone, and the first stage costs what it costs."""

    def __post_init__(self) -> None:
        sizes = {one.n_items for one in (*self.sources, self.inner)}
        if len(sizes) != 1 or not self.sources or not isinstance(self.inner, PairScorer):
            raise ModelError("bad-form", f"a {type(self.inner).__name__} over {len(self.sources)} first-stage models, "
                             f"of {sorted(sizes)} items", "fit the model again")

    def score(self, queries: Queries) -> NDArray[np.float32]:
        items, _, _, first = found_by(self.sources, queries, self.depth, repeats=self.repeats)
        assert isinstance(self.inner, PairScorer)
        return below(first, self.inner.score_pairs(queries, items), items)
