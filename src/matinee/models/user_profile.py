"""User profile: what a history is made of, compared with what each item is made of; films that nobody saw included.

Pazzani, Billsus, "Content-based recommendation systems", in The Adaptive Web, 2007 (Rocchio's profile over tf-idf).

    v_i = the blocks of item i side by side, block b having length w_b, and all divided by |w|
    p_u = sum over the history's items j of c_uj v_j
    score_ui = p_u . v_i / |p_u|  +  popularity x log(1 + n_i) / log(1 + n)

with n_i the users of item i and n those of the most popular one. Blocks are genres, directors, writers, the decade of
release and the words of the title, each tf-idf, and the item's column of the log on its `dim` largest singular vectors.

Differs: dislikes are not subtracted, as an implicit log has none. The item's column is that of a competition's report,
which called the model FISM. An item of which a block knows nothing counts there as unlike all others: a plain cosine
would leave the block out, and prefers obscure films of which little more than the genre is known.
Cost: (n_u + I) (entries an item + dim) products a user, with about 10 entries an item, and a truncated SVD to fit
(numerics/svd.py); 8 bytes an entry and 4 I dim bytes, 8 I dim once asked.
Shines on items without events, for which it has a score from their features; elsewhere models that learn from events
alone are better. Blind to order, but for a half-life.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge, Gt, Le
from numpy.typing import NDArray
from scipy.sparse import csr_array

from matinee.contract import FusedScorer, Recommender, Run
from matinee.data import content
from matinee.data.columns import Features
from matinee.data.dataset import Dataset
from matinee.errors import DataError
from matinee.numerics.svd import truncated
from matinee.numerics.threads import limited
from matinee.scoring.profile import Profile
from matinee.scoring.weighted_history import WeightedHistory

Weight = Annotated[float, Ge(0), Le(1000)]

USUAL = {"genre": 0.1, "director": 0.1, "writer": 0.1, "era": 0.1, "title": 0.1}
"""What a block weighs where nothing is said and the data has its column. Source: `bench` in user_profile.yaml."""


@dataclass(frozen=True, kw_only=True)
class UserProfile(Recommender):
    family: ClassVar[str] = "profile"

    genre: Weight | None = None
    """Weight of the block of genres. Of this and the next four: 0 leaves it out; a number needs the column; null takes
    it at its usual weight where the data has the column."""
    director: Weight | None = None
    """Weight of the block of directors."""
    writer: Weight | None = None
    """Weight of the block of writers."""
    era: Weight | None = None
    """Weight of the decade of the release year."""
    title: Weight | None = None
    """Weight of the block of the title's words."""
    interactions: Weight = 1.0
    """Weight of the item's column of the log; 0 leaves it out. An item without events has none."""
    dim: Annotated[int, Ge(1), Le(4096)] = 48
    """Singular vectors that the columns are reduced to."""
    popularity: Annotated[float, Ge(0), Le(1000)] = 0.7
    """What popularity adds: so much to the most popular item, nothing to one without events."""
    half_life_days: Annotated[float, Gt(0), Le(100_000)] | None = None
    """An event so many days older than the newest one counts half; null counts all alike."""

    def fit(self, train: Dataset, run: Run = Run()) -> FusedScorer:
        """Raises DataError: `no-feature` where a block asked for has no column, `no-blocks` where none counts."""
        weights = self._weights(train.item_features)
        length = float(np.sqrt(sum(weight**2 for weight in weights.values()) + self.interactions**2))
        if length == 0:
            raise DataError("no-blocks", "user_profile has nothing to compare items by: no block that weighs "
                            "anything has a column in the data", "join item files by `side`, or weigh `interactions`")
        shares = {name: weight / length for name, weight in weights.items()}
        sparse = content.side_by_side(train.item_features, shares)
        dense = np.zeros((train.n_items, 0), np.float32)
        if self.interactions:
            with limited(run.threads):
                dense = self._columns(train.log.matrix(), run) * np.float32(self.interactions / length)  # (I, D)
        views = np.log1p(train.log.item_counts())
        bonus = self.popularity * views / (views.max(initial=0) or 1)
        profile = Profile(sparse.indptr.astype(np.int64), sparse.indices.astype(np.int32),
                          sparse.data.astype(np.float32), dense, bonus.astype(np.float32), sparse.shape[1])
        if self.half_life_days is None:
            return profile
        return WeightedHistory(profile, 1.0, 0, np.array([1 / self.half_life_days], np.float32), "days")

    def _weights(self, items: Features) -> dict[str, float]:
        """Of each block of content that counts."""
        said = {name: getattr(self, name) for name in USUAL}
        content.require(items, {name: weight or 0.0 for name, weight in said.items()}, "user_profile")
        weights = {name: usual * (content.COLUMNS[name] in items) if said[name] is None else said[name]
                   for name, usual in USUAL.items()}
        return {name: weight for name, weight in weights.items() if weight > 0}

    def _columns(self, matrix: csr_array, run: Run) -> NDArray[np.float32]:
        """(I, D) rows of length 1; 0 for an item without events."""
        singular = truncated(matrix, self.dim, np.random.default_rng(run.seed))
        columns = singular.items * singular.values
        lengths = np.linalg.norm(columns, axis=1, keepdims=True)
        return np.asarray(np.divide(columns, lengths, out=np.zeros_like(columns), where=lengths > 0))
