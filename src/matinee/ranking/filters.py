"""What may not be recommended, beside what was seen: future and unpopular items, allow and deny lists, dates.

A filter is a recipe; fitted on what is known at a stage it says, for any query, which items are allowed. With
filters a list holds exactly min(k, items that every filter allows and the user has not seen) items.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from annotated_types import Ge, Le
from numpy.typing import NDArray

from matinee.contract import Queries
from matinee.data.dataset import Dataset
from matinee.data.ids import Vocabulary
from matinee.data.listed import Listed, read_listed, seconds_of
from matinee.errors import DataError


@dataclass(frozen=True, kw_only=True, eq=False)
class FittedFilter(ABC):
    """Arrays and JSON-able settings, no more."""

    unknown: tuple[str, ...] = ()
    """Ids of the filter's file that the data does not have; they change nothing."""

    @abstractmethod
    def allowed(self, queries: Queries) -> NDArray[np.bool_]:
        """(B, I) true where the item may be in the list."""


@dataclass(frozen=True, kw_only=True)
class Filter(ABC):
    """A recipe: frozen settings."""

    @abstractmethod
    def fit(self, dataset: Dataset) -> FittedFilter:
        """Learn from what is known at this stage. Raises DataError where data or file lack what is needed."""


@dataclass(frozen=True, kw_only=True)
class FutureItems(Filter):
    """No items that came out long after the moment of the question: year >= year of the query + horizon."""

    horizon: Annotated[int, Ge(0), Le(1000)] = 2
    """Years. An item of an unknown year is allowed, and every item where the moment is unknown (0)."""

    def fit(self, dataset: Dataset) -> FittedFilter:
        return ByYear(years=dataset.item_features.numbers("year").values, horizon=self.horizon)


@dataclass(frozen=True, kw_only=True, eq=False)
class ByYear(FittedFilter):
    years: NDArray[np.float64]  # (I,) NaN where unknown
    horizon: int

    def allowed(self, queries: Queries) -> NDArray[np.bool_]:
        asked = queries.at.astype("datetime64[s]").astype("datetime64[Y]").astype(np.int64) + 1970
        first = np.where(queries.at == 0, np.inf, asked + self.horizon)
        return ~(self.years >= first[:, None])


@dataclass(frozen=True, kw_only=True)
class UnpopularItems(Filter):
    """No items that few users chose."""

    least: Annotated[int, Ge(0), Le(1_000_000_000)] = 200
    """Users that an item needs."""

    def fit(self, dataset: Dataset) -> FittedFilter:
        return OfItems(mask=dataset.log.item_counts() >= self.least)


@dataclass(frozen=True, kw_only=True)
class ColdItems(Filter):
    """Only items that nobody had yet."""

    def fit(self, dataset: Dataset) -> FittedFilter:
        """Raises DataError where every item was had."""
        cold = dataset.log.item_counts() == 0
        if not cold.any():
            raise DataError("no-cold-items", "somebody had each of the items", "take the split `cold_items`")
        return OfItems(mask=cold)


@dataclass(frozen=True, kw_only=True)
class Allow(Filter):
    """Only the items of a list."""

    file: Path
    """CSV or TSV with a column `item`."""

    def fit(self, dataset: Dataset) -> FittedFilter:
        mask, unknown = _listed_items(self.file, dataset.items)
        return OfItems(mask=mask, unknown=unknown)


@dataclass(frozen=True, kw_only=True)
class Deny(Filter):
    """None of the items of a list."""

    file: Path
    """CSV or TSV with a column `item`."""

    def fit(self, dataset: Dataset) -> FittedFilter:
        mask, unknown = _listed_items(self.file, dataset.items)
        return OfItems(mask=~mask, unknown=unknown)


@dataclass(frozen=True, kw_only=True, eq=False)
class OfItems(FittedFilter):
    mask: NDArray[np.bool_]  # (I,)

    def allowed(self, queries: Queries) -> NDArray[np.bool_]:
        return np.broadcast_to(self.mask, (len(queries), len(self.mask)))


@dataclass(frozen=True, kw_only=True)
class Available(Filter):
    """An item only between its dates. An item that the file does not name is always available."""

    file: Path
    """CSV or TSV with columns `item`, `from`, `until` (ISO dates or times, or Unix seconds; empty: open) and perhaps
    `user`. `until` given as a date includes that day. An item named in several rows is available in each of them. A row
    with a user is for that user alone, for whom it replaces the item's other rows. Where the moment of the question is
    unknown (0), all is available."""

    def fit(self, dataset: Dataset) -> FittedFilter:
        table = read_listed(self.file, ["item", "from", "until"], optional=["user"], may_be_empty=["from", "until"])
        items = dataset.items.encode(table.columns["item"])
        users = dataset.users.encode(table.columns["user"]).astype(np.int64)
        everybody = np.array([not user for user in table.columns["user"]], bool)
        known = (items >= 0) & ((users >= 0) | everybody)
        start, stop = _times(table, "from", end=False), _times(table, "until", end=True)
        order = np.flatnonzero(known)[np.argsort(users[known], kind="stable")]
        strange = {item for item, row in zip(table.columns["item"], items, strict=True) if row < 0}
        strange |= {user for user, row in zip(table.columns["user"], users, strict=True) if user and row < 0}
        return Dated(users=users[order], items=items[order], start=start[order], stop=stop[order],
                     n_items=dataset.n_items, unknown=tuple(sorted(strange)))


@dataclass(frozen=True, kw_only=True, eq=False)
class Dated(FittedFilter):
    users: NDArray[np.int64]  # (n,) whom a row is for, ascending; -1 is everybody
    items: NDArray[np.int32]  # (n,)
    start: NDArray[np.int64]  # (n,) Unix seconds, included
    stop: NDArray[np.int64]  # (n,) Unix seconds, not included
    n_items: int

    def allowed(self, queries: Queries) -> NDArray[np.bool_]:
        out = np.ones((len(queries), self.n_items), bool)
        for place, (row, at) in enumerate(zip(queries.rows.tolist(), queries.at.tolist(), strict=True)):
            if at == 0:
                continue
            for owner in (-1,) if row < 0 else (-1, row):
                mine = slice(*np.searchsorted(self.users, [owner, owner + 1]))
                items = self.items[mine]
                out[place, items] = False
                out[place, items[(self.start[mine] <= at) & (at < self.stop[mine])]] = True
        return out


FILTERS: dict[str, type[Filter]] = {
    "future_items": FutureItems,
    "unpopular_items": UnpopularItems,
    "cold_items": ColdItems,
    "allow": Allow,
    "deny": Deny,
    "available": Available,
}


def _listed_items(file: Path, items: Vocabulary) -> tuple[NDArray[np.bool_], tuple[str, ...]]:
    """(I,) true where the file names the item, and the ids in it that are no items. Repeats change nothing.

    Raises DataError where it names none of the items at all: then it is the wrong file.
    """
    named = read_listed(file, ["item"]).columns["item"]
    rows = items.encode(named)
    if not bool((rows >= 0).any()):
        raise DataError("unknown-items", f"none of the {len(named)} ids in it is an item of the data",
                        "check that it is a list of item ids", file)
    mask = np.zeros(len(items), bool)
    mask[rows[rows >= 0]] = True
    return mask, tuple(sorted({name for name, row in zip(named, rows, strict=True) if row < 0}))


def _times(table: Listed, column: str, *, end: bool) -> NDArray[np.int64]:
    pairs = zip(table.columns[column], table.places, strict=True)
    return np.array([seconds_of(text, place, end=end) for text, place in pairs], np.int64)
