"""How much was watched: logarithms of counts, and where they stand among the others'."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from matinee.contract import Queries
from matinee.data.columns import Categories, Known, Numbers
from matinee.data.dataset import Dataset
from matinee.features.feature import item, user
from matinee.features.histories import learnt

BINS = 10
"""Of about equally many users, or items."""


@item("number")
def item_count(train: Dataset) -> Numbers:
    """ln(1 + the users that had the item); 0 for one that nobody had."""
    return Numbers(np.log1p(train.log.item_counts()))


@item("categories")
def item_percentile(train: Dataset) -> Categories:
    """Which tenth of the items it is in by the users that had it."""
    counts = train.log.item_counts().astype(np.float64)
    return _binned(counts, _edges(counts))


@user("number")
def user_count(known: Known, queries: Queries) -> Numbers:
    """ln(1 + the events of the history); 0 for an empty one."""
    return Numbers(np.log1p(queries.history.counts))


def _user_edges(train: Dataset) -> Known:
    counts = train.log.counts[train.log.counts > 0].astype(np.float64)
    return {"edges": Numbers(_edges(counts))}


@user("categories", fit=_user_edges)
def user_percentile(known: Known, queries: Queries) -> Categories:
    """Which tenth of the training users the history would be in by its events."""
    return _binned(queries.history.counts.astype(np.float64), learnt(known, "edges", Numbers).values)


def _edges(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """(9,) where each tenth but the first begins; the same number again where many are alike."""
    if not len(counts):
        return np.zeros(BINS - 1)
    return np.quantile(counts, np.arange(1, BINS) / BINS, method="higher")


def _binned(counts: NDArray[np.float64], edges: NDArray[np.float64]) -> Categories:
    codes = np.searchsorted(edges, counts, side="right").astype(np.int32)
    return Categories(np.arange(len(counts) + 1), codes, tuple(f"{n}/{BINS}" for n in range(1, BINS + 1)))
