"""How long after their release somebody watches films. A film watched before the year of its release counts 0."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from matinee.contract import Queries
from matinee.data.columns import Known, Numbers
from matinee.data.dataset import Dataset
from matinee.features.feature import pair, user
from matinee.features.functions.release import release_years
from matinee.features.histories import at_candidates, known_times, learnt, of_events, years_of


def _years(train: Dataset) -> Known:
    return {"years": Numbers(release_years(train))}


@user("number", fit=_years)
def user_release_gap(known: Known, queries: Queries) -> Numbers:
    """Years from release to event, a mean over the history; unknown where no event has both."""
    gaps, there = _gaps(known, queries)
    totals, counts = (of_events(part, queries.history, np.add) for part in (gaps, there.astype(np.float64)))
    return Numbers(totals / np.where(counts > 0, counts, np.nan))


@pair(fit=_years)
def release_gap(known: Known, queries: Queries, candidates: NDArray[np.int32]) -> NDArray[np.float64]:
    """Years from the candidate's release to the last event of any other item in the history; else unknown."""
    return np.maximum(_elsewhere(queries, candidates) - _release(known, candidates), 0)


@pair(fit=_years)
def release_gap_difference(known: Known, queries: Queries, candidates: NDArray[np.int32]) -> NDArray[np.float64]:
    """`release_gap` less the mean gap of the history's other items; unknown where either is."""
    gaps, there = _gaps(known, queries)
    own, own_count = (_own(part, queries, candidates) for part in (gaps, there.astype(np.float64)))
    totals, counts = (np.nan_to_num(of_events(part, queries.history, np.add))[:, None]
                      for part in (gaps, there.astype(np.float64)))
    left = counts - own_count
    typical = (totals - own) / np.where(left > 0, left, np.nan)
    return np.maximum(_elsewhere(queries, candidates) - _release(known, candidates), 0) - typical


def _gaps(known: Known, queries: Queries) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """(E,) years from release to event, 0 where unknown, and where they are known."""
    times = years_of(known_times(queries.history))
    gaps = np.maximum(times - learnt(known, "years", Numbers).values[queries.history.items], 0)
    there = ~np.isnan(gaps)
    return np.where(there, gaps, 0), there


def _release(known: Known, candidates: NDArray[np.int32]) -> NDArray[np.float64]:
    years = learnt(known, "years", Numbers).values[np.maximum(candidates, 0)]
    return np.where(candidates < 0, np.nan, years)


def _own(values: NDArray[np.float64], queries: Queries, candidates: NDArray[np.int32]) -> NDArray[np.float64]:
    """values (E,) of events -> (B, C) the sum over the candidate's own."""
    history = queries.history
    shape = (len(queries), history.n_items)
    matrix = csr_array((values.copy(), history.items.copy(), history.indptr.copy()), shape=shape)
    matrix.sum_duplicates()
    return at_candidates(matrix, candidates)


def _elsewhere(queries: Queries, candidates: NDArray[np.int32]) -> NDArray[np.float64]:
    """(B, C) when the last event of another item was, in years; NaN where there is none with a time."""
    history = queries.history
    times = known_times(history)
    last = of_events(times, history, np.fmax)
    ends = np.repeat(last, history.counts) == times
    newest = np.full(len(queries), -1, np.int64)
    newest[history.users[ends]] = history.items[ends]
    before = of_events(np.where(history.items == np.repeat(newest, history.counts), np.nan, times), history, np.fmax)
    return years_of(np.where(candidates == newest[:, None], before[:, None], last[:, None]))
