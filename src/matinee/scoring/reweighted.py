"""A scorer around another one, which it asks with the same histories weighted otherwise."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matinee.contract import FusedScorer, Masks, Queries, Scorer
from matinee.numerics.topk import select


@dataclass(frozen=True, eq=False)
class Reweighted(FusedScorer):
    inner: Scorer

    @abstractmethod
    def weighted(self, queries: Queries) -> Queries:
        """The queries as the scorer inside gets them."""

    @property
    def found(self) -> Mapping[str, Any]:  # type: ignore[override]
        return self.inner.found

    @property
    def serves_empty(self) -> bool:  # type: ignore[override]
        return self.inner.serves_empty

    @property
    def block(self) -> int:  # type: ignore[override]
        """Users in a block: as many as suit the scorer inside."""
        return self.inner.block if isinstance(self.inner, FusedScorer) else FusedScorer.block

    @property
    def n_items(self) -> int:
        return self.inner.n_items

    def score(self, queries: Queries) -> NDArray[np.float32]:
        return self.inner.score(self.weighted(queries))

    def top_block(self, queries: Queries, k: int, masks: Masks) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        queries = self.weighted(queries)
        if isinstance(self.inner, FusedScorer):
            return self.inner.top_block(queries, k, masks)
        return select(self.inner.score(queries), k, masks)
