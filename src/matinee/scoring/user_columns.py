"""What is known of a user as inputs of a network: one for each label, and one for each bin of a number.

Labels and edges of bins are kept by name, so that a stored model reads the attributes of any data set.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from matinee.data.columns import Categories, Features, Numbers

Columns = Mapping[str, Mapping[str, Any]]
"""name -> {labels: (C,) names} or {edges: (C - 1,) numbers}; JSON-able."""

LEAST = 2
"""Users that a label needs: one that a single user has can only be learnt by heart."""


def learn(users: Features, bins: int) -> Columns:
    """The categories and numbers among `users`; of a number of many values, bins of about equally many users."""
    found: dict[str, Mapping[str, Any]] = {}
    for name, column in sorted(users.columns.items()):
        if isinstance(column, Categories):
            rows = np.repeat(np.arange(len(column)), np.diff(column.indptr))
            each = np.unique(np.stack([rows, column.codes], axis=1), axis=0)[:, 1]  # a label counts once a user
            often = np.bincount(each, minlength=len(column.names))
            labels = [label for label, n in zip(column.names, often, strict=True) if n >= LEAST]
            if labels:
                found[name] = {"labels": labels}
        elif isinstance(column, Numbers) and not column.missing().all():
            found[name] = {"edges": _edges(column.values[~column.missing()], bins).tolist()}
    return found


def width(columns: Columns) -> int:
    """How many inputs there are."""
    return sum(len(column.get("labels", ())) + (len(column["edges"]) + 1 if "edges" in column else 0)
               for column in columns.values())


def encode(columns: Columns, users: Features) -> csr_array:
    """(B, C) 1 where a user has a label or lies in a bin; nothing for what is not known, or was never learnt."""
    rows, places, first = [np.empty(0, np.int64)], [np.empty(0, np.int64)], 0
    for name, known in columns.items():
        column = users.columns.get(name)
        if "labels" in known:
            own, place = _labelled(column, known["labels"]) if isinstance(column, Categories) else (rows[0], places[0])
        else:
            own, place = _binned(column, known["edges"]) if isinstance(column, Numbers) else (rows[0], places[0])
        rows.append(own)
        places.append(place + first)
        first += width({name: known})
    at = np.unique(np.concatenate(rows) * max(first, 1) + np.concatenate(places))
    own, place = np.divmod(at, max(first, 1))
    indptr = np.zeros(users.n + 1, np.int32)
    np.cumsum(np.bincount(own, minlength=users.n), out=indptr[1:])
    return csr_array((np.ones(len(at), np.float32), place.astype(np.int32), indptr), shape=(users.n, first))


def _labelled(column: Categories, labels: list[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows and places of what is among `labels`."""
    place_of = {label: place for place, label in enumerate(labels)}
    of_code = np.array([place_of.get(name, -1) for name in column.names], np.int64)
    rows = np.repeat(np.arange(len(column)), np.diff(column.indptr))
    places = of_code[column.codes]
    return rows[places >= 0], places[places >= 0]


def _binned(column: Numbers, edges: list[float]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    rows = np.flatnonzero(~column.missing())
    return rows, np.searchsorted(np.asarray(edges, np.float64), column.values[rows], side="right").astype(np.int64)


def _edges(values: NDArray[np.float64], bins: int) -> NDArray[np.float64]:
    """Where each bin but the first begins; a bin a value where there are no more values than bins."""
    distinct = np.unique(values)
    if len(distinct) <= bins:
        return distinct[1:]
    return np.setdiff1d(np.quantile(values, np.arange(1, bins) / bins, method="higher"), distinct[:1])
