"""Features of a user and an item together as numbers that a network reads: standardised, and 0 where nothing is known.

Less their mean by their standard deviation, kept in [-MOST, MOST]. Both are learnt from some users of the training log,
each with his own items and as many others.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from matinee.contract import Queries
from matinee.data.columns import Known
from matinee.data.dataset import Dataset
from matinee.features.encoding import MOST
from matinee.features.feature import Feature
from matinee.features.fitted import asked, of_scope
from matinee.features.registry import feature

Spread = tuple[float, float]
"""Mean and standard deviation."""
USERS, ITEMS = 512, 64
"""That the two are learnt from: users, and items of each, half of them his own."""


def learn_spreads(train: Dataset, seed: int) -> dict[str, Spread]:
    """Of each feature of pairs beside the data."""
    found = of_scope(train, "pair")
    active = np.flatnonzero(train.log.counts)
    if not found or not len(active):
        return {one.name: (0.0, 1.0) for one, _ in found}
    rng = np.random.default_rng([seed, 0])
    users = np.sort(rng.choice(active, min(USERS, len(active)), replace=False))
    queries = asked(train, users)
    own = queries.history
    places = own.indptr[:-1, None] + (rng.random((len(users), ITEMS // 2)) * own.counts[:, None]).astype(np.int64)
    others = rng.integers(0, train.n_items, (len(users), ITEMS // 2))
    candidates = np.concatenate([own.items[places], others], axis=1).astype(np.int32)
    return {one.name: _spread(_values(one, known, queries, candidates)) for one, known in found}


def pair_numbers(
    spreads: Mapping[str, Spread], known: Mapping[str, Known], queries: Queries, candidates: NDArray[np.int32]
) -> NDArray[np.float32]:
    """candidates (B, C) -> (B, C, N)"""
    out = np.zeros((*candidates.shape, len(spreads)), np.float32)
    for n, (name, (mean, scale)) in enumerate(spreads.items()):
        values = np.clip((_values(feature(name), known[name], queries, candidates) - mean) / scale, -MOST, MOST)
        out[:, :, n] = np.where(np.isnan(values), 0, values)
    return out


def _values(
    one: Feature, known: Known, queries: Queries, candidates: NDArray[np.int32]
) -> NDArray[np.float64]:
    assert one.of_pairs is not None
    return one.of_pairs(known, queries, candidates)


def _spread(values: NDArray[np.float64]) -> Spread:
    there = values[~np.isnan(values)]
    return (float(there.mean()), float(there.std()) or 1.0) if len(there) else (0.0, 1.0)
