"""What features ask of histories: distinct items, how many of them have a label, sums and extremes a user."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from matinee.data.columns import Categories, Known, Numbers, Vectors
from matinee.data.interactions import Interactions

C = TypeVar("C", Categories, Numbers, Vectors)
YEAR = 365.2425 * 86_400
"""Seconds."""
CELLS = 1 << 22
"""Of a matrix that stands in memory with all its zeros."""


def learnt(known: Known, name: str, kind: type[C]) -> C:
    """The column called `name` of what a feature has learnt."""
    found = known[name]
    assert isinstance(found, kind), f"{name} is a {type(found).__name__}"
    return found


def distinct(history: Interactions) -> csr_array:
    """(B, I) float64: 1 for an item of the history, however often it is there."""
    found = history.matrix().astype(np.float64)
    found.data[:] = 1
    return found


def label_table(labels: Categories) -> csr_array:
    """(I, G) float64: 1 where the item has the label."""
    cells = (np.ones(len(labels.codes)), labels.codes, labels.indptr)
    table = csr_array(cells, shape=(len(labels), len(labels.names)), copy=True)  # what follows sorts in place
    table.sum_duplicates()
    table.data[:] = 1
    return table


def label_counts(history: Interactions, labels: Categories) -> csr_array:
    """(B, G) float64: how many distinct items of the history have the label."""
    counts = csr_array(distinct(history) @ label_table(labels))
    counts.sort_indices()
    return counts


def of_events(values: NDArray[np.float64], history: Interactions, take: np.ufunc) -> NDArray[np.float64]:
    """(B,) `take`, such as np.fmin, over the values (E,) of each user's events; NaN for a user without any."""
    out = np.full(history.n_users, np.nan)
    active = history.counts > 0
    if active.any():
        out[active] = take.reduceat(values, history.indptr[:-1][active])
    return out


def known_times(history: Interactions) -> NDArray[np.float64]:
    """(E,) Unix seconds; NaN where the time is not known."""
    times = history.times.astype(np.float64)
    times[history.times == 0] = np.nan
    return times


def years_of(times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Calendar years with their fraction, about: 1970 for 0; NaN stays NaN."""
    return 1970 + times / YEAR


def at_candidates(matrix: csr_array, candidates: NDArray[np.int32]) -> NDArray[np.float64]:
    """matrix (B, I), candidates (B, C) -> (B, C) its entries there, 0 where it has none, some rows at a time."""
    out = np.empty(candidates.shape)
    size = max(1, CELLS // max(1, matrix.shape[1]))
    for start in range(0, len(candidates), size):
        part = slice(start, start + size)
        out[part] = np.take_along_axis(matrix[part].toarray(), np.maximum(candidates[part], 0).astype(np.int64), axis=1)
    return out
