"""Popularity within a user's genres: of the films that have one of them, the most watched.

A rule of a film competition's report (boostcamp AI Tech, 2022), which scored next to nothing there and blamed that
films have unequal numbers of genres:

    held_g  = sum over the history's items j that have genre g of c_j worth_jg       worth: see `weighting`
    top_u   = the `genres` genres with the largest held_g
    score_i = popularity_i + (1 + the largest popularity) x [i has a genre of top_u]

so whatever has none of the genres comes after all that have one, again by popularity, which is the sum of the
confidences of an item's users.

Differs from the report in what comes of it: more than plain popularity finds, however genres are weighed. A user with
fewer genres has fewer, and one with none gets plain popularity.
Cost: O(E) time; 8 (I + 2 n) bytes for n labels. A block of histories needs one ranking for each set of genres.
Shines where a label is all that is known of the items; the more genres count, the less is left but popularity.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from annotated_types import Ge, Le

from matinee.contract import Recommender, Run
from matinee.data.dataset import Dataset
from matinee.scoring.genre_rule import TopGenres, Weighting, genre_table


@dataclass(frozen=True, kw_only=True)
class GenrePopularity(Recommender):
    family: ClassVar[str] = "rules"

    genres: Annotated[int, Ge(1), Le(1000)] = 3
    """So many genres of a user count. 3 as in the report."""
    weighting: Weighting = "normalised"
    """What an item adds to each of its genres: `counts` 1, `normalised` 1 in all, `tf_idf` more to the rarer genre."""

    def fit(self, train: Dataset, run: Run = Run()) -> TopGenres:
        """Raises DataError (`no-genres`) for items without genres."""
        return TopGenres(*genre_table(train, self.weighting), self.genres)
