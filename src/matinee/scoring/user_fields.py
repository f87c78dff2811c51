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
from matinee.errors import ModelError
from matinee.features.encoding import encode, width
from matinee.features.registry import feature
from matinee.numerics.products import product
from matinee.numerics.topk import first_bad

ID, HISTORY = "user id", "history"
"""The two fields that are no features."""


def checked_length(
    order: tuple[str, ...], tables: Mapping[str, NDArray[np.float32]], fields: Mapping[str, Any], n_items: int
) -> int:
    """The columns of all tables alike. Raises ModelError (`bad-form`) where tables, their fields and the catalogue do
    not fit each other, or a number is not finite."""
    if {*order} != {*tables} or {*fields} != {*order} - {ID, HISTORY} or not order:
        raise ModelError("bad-form", f"fields {', '.join(order)} do not fit {', '.join(tables)}", "fit the model again")
    lengths: set[int] = {table.shape[1] for table in tables.values() if table.ndim == 2}
    rows = {name: len(table) for name, table in tables.items()}
    due = {**rows, **{name: width(one) for name, one in fields.items()},
           **({HISTORY: n_items} if HISTORY in rows else {})}
    if len(lengths) != 1 or rows != due:
        raise ModelError("bad-form", f"tables of {rows} rows and {sorted(lengths)} columns where {due} are due",
                         "fit the model again")
    check_finite(tables)
    return lengths.pop()


def check_finite(arrays: Mapping[str, NDArray[np.float32]]) -> None:
    """Raises ModelError (`bad-form`), naming the array and the entry."""
    for name, array in arrays.items():
        flat = array.reshape(-1)
        if len(flat) and (at := first_bad(flat)) >= 0:
            raise ModelError("bad-form", f"entry {at} of {name} is {flat[at]}", "fit the model again")


def tells_of_users(fields: Mapping[str, Any]) -> bool:
    """Does one of the features say something of somebody without a history?"""
    return any(feature(name).of_attributes for name in fields)


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
