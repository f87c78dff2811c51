"""Candidates of first-stage models in the order of a network over pairs that was taught by such candidates."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from matinee.contract import Queries, Scorer, SecondStage
from matinee.data.dataset import Dataset
from matinee.errors import ModelError
from matinee.scoring.feature_pairs import FeaturePairs
from matinee.scoring.first_stage import OrderedBy, below, found_by, told


@dataclass(frozen=True, eq=False)
class OrderedPairs(OrderedBy, SecondStage):
    """The best `depth` of each first-stage model by what the inner network makes of them, their scores and places;
    below them everything else in the order of the first model."""

    spreads: NDArray[np.float32]  # (2, S) mean and deviation of each first-stage model's scores of candidates
    names: tuple[str, ...]
    """Of the first-stage models, of which there are none before `over`."""

    def __post_init__(self) -> None:
        sizes = {one.n_items for one in (*self.sources, self.inner)}
        if (len(sizes) != 1 or len(self.sources) not in (0, len(self.names))
                or not isinstance(self.inner, FeaturePairs) or self.inner.told != 2 * len(self.names)
                or self.spreads.shape != (2, len(self.names))):
            raise ModelError("bad-form", f"a {type(self.inner).__name__} over {len(self.sources)} first-stage models "
                             f"of {len(self.names)}, of {sorted(sizes)} items", "fit the model again")

    def over(self, sources: tuple[Scorer, ...], train: Dataset) -> OrderedPairs:
        """Features stay what they were when the network learnt, counts without the hidden events among them: the tables
        of its items were made of them. Histories are those that are asked with."""
        return replace(self, sources=sources)

    def score(self, queries: Queries) -> NDArray[np.float32]:
        items, scores, ranks, first = found_by(self.sources, queries, self.depth, repeats=self.repeats)
        assert isinstance(self.inner, FeaturePairs)
        return below(first, self.inner.score_told(queries, items, told(scores, ranks, self.spreads)), items)
