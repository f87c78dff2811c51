"""What an item is made of. A writer that is missing is the director, and the other way round; a genre stays missing."""

from __future__ import annotations

import numpy as np

from matinee.data.columns import Categories
from matinee.data.dataset import Dataset
from matinee.errors import DataError
from matinee.features.feature import item


@item("categories")
def genre(train: Dataset) -> Categories:
    """The item's genres; none where none is known."""
    return _given(train, "genre")


@item("categories")
def director(train: Dataset) -> Categories:
    """The item's directors; its writers where no director is known."""
    return filled(train, "director", "writer")


@item("categories")
def writer(train: Dataset) -> Categories:
    """The item's writers; its directors where no writer is known."""
    return filled(train, "writer", "director")


def filled(train: Dataset, name: str, other: str) -> Categories:
    """The labels called `name`, and those called `other` of an item that has none. Raises DataError (`no-feature`)."""
    side = train.item_features
    if name not in side and other not in side:
        return _given(train, name)
    own, spare = (side.categories(one) if one in side else _none(len(train.items)) for one in (name, other))
    rows, labels = [], []
    for row, missing in enumerate(own.missing().tolist()):
        found = spare.labels(row) if missing else own.labels(row)
        rows += [row] * len(found)
        labels += found
    return Categories.from_pairs(np.array(rows, np.int64), labels, side.n)


def _given(train: Dataset, name: str) -> Categories:
    if name not in train.item_features:
        raise DataError("no-feature", f"no item of the data has a {name}", "join item files by `data.side`")
    return train.item_features.categories(name)


def _none(n: int) -> Categories:
    return Categories(np.zeros(n + 1, np.int64), np.empty(0, np.int32), ())
