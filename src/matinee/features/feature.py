"""The contract of a feature, and the decorators that make one of a function.

A feature learns from the training log and nothing else; what it has learnt is a few columns, stored with the model. Of
the three scopes,

    item    one column over all I items, made once: the function takes the training data
    user    a column of B users, made of each query's history, its times and attributes, so that somebody new and
            somebody who watched on have theirs: the function takes what `fit` learnt, and the queries
    pair    (B, C) numbers of B users with C candidates each: it takes the candidates as well. What a candidate's own
            events say is left out: else the items that a model learns from would tell by it that they were watched

What is not known is missing: no label, or NaN. A row never depends on who else is in the block, nor on the order of
users. The first line of the docstring is what lists show; the rest gives the rule for missing values.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from matinee.contract import Queries
from matinee.data.columns import Categories, Known, Numbers, Vectors
from matinee.data.dataset import Dataset
from matinee.errors import ConfigError

Scope = Literal["user", "item", "pair"]
Kind = Literal["categories", "number", "vector"]
Column = Categories | Numbers | Vectors
Fit = Callable[[Dataset], Known]
OfUsers = Callable[[Known, Queries], Column]
OfPairs = Callable[[Known, Queries, NDArray[np.int32]], NDArray[np.float64]]

COLUMN = "column"
"""What the column of a feature of scope item is called in what it has learnt."""


@dataclass(frozen=True)
class Feature:
    name: str
    scope: Scope
    kind: Kind
    doc: str
    """The first line of the docstring."""
    source: Path
    """The file of the function."""
    fit: Fit
    """What to keep of the training data. Raises DataError (`no-feature`) where it lacks what is needed."""
    of_users: OfUsers | None = None
    """Categories have the names that `fit` learnt, in that order, whatever the names in the queries."""
    of_pairs: OfPairs | None = None
    """(B, C) NaN where unknown; -1 is no candidate, and unknown."""
    of_attributes: bool = False
    """Does it tell of the user something that no history does?"""

    def column(self, known: Known, queries: Queries | None = None) -> Column:
        """I rows of a feature of items; B rows, those of the queries, of a feature of users."""
        if self.of_users is None:
            return known[COLUMN]
        assert queries is not None, f"{self.name} is of users, and none are given"
        return self.of_users(known, queries)


FEATURES: dict[str, Feature] = {}
"""Those whose files were imported; `registry.feature` imports them."""


def nothing(train: Dataset) -> Known:
    """There is nothing to learn."""
    return {}


def item(kind: Kind) -> Callable[[Callable[[Dataset], Column]], Feature]:
    """Makes a feature of items of a function of the training data."""
    return lambda function: _registered(function, "item", kind, fit=lambda train: {COLUMN: function(train)})


def user(kind: Kind, fit: Fit = nothing, *, of_attributes: bool = False) -> Callable[[OfUsers], Feature]:
    """Makes a feature of users of a function of what `fit` learnt and of queries."""
    return lambda function: _registered(function, "user", kind, fit=fit, of_users=function,
                                        of_attributes=of_attributes)


def pair(fit: Fit = nothing) -> Callable[[OfPairs], Feature]:
    """Makes a feature of pairs of a function of what `fit` learnt, of queries and of their candidates."""
    return lambda function: _registered(function, "pair", "number", fit=fit, of_pairs=function)


def _registered(
    function: Callable[..., Any], scope: Scope, kind: Kind, *, fit: Fit, of_users: OfUsers | None = None,
    of_pairs: OfPairs | None = None, of_attributes: bool = False,
) -> Feature:
    source = Path(vars(sys.modules[function.__module__]).get("__file__", ""))  # a notebook has none
    doc = (function.__doc__ or "").strip().split("\n")[0]
    made = Feature(function.__name__, scope, kind, doc, source, fit, of_users, of_pairs, of_attributes)
    before = FEATURES.get(made.name)
    if before is not None and before.source != source:
        raise ConfigError("feature-twice", f"{before.source.name} and {source.name} both have a feature {made.name!r}",
                          "rename one of them")
    FEATURES[made.name] = made
    return made
