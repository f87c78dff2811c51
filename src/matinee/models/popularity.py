"""Popularity: how many users chose an item, ever or lately. The floor that every model must clear.

    score_i = sum over the users u of i of 0.5^(age_ui / half_life)      1 each without a half-life

where age_ui is the time from u's newest event with i to the newest event of the training log. With a window,
older events do not count at all.

Differs from counting events: somebody who watched a film ten times counts once.
Cost: O(E) time; 4 I bytes once fitted.
Shines as the fallback for people of whom nothing is known, and under a split by time, where a window of weeks
comes close to sequence models (Ji et al., "A Re-visit of the Popularity Baseline", SIGIR 2020); knows nobody.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Gt, Le

from matinee.contract import Recommender, Run
from matinee.data.dataset import Dataset
from matinee.errors import DataError
from matinee.scoring.constant import Constant

_DAY = 86_400


@dataclass(frozen=True, kw_only=True)
class Popularity(Recommender):
    family: ClassVar[str] = "baseline"
    personal: ClassVar[bool] = False
    honours_weights: ClassVar[bool] = False

    window_days: Annotated[float, Gt(0), Le(1_000_000)] | None = None
    """Count only the events of so many days before the newest one; null counts all."""
    half_life_days: Annotated[float, Gt(0), Le(1_000_000)] | None = None
    """An event so many days older counts half; null counts all alike."""

    def fit(self, train: Dataset, run: Run = Run()) -> Constant:
        log = train.log
        newest = log.times.max(initial=0)
        if newest == 0 and len(log) and (self.window_days or self.half_life_days):
            raise DataError("no-times", "popularity of a time is asked of a log without times",
                            "leave window_days and half_life_days out")
        if self.window_days is not None:
            log = log.select(log.times > newest - self.window_days * _DAY)
        age = (newest - log.times) / _DAY  # (E,) days
        worth = 0.5 ** (age / self.half_life_days) if self.half_life_days else np.ones(len(log))
        pairs = log.with_values(worth.astype(np.float32)).matrix()  # (U, I) the newest event of each pair, worth most
        return Constant(np.bincount(pairs.indices, pairs.data, train.n_items).astype(np.float32))
