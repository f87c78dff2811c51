"""The fields of a user as vectors, made of a query: his row in the log, his history, and his features."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from matinee.contract import Queries
from matinee.data.columns import Known
from matinee.data.interactions import Interactions
from matinee.features.encoding import encode
from matinee.features.registry import feature
from matinee.numerics.products import product

ID, HISTORY = "user id", "history"
"""The two fields that are no features."""


def user_rows(
    queries: Queries, order: tuple[str, ...], tables: Mapping[str, NDArray[np.float32]], fields: Mapping[str, Any],
    known: Mapping[str, Known],
) -> Iterator[NDArray[np.float32]]:
    """(B, T) of each field in `order`; tables: (columns, T) by field; fields: how features become columns.

    Who has no row in the log has zeros for his id. Each row is the same in any company.
    """
    for name in order:
        if name == ID:
            there = (queries.rows >= 0)[:, None]
            yield np.where(there, tables[name][np.maximum(queries.rows, 0)], np.float32(0))
        else:
            yield product(columns_of(name, queries, fields, known), tables[name])


def columns_of(
    name: str, queries: Queries, fields: Mapping[str, Any], known: Mapping[str, Known]
) -> csr_array:
    """(B, columns) of the history or of a feature."""
    if name == HISTORY:
        return history_inputs(queries.history)
    return encode(fields[name], feature(name).column(known[name], queries))


def history_inputs(history: Interactions) -> csr_array:
    """(B, I) 1 / sqrt(n) for each of the n distinct items of a history."""
    return inputs_of(history.matrix())


def inputs_of(matrix: csr_array) -> csr_array:
    """The same of a matrix (B, I) whatever its weights."""
    counts = np.diff(matrix.indptr)
    weights = np.repeat(history_scale(counts), counts)
    return csr_array((weights, matrix.indices, matrix.indptr), shape=matrix.shape)


def history_scale(counts: NDArray[np.integer]) -> NDArray[np.float32]:
    """What each item of histories of so many distinct ones counts."""
    return np.asarray(1 / np.sqrt(np.maximum(counts, 1)), np.float32)
