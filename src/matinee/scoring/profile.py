"""A profile of what a history is made of, compared with what every item is made of."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from matinee.contract import FusedScorer, Masks, Queries
from matinee.errors import ModelError
from matinee.numerics import profiles
from matinee.numerics.topk import first_bad
from matinee.scoring.checks import check_catalogue


@dataclass(frozen=True, eq=False)
class Profile(FusedScorer):
    """score(u, i) = p_u . v_i / |p_u| + bonus_i        p_u = sum over the history's distinct items j of c_j v_j

    where v is an item's sparse entries and its dense ones, and c the confidence: a cosine where items have length 1.
    An empty history, and an item without entries, have the bonus alone. 8 bytes a sparse entry and 4 I D, and 4 I D
    again once asked.
    """

    indptr: NDArray[np.int64]  # (I + 1,)  item i has features[indptr[i]:indptr[i + 1]]
    features: NDArray[np.int32]  # (n,)
    weights: NDArray[np.float32]  # (n,)
    dense: NDArray[np.float32]  # (I, D)
    bonus: NDArray[np.float32]  # (I,)
    n_features: int

    def __post_init__(self) -> None:
        n, n_items = len(self.features), self.n_items
        fits = self.dense.ndim == 2 and len(self.dense) == n_items == len(self.indptr) - 1
        if not fits or self.indptr[0] != 0 or not self.indptr[-1] == n == len(self.weights) or bool(
            np.any(np.diff(self.indptr) < 0)
        ):
            raise ModelError("bad-form", f"{n} features, {len(self.weights)} weights and dense entries of shape "
                             f"{self.dense.shape} do not fit {n_items} items", "fit the model again")
        if n and not 0 <= self.features.min() <= self.features.max() < self.n_features:
            raise ModelError("bad-form", f"features must lie in [0, {self.n_features}); got [{self.features.min()}, "
                                         f"{self.features.max()}]", "fit the model again")
        for name in ("weights", "dense", "bonus"):
            flat = getattr(self, name).reshape(-1)
            at = first_bad(flat) if len(flat) else -1
            if at >= 0:
                raise ModelError("bad-form", f"entry {at} of {name} is {flat[at]}", "fit the model again")

    @property
    def n_items(self) -> int:
        return len(self.bonus)

    def score(self, queries: Queries) -> NDArray[np.float32]:
        return profiles.scores(self._vectors, self._history(queries))

    def top_block(self, queries: Queries, k: int, masks: Masks) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        return profiles.top(self._vectors, self._history(queries), k, masks)

    def _history(self, queries: Queries) -> csr_array:
        check_catalogue(self, queries)
        return queries.history.matrix()

    @cached_property
    def _vectors(self) -> profiles.Vectors:
        return profiles.Vectors(self.indptr, self.features, self.weights, self.dense,
                                np.ascontiguousarray(self.dense.T), self.bonus, self.n_features)
