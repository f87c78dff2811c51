"""Labels as shares: a matrix of items by labels in which every item that has some sums to one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from matinee.data.columns import Categories, Numbers
from matinee.data.dataset import Dataset
from matinee.data.interactions import Interactions

MOST_LABELS = 100
YEARS = (1850, 2100)
"""Release years outside are taken for unknown."""


@dataclass(frozen=True, eq=False)
class Labels:
    what: str
    """`genre`, or the name of another column of the items."""
    names: tuple[str, ...]  # G
    shares: csr_array  # (I, G)  rows sum to 1; an item without labels has an empty row

    @property
    def known(self) -> NDArray[np.bool_]:
        """(I,) items with a label."""
        return np.asarray(np.diff(self.shares.indptr) > 0)

    def of_counts(self, events: NDArray[np.int64]) -> NDArray[np.float64]:
        """(G,) shares of events (I,) whose items have labels; zeros where none has."""
        held: NDArray[np.float64] = events @ self.shares
        return held / held.sum() if held.sum() else held


def genres(dataset: Dataset) -> Labels | None:
    """By `genre`, else by the first column of items with a few labels; None where there is none."""
    columns = dataset.item_features.columns
    for name in sorted(columns, key=lambda name: name != "genre"):
        column = columns[name]
        if isinstance(column, Categories) and 1 < len(column.names) <= MOST_LABELS:
            counts = np.diff(column.indptr)
            weights = np.repeat(1.0 / np.maximum(counts, 1), counts)
            shape = (len(column), len(column.names))
            shares = csr_array((weights, column.codes, column.indptr), shape=shape)
            shares.sum_duplicates()
            return Labels(name, column.names, shares)
    return None


def years(dataset: Dataset) -> NDArray[np.int64] | None:
    """(I,) release years, 0 where unknown; None where no item has one."""
    column = dataset.item_features.columns.get("year")
    if not isinstance(column, Numbers):
        return None
    values = np.where((column.values >= YEARS[0]) & (column.values < YEARS[1]), column.values, 0)
    found = np.nan_to_num(values).astype(np.int64)
    return found if found.any() else None


def decades(dataset: Dataset) -> Labels | None:
    """Every item with a release year by its decade."""
    of_item = years(dataset)
    if of_item is None:
        return None
    known = np.flatnonzero(of_item)
    first = of_item[known].min() // 10
    codes = of_item[known] // 10 - first
    n = int(codes.max()) + 1
    indptr = np.concatenate([[0], np.cumsum(of_item > 0)])
    shares = csr_array((np.ones(len(known)), codes, indptr), shape=(len(of_item), n))
    return Labels("release decade", tuple(f"{10 * (first + at)}s" for at in range(n)), shares)


def item_events(log: Interactions, events: NDArray[np.bool_] | slice = slice(None)) -> NDArray[np.int64]:
    """(I,) events of each item, among those of the mask (E,)."""
    return np.bincount(log.items[events], minlength=log.n_items)


def apart(one: NDArray[np.float64], two: NDArray[np.float64]) -> float:
    """Total variation of two distributions (G,): the share of one that must move to make the other."""
    return float(np.abs(one - two).sum() / 2)


def apart_by_chance(shares: NDArray[np.float64], drawn: int) -> float:
    """The total variation to expect of so many independent draws from `shares` (G,)."""
    if not drawn:
        return 0.0
    return float(np.sqrt(2 / np.pi * shares * (1 - shares) / drawn).sum() / 2)
