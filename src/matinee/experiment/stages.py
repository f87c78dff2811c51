"""The three stages of an experiment and what each may know.

valid  fitted on train; weights, thresholds and epochs are chosen here
test   fitted on train, or train + valid with `refit`; the honest figures
final  fitted on everything; the submission. Seen items and queries always use all that is known at the stage.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from matinee.contract import Queries
from matinee.data.dataset import Dataset
from matinee.data.interactions import Interactions
from matinee.ranking.filters import Filter, FittedFilter
from matinee.ranking.recommend import ask_from
from matinee.split.parts import Split, Truth


@dataclass(frozen=True, eq=False)
class StageData:
    name: str
    fit: Dataset  # what may be learnt from; the same U users and I items as the whole
    given: Interactions  # the histories that are asked with, values 1
    users: NDArray[np.int64]  # (V,) who gets lists, ascending
    truth: Truth | None
    filters: tuple[FittedFilter, ...]

    @cached_property
    def item_counts(self) -> NDArray[np.int64]:
        """(I,) distinct users of each item in `fit`."""
        return self.fit.log.item_counts()

    @cached_property
    def fallback(self) -> NDArray[np.float32]:
        """(I,) what fills a list that a model could not: popularity in `fit`."""
        return self.item_counts.astype(np.float32)

    @cached_property
    def ask(self) -> Callable[[NDArray[np.int64]], Queries]:
        """Queries of users (b,)."""
        return ask_from(self.given, self.fit.log.counts, self.fit.user_features)


def split_stages(dataset: Dataset, split: Split, filters: Sequence[Filter]) -> dict[str, StageData]:
    """`valid` and `test`, as far as the split has them. Where both learn from the same events they share them."""
    stages: dict[str, StageData] = {}
    for name, stage in split.stages.items():
        twin = next((stages[n] for n, s in split.stages.items() if n in stages and np.array_equal(s.fit, stage.fit)), None)
        fit = twin.fit if twin else dataset.with_log(dataset.log.select(stage.fit))
        fitted = twin.filters if twin else tuple(recipe.fit(fit) for recipe in filters)
        known = stage.truth.users[stage.truth.users >= 0]
        stages[name] = StageData(name, fit, dataset.log.select(stage.given), known, stage.truth, fitted)
    return stages


def final_stage(dataset: Dataset, users: NDArray[np.int64], filters: Sequence[Filter]) -> StageData:
    """Everything is known; lists for `users`, ascending."""
    return StageData("final", dataset, dataset.log, users, None, tuple(recipe.fit(dataset) for recipe in filters))
