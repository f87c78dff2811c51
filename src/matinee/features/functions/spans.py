"""First and last times, and how long between them; unknown where no time is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from matinee.contract import Queries
from matinee.data.columns import Known, Numbers
from matinee.data.dataset import Dataset
from matinee.data.interactions import Interactions
from matinee.features.feature import item, user
from matinee.features.histories import known_times, of_events, years_of

DAY = 86_400


@item("number")
def item_first_year(train: Dataset) -> Numbers:
    """When somebody first had the item, in years; unknown for one that nobody had."""
    return Numbers(_of_items(train.log, np.fmin))


@item("number")
def item_last_year(train: Dataset) -> Numbers:
    """When somebody last had the item, in years; unknown for one that nobody had."""
    return Numbers(_of_items(train.log, np.fmax))


@item("number")
def item_peak_year(train: Dataset) -> Numbers:
    """The calendar year in which most events of the item were, the earliest of several; unknown without one."""
    log = train.log
    there = log.times != 0
    years = np.floor(years_of(log.times[there].astype(np.float64))).astype(np.int64)
    out = np.full(log.n_items, np.nan)
    if len(years):
        first, span = int(years.min()), int(years.max() - years.min()) + 1
        cells, counts = np.unique(log.items[there] * np.int64(span) + (years - first), return_counts=True)
        order = np.lexsort((cells, -counts, cells // span))
        best = order[np.unique(cells[order] // span, return_index=True)[1]]
        out[cells[best] // span] = cells[best] % span + first
    return Numbers(out)


@item("number")
def item_recent_share(train: Dataset) -> Numbers:
    """The share of the item's events in the last year of the training log; unknown for one that nobody had."""
    log = train.log
    since = int(log.times.max(initial=0)) - 365 * DAY
    counts = np.bincount(log.items, minlength=log.n_items)
    recent = np.bincount(log.items[log.times > since], minlength=log.n_items)
    return Numbers(recent / np.where(counts > 0, counts, np.nan))


@user("number")
def user_first_year(known: Known, queries: Queries) -> Numbers:
    """When the history begins, in years."""
    return Numbers(years_of(of_events(known_times(queries.history), queries.history, np.fmin)))


@user("number")
def user_last_year(known: Known, queries: Queries) -> Numbers:
    """When the history ends, in years."""
    return Numbers(years_of(of_events(known_times(queries.history), queries.history, np.fmax)))


@user("number")
def user_span(known: Known, queries: Queries) -> Numbers:
    """ln(1 + the days from the history's first event to its last)."""
    times = known_times(queries.history)
    first, last = (of_events(times, queries.history, take) for take in (np.fmin, np.fmax))
    return Numbers(np.log1p((last - first) / DAY))


def _of_items(log: Interactions, take: np.ufunc) -> NDArray[np.float64]:
    out = np.full(log.n_items, np.nan)
    take.at(out, log.items, known_times(log))
    return years_of(out)
