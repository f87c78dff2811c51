"""The same scores for everybody: popularity and other rankings of the catalogue."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matinee.contract import Queries, Scorer
from matinee.scoring.checks import check_catalogue


@dataclass(frozen=True, eq=False)
class Constant(Scorer):
    item_scores: NDArray[np.float32]  # (I,)

    @property
    def n_items(self) -> int:
        return len(self.item_scores)

    def score(self, queries: Queries) -> NDArray[np.float32]:
        check_catalogue(self, queries)
        return np.tile(self.item_scores, (len(queries), 1))
