"""Everything a model may be fitted on: log, side information, vocabularies and facts about the data."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matinee.data.candidates import Candidates
from matinee.data.columns import Features, Known, known_hash
from matinee.data.ids import Vocabulary
from matinee.data.interactions import Interactions
from matinee.errors import DataError


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is true of the data and not in its rows."""

    name: str = "data"
    repeats: bool = False
    """May an item be recommended again to somebody who had it? Then lists hold seen items and duplicates are normal."""
    notes: Mapping[str, Any] = field(default_factory=dict)
    """Counts and warnings from reading and cleaning, JSON-able; shown by `data describe` and the report."""


@dataclass(frozen=True, eq=False)
class Dataset:
    log: Interactions  # U users x I items
    users: Vocabulary  # U
    items: Vocabulary  # I
    item_features: Features  # I rows
    user_features: Features  # U rows
    facts: Facts = Facts()
    item_vectors: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    """(I, D) each, made elsewhere, by the names that recipes call them; NaN where an item has none."""
    features: Mapping[str, Known] = field(default_factory=dict)
    """What the features that a model is to learn from, by name and in order, have learnt from this log."""
    candidates: Candidates | None = None
    """What first-stage models found for whom, for a second stage to learn from."""

    def __post_init__(self) -> None:
        for what, have, want in (
            ("users", len(self.users), self.log.n_users),
            ("items", len(self.items), self.log.n_items),
            ("item features", self.item_features.n, self.log.n_items),
            ("user features", self.user_features.n, self.log.n_users),
            *((f"vectors of {name}", len(vectors), self.log.n_items) for name, vectors in self.item_vectors.items()),
        ):
            if have != want:
                raise DataError("misaligned", f"{have} {what} for a log of {want}")

    @property
    def n_users(self) -> int:
        return self.log.n_users

    @property
    def n_items(self) -> int:
        return self.log.n_items

    def with_log(self, log: Interactions) -> Dataset:
        """The same users, items and side information with another log of the same shape."""
        return replace(self, log=log)

    @cached_property
    def hash(self) -> str:
        """SHA-256 of log, ids, side information, vectors, candidates and the facts that change lists."""
        vectors = (f"{name} {vectors.shape} {hashlib.sha256(vectors.tobytes()).hexdigest()}"
                   for name, vectors in sorted(self.item_vectors.items()))
        parts = (self.log.hash(), self.users.hash, self.items.hash, self.item_features.hash(),
                 self.user_features.hash(), str(self.facts.repeats), *vectors,
                 *(f"{name} {known_hash(known)}" for name, known in self.features.items()),
                 *([] if self.candidates is None else [self.candidates.hash()]))
        return hashlib.sha256(" ".join(parts).encode()).hexdigest()
