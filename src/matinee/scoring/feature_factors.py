"""A user's fields times an item's: the fitted form of factorisation machines, together or field by field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matinee.contract import FusedScorer, ItemVectorScorer, Masks, Queries
from matinee.data.columns import Known
from matinee.errors import ModelError
from matinee.features.fitted import unpacked
from matinee.numerics import factors
from matinee.numerics.field_factors import combined
from matinee.scoring.checks import check_catalogue
from matinee.scoring.user_fields import check_finite, checked_length, tells_of_users, user_rows


@dataclass(frozen=True, eq=False)
class FeatureFactors(FusedScorer, ItemVectorScorer):
    """score(u, i) = x_u . y_i + own_u + own_i, as `numerics.field_factors` has it.

    The items' side is all summed up when the model is stored, so that asking costs the same whatever they have; the
    users' is made of each query. Who has no row in the log has no vector of his own, and all else. 4 I D bytes, as many
    again once asked, and the tables of the users' fields.
    """

    item_factors: NDArray[np.float32]  # (I, D)
    item_biases: NDArray[np.float32]  # (I,) own
    tables: Mapping[str, NDArray[np.float32]]
    """By field of the user: (its columns, T + 1), the linear weights last."""
    order: tuple[str, ...]
    """The fields as they stand side by side."""
    fields: Mapping[str, Any]
    """How the features among them become inputs."""
    known: Mapping[str, NDArray[np.generic]]
    """What these have learnt."""
    bias: float
    item_fields: int
    apart: bool
    """Has a field a vector of its own for each field that it meets?"""
    chosen: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        parts = checked_length(self.order, self.tables, self.fields, self.n_items) - 1
        n = len(self.order)
        dim = parts // (n + self.item_fields) * n * self.item_fields if self.apart else parts
        if self.item_factors.shape != (self.n_items, dim):
            raise ModelError("bad-form", f"{n} fields of {parts} numbers do not fit item factors of shape "
                             f"{self.item_factors.shape}", "fit the model again")
        check_finite({"item_factors": self.item_factors, "item_biases": self.item_biases})

    @property
    def n_items(self) -> int:
        return len(self.item_biases)

    @property
    def found(self) -> Mapping[str, Any]:  # type: ignore[override]
        return self.chosen

    @property
    def serves_empty(self) -> bool:  # type: ignore[override]
        return tells_of_users(self.fields)

    def item_vectors(self) -> NDArray[np.float32]:
        return self.item_factors

    def score(self, queries: Queries) -> NDArray[np.float32]:
        return factors.scores(self._asked(queries), self._tiles, self.n_items)

    def top_block(self, queries: Queries, k: int, masks: Masks) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        return factors.top(self._asked(queries), self._tiles, self.n_items, k, masks)

    def users(self, queries: Queries) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """(B, D) and own (B,). Raises DataError for histories over another catalogue."""
        check_catalogue(self, queries)
        rows = user_rows(queries, self.order, self.tables, self.fields, self._known)
        return combined(np.stack(list(rows), axis=1), self.item_fields, apart=self.apart)

    def _asked(self, queries: Queries) -> NDArray[np.float32]:
        """(B, D + 2): own_u, and the 1 that takes own_i along."""
        vectors, own = self.users(queries)
        return np.hstack([vectors, own[:, None] + np.float32(self.bias), np.ones((len(vectors), 1), np.float32)])

    @cached_property
    def _tiles(self) -> NDArray[np.float32]:
        ones = np.ones((self.n_items, 1), np.float32)
        return factors.tiled(np.hstack([self.item_factors, ones, self.item_biases[:, None]]))

    @cached_property
    def _known(self) -> Mapping[str, Known]:
        return unpacked(self.known, self.fields)
