"""A blend: scores of several models, made comparable for each user over the catalogue, then summed or multiplied."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matinee.contract import Queries, Scorer
from matinee.errors import ModelError
from matinee.numerics import normalise as rows
from matinee.numerics.topk import ScoreError

NORMALISATIONS = ("z_score", "rank", "softmax", "none")
COMBINATIONS = ("sum", "product")


@dataclass(frozen=True, eq=False)
class Blend(Scorer):
    """sum of w n(s) over the members, or the product of n(s)^w as the sum of w log n(s), which is the same order.

    The weights are scaled to a sum of 1. A member of weight 0 is not asked; where only one is left its scores are
    passed on as they are. Any scorer may be a member, another blend too.
    """

    members: tuple[Scorer, ...]  # M
    weights: NDArray[np.float32]  # (M,)  0 or more, not all 0
    normalise: str
    """Over a user's row: one of NORMALISATIONS."""
    combine: str
    """One of COMBINATIONS; a product needs `rank` or `softmax`, which are above 0."""

    def __post_init__(self) -> None:
        weights = self.weights
        if self.normalise not in NORMALISATIONS or self.combine not in COMBINATIONS:
            raise ModelError("bad-blend", f"a blend by {self.normalise!r} and {self.combine!r}", "fit it again")
        if self.combine == "product" and self.normalise not in ("rank", "softmax"):
            raise ModelError("bad-blend", f"a product of scores by {self.normalise!r}, which may be negative",
                             "normalise by rank or softmax")
        if weights.shape != (len(self.members),) or not (np.isfinite(weights).all() and (weights >= 0).all()
                                                        and weights.any()):
            raise ModelError("bad-blend", f"weights {weights.tolist()} for {len(self.members)} members",
                             "give one finite weight of 0 or more a member, not all 0")
        if len({member.n_items for member in self.members}) > 1:
            raise ModelError("bad-blend", f"members of {[member.n_items for member in self.members]} items",
                             "blend models that were fitted on the same data")

    @property
    def n_items(self) -> int:
        return self.members[0].n_items

    def score(self, queries: Queries) -> NDArray[np.float32]:
        """Raises ScoreError where a member's score is NaN or infinite: a rank would hide it."""
        asked = [(member, weight) for member, weight in zip(self.members, self.weights.tolist(), strict=True) if weight]
        if len(asked) == 1:
            return asked[0][0].score(queries)
        whole = math.fsum(weight for _, weight in asked)
        total = np.zeros((len(queries), self.n_items))  # float64, so that the order of members is lost in rounding
        for member, weight in asked:
            total += weight / whole * term(member.score(queries), self.normalise, self.combine)
        return total.astype(np.float32)


def term(scores: NDArray[np.float32], normalise: str, combine: str) -> NDArray[np.float32]:
    """(B, I) what one member adds, before its weight. Raises ScoreError for a score that is NaN or infinite."""
    bad = ~np.isfinite(scores)
    if bad.any():
        row, item = (int(at) for at in np.argwhere(bad)[0])
        raise ScoreError(row, item, float(scores[row, item]))
    if normalise == "none":
        return scores
    if normalise == "z_score":
        return rows.z_scores(scores)
    made = rows.ranks(scores) if normalise == "rank" else rows.log_softmax(scores)
    if combine == "product":
        return np.log(made) if normalise == "rank" else made
    return made if normalise == "rank" else np.exp(made)
