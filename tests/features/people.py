"""The planted toy with an occupation for each user, and what parts of it are asked."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from matinee.contract import Queries
from matinee.data.columns import Categories, Features
from matinee.data.dataset import Dataset
from matinee.features.feature import Feature
from matinee.testing import planted

CANDIDATES = 12


@cache
def data() -> Dataset:
    toy = planted().data
    jobs = Categories.from_pairs(np.arange(toy.n_users), [f"직업{row % 4}" for row in range(toy.n_users)], toy.n_users)
    return replace(toy, user_features=Features(toy.n_users, {**toy.user_features.columns, "occupation": jobs}))


def everybody(train: Dataset) -> Queries:
    return Queries.of(train.log, np.arange(train.n_users), attributes=train.user_features)


def candidates(queries: Queries, seed: int = 0) -> NDArray[np.int32]:
    """(B, C) drawn for each user alone, his newest item among them."""
    rng = np.random.default_rng(seed)
    found = rng.integers(0, queries.history.n_items, (len(queries), CANDIDATES)).astype(np.int32)
    for row in range(len(queries)):
        own = queries.history.take(np.array([row])).items
        found[row, 0] = own[-1] if len(own) else -1
    return found


def rows(feature: Feature, train: Dataset, queries: Queries, asked: NDArray[np.int32]) -> list[object]:
    """What the feature says of each user (or item), as plain values that can be compared."""
    known = feature.fit(train)
    if feature.scope == "pair":
        assert feature.of_pairs is not None
        return [one.tobytes() for one in feature.of_pairs(known, queries, asked)]
    column = feature.column(known, queries)
    if isinstance(column, Categories):
        return [column.labels(row) for row in range(len(column))]
    return [row.tobytes() for row in column.values]
