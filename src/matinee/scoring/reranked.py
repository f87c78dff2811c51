"""Candidates of first-stage models in the order of a model of pairs, which learnt from the log and not from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matinee.contract import PairScorer, Queries, Scorer
from matinee.errors import ModelError
from matinee.scoring.first_stage import below, found_by


@dataclass(frozen=True, eq=False)
class Reranked(PairScorer):
    """The best `depth` of each first-stage model by the inner scores; below them everything else in the order of the
    first model. The inner model is asked for candidates alone, and the first stage costs what it costs."""

    sources: tuple[Scorer, ...]
    inner: Scorer
    depth: int
    repeats: bool

    def __post_init__(self) -> None:
        sizes = {one.n_items for one in (*self.sources, self.inner)}
        if len(sizes) != 1 or not self.sources or not isinstance(self.inner, PairScorer):
            raise ModelError("bad-form", f"a {type(self.inner).__name__} over {len(self.sources)} first-stage models, "
                             f"of {sorted(sizes)} items", "fit the model again")

    @property
    def n_items(self) -> int:
        return self.inner.n_items

    @property
    def found(self) -> Mapping[str, Any]:  # type: ignore[override]
        return self.inner.found

    @property
    def serves_empty(self) -> bool:  # type: ignore[override]
        return all(source.serves_empty for source in self.sources)

    def score(self, queries: Queries) -> NDArray[np.float32]:
        items, _, _, first = found_by(self.sources, queries, self.depth, repeats=self.repeats)
        assert isinstance(self.inner, PairScorer)
        return below(first, self.inner.score_pairs(queries, items), items)

    def score_pairs(self, queries: Queries, candidates: NDArray[np.int32]) -> NDArray[np.float32]:
        found = np.take_along_axis(self.score(queries), np.maximum(candidates, 0).astype(np.int64), axis=1)
        return np.where(candidates >= 0, found, np.float32(-np.inf))
