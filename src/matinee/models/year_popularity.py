"""Popularity in the years of a history: what was watched while this user was there, and shortly before.

A rule of a film competition's teams (boostcamp AI Tech, 2022), whose logs had holes between a user's first
and last event rather than an end:

    score_i = sum over the years y from first_u - years_before to last_u of views[y, i]

views[y, i] counts the events of item i in the calendar year y (UTC), first_u and last_u are the years of the
oldest and the newest event of the history. A history without times gets the views of all years.

Differs from `popularity`: an event that comes again counts again, as a view of that day.
Cost: O(E) time, and one subtraction an item for each pair of years that occurs; 8 x years x I bytes.
Shines where users come, watch for a while and go, and gaps in their histories are to be filled; what they watched it
does not read, so it knows no tastes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge, Le

from matinee.contract import Recommender, Run
from matinee.data.dataset import Dataset
from matinee.numerics.periods import starts_of, views
from matinee.scoring.by_period import ByPeriod


@dataclass(frozen=True, kw_only=True)
class YearPopularity(Recommender):
    family: ClassVar[str] = "rules"
    honours_weights: ClassVar[bool] = False
    by_time_alone: ClassVar[bool] = True

    years_before: Annotated[int, Ge(0), Le(1000)] = 1
    """So many years before the history begins count too. 1 as in the competition."""

    def fit(self, train: Dataset, run: Run = Run()) -> ByPeriod:
        """Raises DataError (`no-times`) for a log without times."""
        years, counts = views(train.log, "year")
        cumulative = np.zeros((len(years) + 1, train.n_items))
        np.cumsum(counts, axis=0, out=cumulative[1:])
        return ByPeriod(starts_of(years, "year"), cumulative, self.years_before, 0)
