"""What is popular in the cluster that a history belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matinee.contract import FusedScorer, Masks, Queries, VectorScorer
from matinee.errors import ModelError
from matinee.numerics import factors
from matinee.numerics.kmeans import memberships
from matinee.numerics.topk import first_bad
from matinee.scoring.checks import check_catalogue
from matinee.scoring.spaces import places


@dataclass(frozen=True, eq=False)
class UserClusters(FusedScorer):
    """score(u, i) = sum over the clusters c of share_uc popularity_ci.

    A history stands at a point of the space inside, of length 1. All of its share is the nearest centre's, or shares
    go by exp(-squared distance / temperature). A history that stands nowhere has each cluster's share of the users.
    """

    space: VectorScorer
    centres: NDArray[np.float32]  # (k, D)
    sizes: NDArray[np.float32]  # (k,)  each cluster's share of the users
    popularity: NDArray[np.float32]  # (k, I)
    temperature: float
    chosen: bool
    """Was the number of clusters found by validation?"""

    def __post_init__(self) -> None:
        k = len(self.centres)
        if not k or len(self.sizes) != k or self.popularity.shape != (k, self.n_items) or self.temperature < 0:
            what = f"{k} centres, {len(self.sizes)} sizes, popularity {self.popularity.shape} of {self.n_items} items"
            raise ModelError("bad-form", f"{what}, temperature {self.temperature}", "fit the model again")
        at = first_bad(self.popularity.reshape(-1))
        if at >= 0:
            raise ModelError("bad-form", f"popularity {at} is {self.popularity.reshape(-1)[at]}", "fit the model again")

    @property
    def n_items(self) -> int:
        return self.space.n_items

    @property
    def found(self) -> Mapping[str, Any]:  # type: ignore[override]
        return {"stop_at": len(self.centres)} if self.chosen else {}

    def score(self, queries: Queries) -> NDArray[np.float32]:
        return factors.scores(self.shares(queries), self._tiles, self.n_items)

    def top_block(self, queries: Queries, k: int, masks: Masks) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        return factors.top(self.shares(queries), self._tiles, self.n_items, k, masks)

    def shares(self, queries: Queries) -> NDArray[np.float32]:
        """(B, k) of each history in each cluster."""
        check_catalogue(self, queries)
        points = places(self.space, queries)
        if points.shape[1] != self.centres.shape[1]:
            what = f"a space of {points.shape[1]} dimensions for centres of {self.centres.shape[1]}"
            raise ModelError("bad-form", what, "fit the model again")
        shares = memberships(points, self.centres, float(self.temperature))
        shares[~points.any(axis=1)] = self.sizes
        return shares

    @cached_property
    def _tiles(self) -> NDArray[np.float32]:
        return factors.tiled(np.ascontiguousarray(self.popularity.T))
