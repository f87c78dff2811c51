"""Ratings foretold: the mean of the history's ratings, each weighted by how similar its item is and by its event."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from matinee.contract import Queries, Scorer
from matinee.errors import ModelError
from matinee.scoring.checks import check_catalogue
from matinee.scoring.item_item import SparseItemItem
from matinee.scoring.ratings import newest_of_pair, ratings


@dataclass(frozen=True, eq=False)
class RatingMean(Scorer):
    """score(u, i) = sum over j of v_j s_ji r_j / (sum over j of v_j s_ji + damping); v an event's value, r its rating.

    Of an item that comes again the newest event counts. An event without a rating is taken for `unrated`.
    """

    summed: SparseItemItem
    """The similarities, 0 or more."""
    damping: float
    """Above 0: an item that little speaks for is not foretold a high rating."""
    unrated: float

    def __post_init__(self) -> None:
        if not self.damping > 0 or bool((self.summed.weights < 0).any()):
            least = self.summed.weights.min(initial=0)
            raise ModelError("bad-form", f"damping {self.damping}, least similarity {least}",
                             "a mean needs a damping above 0 and similarities of 0 or more")

    @property
    def n_items(self) -> int:
        return self.summed.n_items

    def score(self, queries: Queries) -> NDArray[np.float32]:
        check_catalogue(self, queries)
        history = queries.history.select(newest_of_pair(queries.history))
        below = self.summed.score(replace(queries, history=history))
        rated = history.with_values(history.values * ratings(history, self.unrated))
        return self.summed.score(replace(queries, history=rated)) / (below + np.float32(self.damping))
