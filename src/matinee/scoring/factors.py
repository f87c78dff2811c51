"""A user's factors, solved from the history that is asked with, times the items' factors."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from matinee.contract import AdditiveScorer, FusedScorer, ItemVectorScorer, Masks, Queries, VectorScorer
from matinee.errors import ModelError
from matinee.numerics import factors, ridge
from matinee.numerics.topk import first_bad
from matinee.scoring.checks import check_catalogue

PRECISION = 1e-6
"""To this share of its first size the residual of a user's equations is brought: about what float32 can tell."""
MOST_STEPS = 200
"""About ten do; this ends a case that float32 cannot bring to PRECISION."""


@dataclass(frozen=True, eq=False)
class FoldInFactors(FusedScorer, VectorScorer, AdditiveScorer, ItemVectorScorer):
    """score(u, i) = x_u . y_i, where x_u minimises, over the history's n_u distinct items j with confidence c_j,

        sum_j c_j (1 - x.y_j)^2 + w sum over all items (x.y_i)^2 + l2 (n_u + mass)^exponent |x|^2.

    No user's factors are kept: somebody known, somebody new and somebody who went on watching are solved alike, from
    the history alone. Nobody's history is no equation at all, hence zeros. The items' factors stand in the basis
    where w Y'Y is diagonal. 4 I D bytes, and as many again once asked; no more than 2 I D + 20 n_u D operations a user.
    """

    item_factors: NDArray[np.float32]  # (I, D)
    curvature: NDArray[np.float32]  # (D,)  the diagonal of w Y'Y
    mass: float
    """w x the items that anybody had"""
    l2: float
    exponent: float

    def __post_init__(self) -> None:
        if self.item_factors.ndim != 2 or self.curvature.shape != self.item_factors.shape[1:]:
            raise ModelError("bad-form", f"item factors have shape {self.item_factors.shape} and their curvature "
                                         f"{self.curvature.shape}", "fit the model again")
        if min(self.mass, self.l2) <= 0:
            raise ModelError("bad-form", f"mass {self.mass} and l2 {self.l2} must be positive", "fit the model again")
        if bool((self.curvature < 0).any()):
            raise ModelError("bad-form", "a curvature is negative", "fit the model again")
        at = first_bad(self.item_factors.reshape(-1))
        if at >= 0:
            raise ModelError("bad-form", f"factor {at} is {self.item_factors.reshape(-1)[at]}", "fit the model again")

    @property
    def n_items(self) -> int:
        return len(self.item_factors)

    def item_vectors(self) -> NDArray[np.float32]:
        return self.item_factors

    def score(self, queries: Queries) -> NDArray[np.float32]:
        return factors.scores(self.vectors(queries), self._tiles, self.n_items)

    def top_block(self, queries: Queries, k: int, masks: Masks) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        return factors.top(self.vectors(queries), self._tiles, self.n_items, k, masks)

    def vectors(self, queries: Queries) -> NDArray[np.float32]:
        """(B, D) in the basis of `item_factors`. Raises DataError for histories over another catalogue."""
        check_catalogue(self, queries)
        history = queries.history.matrix()
        out = np.zeros((len(queries), len(self.curvature)), np.float32)
        table = ridge.Table(self.item_factors, self.curvature, self.mass)
        of_user = ridge.by_count(history, self.l2, self.mass, self.exponent)
        ridge.solve(history, table, of_user, out, steps=MOST_STEPS, tolerance=PRECISION)
        return out

    def parts(self, query: Queries, items: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
        """c_j y_j . A^-1 y_i, with A the system that the history's x solves: Hu, Koren, Volinsky 2008, section 5."""
        check_catalogue(self, query)
        history = query.history.matrix()
        own = self.item_factors[history.indices].astype(np.float64)  # (n, D)
        pulls = own * history.data[:, None]
        of_user = float(ridge.by_count(history, self.l2, self.mass, self.exponent)[0])
        system = pulls.T @ own + np.diag(self.curvature + of_user)
        return history.indices, pulls @ np.linalg.solve(system, self.item_factors[items].T.astype(np.float64))

    @cached_property
    def _tiles(self) -> NDArray[np.float32]:
        return factors.tiled(self.item_factors)
