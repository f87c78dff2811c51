"""A scorer whose queries get confidence weights first: `time`, `genre_preference` and the others of `data/confidence`.

Queries always arrive plain. What the confidence learned from the training log is kept here beside the
model, so a stored model, a blend and the server weight a new history as the training log was weighted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matinee.contract import Queries, Recommender, Run, Scorer
from matinee.data.confidence import Confidence, confidence, name_of
from matinee.data.dataset import Dataset
from matinee.errors import ConfigError
from matinee.scoring.reweighted import Reweighted


@dataclass(frozen=True, eq=False)
class Weighted(Reweighted):
    confidence: str
    """As `data.confidence.CONFIDENCES` calls it."""
    settings: Mapping[str, Any]
    state: Mapping[str, NDArray[np.generic]]
    """What the confidence learned."""

    def __post_init__(self) -> None:
        confidence(self.confidence, self.settings)  # a wrong name is found when a model is loaded, not when it is asked

    def weighted(self, queries: Queries) -> Queries:
        history = queries.history
        weights = confidence(self.confidence, self.settings).apply(self.state, history)
        return replace(queries, history=history.with_values(weights))


def fit_weighted(recipe: Recommender, chosen: Confidence, train: Dataset, run: Run = Run()) -> Weighted:
    """Fit `recipe` on `train` with every event weighted by a confidence.

    Raises ConfigError (`weights-ignored`) where the recipe says that it does not honour weights; DataError where
    the data lacks what the confidence needs.
    """
    if not recipe.honours_weights:
        raise ConfigError("weights-ignored", f"{type(recipe).__name__} does not honour confidence weights, and "
                          f"{name_of(chosen)!r} is asked of it", "leave `weights` out for this model")
    state = chosen.fit(train)

    def wrap(scorer: Scorer) -> Weighted:
        return Weighted(scorer, name_of(chosen), asdict(chosen), state)

    if run.validate is not None:
        judge = run.validate
        run = run.with_(validate=lambda scorer: judge(wrap(scorer)))
    return wrap(recipe.fit(train.with_log(train.log.with_values(chosen.apply(state, train.log))), run))
