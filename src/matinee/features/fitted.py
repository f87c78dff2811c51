"""Features beside the data that a model is to learn from, and what they have learnt as arrays that a model stores."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from matinee.contract import Queries
from matinee.data.columns import Categories, Known, Numbers, Vectors
from matinee.data.dataset import Dataset
from matinee.errors import ConfigError
from matinee.features.feature import Column, Feature
from matinee.features.registry import feature

Arrays = Mapping[str, NDArray[np.generic]]


OF_THE_LOG = "of the log"
"""What the column of the training log's own users is called in what a feature has learnt; no model stores it."""


def learn(name: str, train: Dataset) -> Known:
    """What the feature called `name` learns. Raises ConfigError for none, DataError where the data lack
    what it needs."""
    one = feature(name)
    known = one.fit(train)
    if one.scope != "user":
        return known
    return {**known, OF_THE_LOG: one.column(known, everybody(train))}


def everybody(train: Dataset) -> Queries:
    """The users of the training log, with all that they did in it."""
    return Queries.of(train.log, np.arange(train.n_users), attributes=train.user_features)


def asked(train: Dataset, users: NDArray[np.int64]) -> Queries:
    """What is known of these users (b,) of the training log."""
    return Queries.of(train.log.take(users), users, attributes=train.user_features.take(users))


def with_features(
    train: Dataset, names: Sequence[str], learnt: Callable[[str, Dataset], Known] = learn
) -> Dataset:
    """The data with these features beside it. Raises what `learn` does, which `learnt` stands in for."""
    return replace(train, features={name: learnt(name, train) for name in names}) if names else train


def require_apart(names: Iterable[str], model: str) -> None:
    """Raises ConfigError (`features-pairs`) where one is of a user and an item together."""
    for name in names:
        if feature(name).scope == "pair":
            raise ConfigError("features-pairs", f"{name} is of a user and an item together, and {model} reads what is "
                              "known of either alone", "leave it to a model of pairs, such as a second stage")


def of_scope(train: Dataset, scope: str) -> list[tuple[Feature, Known]]:
    """The features beside the data that have this scope, in their order."""
    found = [(feature(name), known) for name, known in train.features.items()]
    return [(one, known) for one, known in found if one.scope == scope]


def packed(known: Mapping[str, Known], *, whole: bool = False) -> dict[str, NDArray[np.generic]]:
    """By feature, column and part; nothing is NaN, so that a model may store it. `whole`: also of the log's users."""
    out: dict[str, NDArray[np.generic]] = {}
    for name, columns in known.items():
        for key, column in columns.items():
            if whole or key != OF_THE_LOG:
                out |= {f"{name}/{key}/{part}": array for part, array in _parts(column).items()}
    return out


def unpacked(arrays: Arrays, names: Iterable[str]) -> dict[str, Known]:
    """The inverse of `packed`, of the features `names`."""
    parts: dict[str, dict[str, dict[str, NDArray[np.generic]]]] = {name: {} for name in names}
    for place, array in arrays.items():
        name, key, part = place.rsplit("/", 2)
        parts[name].setdefault(key, {})[part] = array
    return {name: {key: _column(found) for key, found in columns.items()} for name, columns in parts.items()}


def _parts(column: Column) -> dict[str, NDArray[np.generic]]:
    if isinstance(column, Categories):
        content = [name.encode() for name in column.names]
        ends = np.zeros(len(content) + 1, np.int64)
        np.cumsum([len(name) for name in content], out=ends[1:])
        parts: dict[str, NDArray[np.generic]] = {
            "indptr": column.indptr, "codes": column.codes, "ends": ends,
            "names": np.frombuffer(b"".join(content), np.uint8).copy(),
        }
        return parts if column.weights is None else {**parts, "weights": column.weights}
    missing = column.missing()
    values = np.where(missing[:, None] if isinstance(column, Vectors) else missing, 0, column.values)
    kind = "vectors" if isinstance(column, Vectors) else "values"
    return {kind: values.astype(column.values.dtype), "missing": missing}


def _column(parts: Mapping[str, NDArray[np.generic]]) -> Column:
    if "codes" in parts:
        text, ends = np.asarray(parts["names"]).tobytes(), np.asarray(parts["ends"]).tolist()
        names = tuple(text[a:b].decode() for a, b in pairwise(ends))
        weights = parts.get("weights")
        return Categories(np.asarray(parts["indptr"], np.int64), np.asarray(parts["codes"], np.int32), names,
                          None if weights is None else np.asarray(weights, np.float32))
    missing = np.asarray(parts["missing"], np.bool_)
    if "vectors" in parts:
        return Vectors(np.where(missing[:, None], np.float32(np.nan), np.asarray(parts["vectors"], np.float32)))
    return Numbers(np.where(missing, np.nan, np.asarray(parts["values"], np.float64)))
