"""Quotas by genre: three films of a user's first genre, two of the second ..., each time the most watched.

A rule of a film competition's team (boostcamp AI Tech, 2022). The genres of a history are put in order by

    held_g = sum over the history's items j that have genre g of c_j worth_jg       worth: see `weighting`

and a list takes from each in turn its quota of the most popular unseen items. An item is taken once, by the first
genre that comes to it. What a genre lacks of its quota goes to the next, and after the last to popularity. A list
longer than the quotas goes round again. Scores are places counted from the end: I, I - 1, ..., 1.

Differs: a filter takes items out of the finished order, so they use up quotas. Popularity is the sum of the
confidences of an item's users; of two equally popular items the one chosen last comes first.
Cost: O(E) to fit; a list takes a walk down the shelves as far as it is long; 8 (I + 2 n) bytes for n labels.
Shines where a list must show several of a user's genres; any model that learns from who chose what finds more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge, Le, MaxLen, MinLen

from matinee.contract import Recommender, Run
from matinee.data.dataset import Dataset
from matinee.scoring.genre_rule import GenreQuotas, Weighting, genre_table


@dataclass(frozen=True, kw_only=True)
class GenreQuota(Recommender):
    family: ClassVar[str] = "rules"

    quotas: Annotated[tuple[Annotated[int, Ge(1), Le(1000)], ...], MinLen(1), MaxLen(100)] = (3, 2, 2, 2, 1)
    """So many items of the user's first genre, of the second ... 3:2:2:2:1 as in the competition."""
    weighting: Weighting = "normalised"
    """What an item adds to each of its genres: `counts` 1, `normalised` 1 in all, `tf_idf` more to the rarer genre."""

    def fit(self, train: Dataset, run: Run = Run()) -> GenreQuotas:
        """Raises DataError (`no-genres`) for items without genres."""
        indptr, codes, worth, popularity = genre_table(train, self.weighting)
        newest = np.zeros(train.n_items, np.int64)
        np.maximum.at(newest, train.log.items, train.log.times)
        _, levels = np.unique(np.stack([popularity, newest]), axis=1, return_inverse=True)
        return GenreQuotas(indptr, codes, worth, levels.reshape(-1).astype(np.float32), self.quotas,
                           train.facts.repeats)
