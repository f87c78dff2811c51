"""Columns of features as inputs of a model: a field of sparse columns for each feature.

    categories   a column for each label; a row's labels share a weight of 1, as their grades tell, or alike
    number       `buckets`: a column for each of so many buckets of about equally many rows, with 1 where the number
                 lies; or `standard`: one column, the number less its mean by its standard deviation, kept in [-5, 5]
    vector       a column for each of its numbers

What is missing has no entry. How a field is made is told by plain values, so that a stored model makes it of anybody.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from matinee.data.columns import Categories, Numbers
from matinee.features.feature import Column

Field = Mapping[str, Any]
"""{labels: n}, {edges: numbers}, {mean:, scale:} or {length: n}; JSON-able."""
NumbersAs = Literal["buckets", "standard"]

MOST = 5.0
"""Standard deviations; beyond is an outlier that would outweigh everything."""


def learn_field(column: Column, numbers: NumbersAs, buckets: int) -> Field:
    """How columns of this feature are made into inputs, learnt from the training column (N,)."""
    if isinstance(column, Categories):
        return {"labels": len(column.names)}
    if not isinstance(column, Numbers):
        return {"length": column.values.shape[1]}
    there = column.values[~column.missing()]
    if numbers == "buckets":
        return {"edges": _edges(there, buckets).tolist()}
    spread = float(there.std()) if len(there) else 0.0
    return {"mean": float(there.mean()) if len(there) else 0.0, "scale": spread or 1.0}


def width(field: Field) -> int:
    """How many columns the field has."""
    if "edges" in field:
        return len(field["edges"]) + 1
    return int(field.get("labels", field.get("length", 1)))


def encode(field: Field, column: Column) -> csr_array:
    """(N, width) float32."""
    shape = (len(column), width(field))
    if isinstance(column, Categories):
        return _shares(column, shape)
    there = ~column.missing()
    indptr = np.zeros(shape[0] + 1, np.int64)
    if not isinstance(column, Numbers):
        np.cumsum(there * shape[1], out=indptr[1:])
        places = np.tile(np.arange(shape[1], dtype=np.int32), int(there.sum()))
        return csr_array((column.values[there].reshape(-1).astype(np.float32), places, indptr), shape=shape)
    np.cumsum(there, out=indptr[1:])
    values = column.values[there]
    if "edges" in field:
        places = np.searchsorted(np.asarray(field["edges"], np.float64), values, side="right").astype(np.int32)
        return csr_array((np.ones(len(values), np.float32), places, indptr), shape=shape)
    scaled = np.clip((values - field["mean"]) / field["scale"], -MOST, MOST)
    return csr_array((scaled.astype(np.float32), np.zeros(len(values), np.int32), indptr), shape=shape)


def _shares(column: Categories, shape: tuple[int, int]) -> csr_array:
    each = np.ones(len(column.codes)) if column.weights is None else column.weights.astype(np.float64)
    rows = np.repeat(np.arange(shape[0]), np.diff(column.indptr))
    total = np.bincount(rows, each, minlength=shape[0])
    shares = each / np.where(total > 0, total, 1)[rows]
    return csr_array((shares.astype(np.float32), column.codes, column.indptr), shape=shape)


def _edges(values: NDArray[np.float64], buckets: int) -> NDArray[np.float64]:
    """Where each bucket but the first begins; a bucket a value where there are no more values than buckets."""
    distinct = np.unique(values)
    if len(distinct) <= buckets:
        return distinct[1:]
    return np.setdiff1d(np.quantile(values, np.arange(1, buckets) / buckets, method="higher"), distinct[:1])
