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

from matinee.contract import Scorer
from matinee.data.dataset import Dataset
from matinee.data.interactions import Interactions
from matinee.errors import ModelError
from matinee.evaluation.evaluate import Row, evaluate, values
from matinee.ranking.filters import Filter, FittedFilter
from matinee.ranking.lists import Lists
from matinee.ranking.recommend import Ask, ask_from, recommend
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
    def ask(self) -> Ask:
        """Queries of users (b,)."""
        return ask_from(self.given, self.fit.log.counts, self.fit.user_features)

    def recommend(
        self,
        scorer: Scorer,
        k: int,
        *,
        users: NDArray[np.int64] | None = None,
        ask: Ask | None = None,
        name: str = "the model",
        personal: bool = True,
        progress: Callable[[str, int, int], None] | None = None,
    ) -> Lists:
        """The k best for each of `users` (all of the stage's unless told), asked with their given histories unless
        `ask` knows others, under the stage's filters and fallback."""
        return recommend(
            scorer,
            ask or self.ask,
            self.users if users is None else users,
            k,
            repeats=self.fit.facts.repeats,
            filters=self.filters,
            fallback=self.fallback,
            personal=personal,
            name=name,
            user_id=self.fit.users.__getitem__,
            progress=progress,
        )

    def measure(self, lists: Lists, metrics: Sequence[str], segments: Sequence[str] = (), seed: int = 0) -> list[Row]:
        """Each metric with its interval. Raises ModelError at the final stage, which has no truth."""
        if self.truth is None:
            raise ModelError("no-truth", f"nothing is hidden at the {self.name} stage", "measure at valid or test")
        return evaluate(
            lists,
            self.truth,
            metrics=metrics,
            segments=segments,
            given=self.given,
            fit=self.fit.log,
            item_features=self.fit.item_features,
            seed=seed,
        )

    def values(self, lists: Lists, metric: str) -> NDArray[np.float64]:
        """(V,) one metric of each user of the truth. Raises as `evaluate.values` does."""
        assert self.truth is not None
        return values(lists, self.truth, metric, given=self.given, fit=self.fit.log,
                      item_features=self.fit.item_features)


def split_stages(dataset: Dataset, split: Split, filters: Sequence[Filter]) -> dict[str, StageData]:
    """`valid` and `test`, as far as the split has them. Where both learn from the same events they share them."""
    stages: dict[str, StageData] = {}
    for name, stage in split.stages.items():
        twin = next(
            (stages[n] for n, s in split.stages.items() if n in stages and np.array_equal(s.fit, stage.fit)), None
        )
        fit = twin.fit if twin else dataset.with_log(dataset.log.select(stage.fit))
        fitted = twin.filters if twin else tuple(recipe.fit(fit) for recipe in filters)
        known = stage.truth.users[stage.truth.users >= 0]
        stages[name] = StageData(name, fit, dataset.log.select(stage.given), known, stage.truth, fitted)
    return stages


def some(users: NDArray[np.int64], most: int, seed: int) -> NDArray[np.int64]:
    """At most so many of them, at random, ascending."""
    return np.sort(np.random.default_rng([seed, 0]).choice(users, min(most, len(users)), replace=False))


def final_stage(dataset: Dataset, users: NDArray[np.int64], filters: Sequence[Filter]) -> StageData:
    """Everything is known; lists for `users`, ascending."""
    return StageData("final", dataset, dataset.log, users, None, tuple(recipe.fit(dataset) for recipe in filters))
