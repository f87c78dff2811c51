"""What fitted networks over pairs share: the fields of a user, numbers of a pair, and a whole catalogue in blocks."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matinee.contract import PairScorer, Queries
from matinee.data.columns import Known
from matinee.errors import ModelError
from matinee.features.fitted import unpacked
from matinee.features.pair_numbers import pair_numbers
from matinee.scoring.checks import check_catalogue
from matinee.scoring.user_fields import checked_length, tells_of_users, user_rows

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False, kw_only=True)
class FeaturePairs(PairScorer):
    """The items' side is made when the model is stored; the users' is made of each query, once for all candidates."""

    tables: Mapping[str, NDArray[np.float32]]
    """By field of the user: (its columns, T + 1), the linear weights last."""
    order: tuple[str, ...]
    """The fields as they stand side by side."""
    fields: Mapping[str, Any]
    """How the features among them become columns."""
    numbers: Mapping[str, Any]
    """Features of pairs: mean and standard deviation."""
    known: Mapping[str, NDArray[np.generic]]
    """What all these features have learnt."""
    item_biases: NDArray[np.float32]  # (I,)
    bias: float
    told: int = 0
    """Numbers that a first stage says of each pair, behind those of features; then `score_told` asks it."""
    chosen: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        checked_length(self.order, self.tables, self.fields, self.n_items)

    @property
    def n_items(self) -> int:
        return len(self.item_biases)

    @property
    def found(self) -> Mapping[str, Any]:  # type: ignore[override]
        return self.chosen

    @property
    def serves_empty(self) -> bool:  # type: ignore[override]
        return tells_of_users(self.fields)

    def score(self, queries: Queries) -> Floats:
        catalogue = np.broadcast_to(np.arange(self.n_items, dtype=np.int32), (len(queries), self.n_items))
        return self.score_pairs(queries, np.ascontiguousarray(catalogue))

    def score_pairs(self, queries: Queries, candidates: NDArray[np.int32]) -> Floats:
        """Raises DataError for histories over another catalogue."""
        return self.score_told(queries, candidates, np.empty((*candidates.shape, 0), np.float32))

    def score_told(self, queries: Queries, candidates: NDArray[np.int32], told: Floats) -> Floats:
        """told (B, C, `self.told`) what a first stage says of the candidates. May raise ModelError."""
        check_catalogue(self, queries)
        if told.shape != (*candidates.shape, self.told):
            raise ModelError("first-stage", f"it reads {self.told} numbers of a first stage and got {told.shape[-1]}",
                             "ask it over the first stage that it was taught on")
        numbers = pair_numbers(self.numbers, self.learnt, queries, candidates)
        if self.told:
            numbers = np.concatenate([numbers, told], axis=2)
        return self._scored(queries, numbers, np.ascontiguousarray(candidates))

    @abstractmethod
    def _scored(self, queries: Queries, numbers: Floats, candidates: NDArray[np.int32]) -> Floats:
        """numbers (B, C, N), candidates (B, C) -> (B, C)"""

    def sides(self, queries: Queries) -> Floats:
        """(B, F, T + 1) of each field of the users."""
        rows = user_rows(queries, self.order, self.tables, self.fields, self.learnt)
        return np.stack(list(rows), axis=1)

    @cached_property
    def learnt(self) -> Mapping[str, Known]:
        return unpacked(self.known, [*self.fields, *self.numbers])
