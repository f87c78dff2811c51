"""A row of numbers for each pair of a user and a candidate: what trees read.

    number       as it is
    vector       a column for each of its numbers
    categories   of at most MOST labels, a column for each, with the label's share of the row; of more, the number
                 of the first label alone, which trees take as a name and not as a quantity
    pair         as it is

NaN where nothing is known. A feature of items is the same for every user, one of users for each of his candidates.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from matinee.contract import Queries
from matinee.data.columns import Categories, Known, Numbers
from matinee.data.interactions import Interactions
from matinee.features.encoding import encode
from matinee.features.feature import Column, Feature
from matinee.features.registry import feature

MOST = 32

Matrix = NDArray[np.float32]


def columns_of(known: Mapping[str, Known], n_items: int) -> tuple[list[str], list[int]]:
    """The columns' names, as `genre=Drama`, and which of them hold names; in the order of `rows`."""
    names: list[str] = []
    named: list[int] = []
    for one, learnt in _features(known):
        if one.scope == "pair":
            names.append(one.name)
            continue
        column = one.column(learnt, _nobody(n_items) if one.scope == "user" else None)
        if isinstance(column, Categories):
            if len(column.names) > MOST:
                named.append(len(names))
                names.append(one.name)
            else:
                names += [f"{one.name}={label}" for label in column.names]
        elif isinstance(column, Numbers):
            names.append(one.name)
        else:
            names += [f"{one.name}.{at}" for at in range(column.values.shape[1])]
    return names, named


def rows(known: Mapping[str, Known], queries: Queries, candidates: NDArray[np.int32]) -> Matrix:
    """(N, F) of the N candidates (B, C) that are none of -1, user by user."""
    users, places = np.nonzero(candidates >= 0)
    items = candidates[users, places]
    parts: list[Matrix] = [np.empty((len(users), 0), np.float32)]
    for one, learnt in _features(known):
        if one.of_pairs is not None:
            parts.append(one.of_pairs(learnt, queries, candidates)[users, places].astype(np.float32)[:, None])
        elif one.scope == "user":
            parts.append(dense(one.column(learnt, queries))[users])
        else:
            parts.append(dense(one.column(learnt))[items])
    return np.concatenate(parts, axis=1)


def dense(column: Column) -> Matrix:
    """(N, columns)"""
    if isinstance(column, Numbers):
        return column.values.astype(np.float32)[:, None]
    if not isinstance(column, Categories):
        return column.values
    missing = column.missing()
    if len(column.names) > MOST:
        first = np.full(len(column), np.nan, np.float32)
        first[~missing] = column.codes[column.indptr[:-1][~missing]]
        return first[:, None]
    out: Matrix = encode({"labels": len(column.names)}, column).toarray()
    out[missing] = np.nan
    return out


def _features(known: Mapping[str, Known]) -> Iterator[tuple[Feature, Known]]:
    for name, learnt in known.items():
        yield feature(name), learnt


def _nobody(n_items: int) -> Queries:
    """No query at all, for what columns look like whoever asks."""
    return Queries.of(Interactions.empty(0, n_items))
