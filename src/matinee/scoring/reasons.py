"""Why an item is recommended: what each item of the history adds to its score."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from matinee.contract import AdditiveScorer, Queries, Scorer
from matinee.errors import ModelError
from matinee.scoring.reweighted import Reweighted


class Reason(NamedTuple):
    item: int
    """Of the history."""
    share: float
    """Of all that speaks for the recommendation, in (0, 1]; what speaks against it is not counted."""


def parts(scorer: Scorer, query: Queries, items: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """`AdditiveScorer.parts`, also of one that is asked through a confidence.

    Raises ModelError where the scores are no sum over the history, as those of a blend or of popularity.
    """
    while isinstance(scorer, Reweighted):
        query, scorer = scorer.weighted(query), scorer.inner
    if not isinstance(scorer, AdditiveScorer):
        raise ModelError("no-reasons", f"a score of the form {type(scorer).__name__} is no sum over the history",
                         "ask an item-item or a factor model why; of a blend, one of its members")
    return scorer.parts(query, items)


def reasons(scorer: Scorer, query: Queries, items: NDArray[np.int32], most: int) -> list[list[Reason]]:
    """For each of `items` (K,) the `most` items of the one history that speak loudest for it, loudest first.

    Equal ones in the order of their ids; none where nothing speaks for an item. Raises as `parts` does.
    """
    said, added = parts(scorer, query, items)
    found = []
    for column in added.T:
        speaks = np.maximum(column, 0)
        order = np.argsort(-speaks, kind="stable")[:most]
        found.append([Reason(int(said[at]), float(speaks[at] / speaks.sum())) for at in order if speaks[at] > 0])
    return found
