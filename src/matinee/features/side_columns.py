"""Columns of the side information as features: a user's gender, an item's country."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np

from matinee.contract import Queries
from matinee.data.columns import Categories, Features, Known, Numbers
from matinee.data.dataset import Dataset
from matinee.errors import DataError
from matinee.features.feature import COLUMN, Feature

LABELS = "labels"


def of_side(name: str, scope: Literal["user", "item"], column: str) -> Feature:
    """The feature `name` of a column whose kind the data decide; a text is none."""
    doc = f"The {scope}'s {column}, as the side files have it."
    if scope == "item":
        return Feature(name, scope, "categories", doc, Path(__file__), partial(_of_items, column=column))
    fit = partial(known_of_users, column=column)
    return Feature(name, scope, "categories", doc, Path(__file__), fit, partial(users_column, column=column),
                   of_attributes=True)


def known_of_users(train: Dataset, column: str) -> Known:
    """The labels that users have; nothing for a number. Raises DataError where the data have no such column."""
    found = _given(train.user_features, column, "user")
    if isinstance(found, Numbers):
        return {}
    return {LABELS: Categories(np.zeros(1, np.int64), np.empty(0, np.int32), found.names)}


def users_column(known: Known, queries: Queries, column: str) -> Categories | Numbers:
    """(B,) missing where the attributes of the query do not tell; a label that was not there to learn from is missing.

    Labels that somebody has are named as they were learnt, so that another data set's numbering changes nothing.
    """
    found = queries.attributes.columns.get(column)
    if LABELS not in known:
        return found if isinstance(found, Numbers) else Numbers(np.full(len(queries), np.nan))
    learnt = known[LABELS]
    assert isinstance(learnt, Categories)
    if not isinstance(found, Categories):
        return Categories(np.zeros(len(queries) + 1, np.int64), np.empty(0, np.int32), learnt.names)
    code_of = {name: code for code, name in enumerate(learnt.names)}
    codes = np.array([code_of.get(name, -1) for name in found.names], np.int32)[found.codes]
    kept = np.zeros(len(codes) + 1, np.int64)
    np.cumsum(codes >= 0, out=kept[1:])
    weights = None if found.weights is None else found.weights[codes >= 0]
    return Categories(kept[found.indptr], codes[codes >= 0], learnt.names, weights)


def _of_items(train: Dataset, column: str) -> Known:
    return {COLUMN: _given(train.item_features, column, "item")}


def _given(side: Features, column: str, whose: str) -> Categories | Numbers:
    found = side.columns.get(column)
    if not isinstance(found, Categories | Numbers):
        known = ", ".join(name for name, one in side.columns.items() if isinstance(one, Categories | Numbers)) or "none"
        raise DataError("no-feature", f"no {whose} of the data has labels or a number called {column!r}; known: "
                        f"{known}", "join side files by `data.side`")
    return found
