"""What a user's history is made of, and how much of it an item shares."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from matinee.contract import Queries
from matinee.data.columns import Categories, Known, Numbers
from matinee.data.dataset import Dataset
from matinee.features.feature import pair, user
from matinee.features.functions.attributes import filled, genre
from matinee.features.functions.release import release_years
from matinee.features.histories import at_candidates, distinct, label_counts, label_table, learnt, of_events


def _genres(train: Dataset) -> Known:
    return {"labels": genre.fit(train)["column"]}


def _directors(train: Dataset) -> Known:
    return {"labels": filled(train, "director", "writer")}


def _writers(train: Dataset) -> Known:
    return {"labels": filled(train, "writer", "director")}


def _years(train: Dataset) -> Known:
    return {"years": Numbers(release_years(train))}


@user("categories", fit=_genres)
def top_genre(known: Known, queries: Queries) -> Categories:
    """The genre that most items of the history have, the first by name of several; none without one."""
    return _extreme(known, queries, most=True)


@user("categories", fit=_genres)
def least_genre(known: Known, queries: Queries) -> Categories:
    """Of the genres of the history the one that fewest items have, the first by name of several; none without one."""
    return _extreme(known, queries, most=False)


@user("number", fit=_years)
def oldest_year(known: Known, queries: Queries) -> Numbers:
    """The earliest year of release in the history; unknown where no item's is known."""
    return Numbers(of_events(_release_of_events(known, queries), queries.history, np.fmin))


@user("number", fit=_years)
def newest_year(known: Known, queries: Queries) -> Numbers:
    """The latest year of release in the history; unknown where no item's is known."""
    return Numbers(of_events(_release_of_events(known, queries), queries.history, np.fmax))


@user("number", fit=_years)
def frequent_year(known: Known, queries: Queries) -> Numbers:
    """The year of release that most items of the history have, the earliest of several; unknown where none is known."""
    years = learnt(known, "years", Numbers).values
    there = np.flatnonzero(~np.isnan(years))
    names, codes = np.unique(years[there], return_inverse=True)
    indptr = np.zeros(len(years) + 1, np.int64)
    np.cumsum(~np.isnan(years), out=indptr[1:])
    labels = Categories(indptr, codes.astype(np.int32), tuple(f"{year:g}" for year in names))
    best = _best(label_counts(queries.history, labels), most=True)
    return Numbers(np.where(best >= 0, names[np.maximum(best, 0)], np.nan))


@pair(fit=_genres)
def genre_affinity(known: Known, queries: Queries, candidates: NDArray[np.int32]) -> NDArray[np.float64]:
    """The share of the history's other items that have the candidate's genre, a mean over its genres; else unknown."""
    shared, others = _shared(known, queries, candidates)
    return shared / np.where(others > 0, others, np.nan)


@pair(fit=_directors)
def director_affinity(known: Known, queries: Queries, candidates: NDArray[np.int32]) -> NDArray[np.float64]:
    """ln(1 + other items of the history by the candidate's director), a mean over directors; writers fill in."""
    return np.log1p(_shared(known, queries, candidates)[0])


@pair(fit=_writers)
def writer_affinity(known: Known, queries: Queries, candidates: NDArray[np.int32]) -> NDArray[np.float64]:
    """ln(1 + other items of the history by the candidate's writer), a mean over writers; directors fill in."""
    return np.log1p(_shared(known, queries, candidates)[0])


def _extreme(known: Known, queries: Queries, *, most: bool) -> Categories:
    labels = learnt(known, "labels", Categories)
    best = _best(label_counts(queries.history, labels), most=most)
    indptr = np.zeros(len(best) + 1, np.int64)
    np.cumsum(best >= 0, out=indptr[1:])
    return Categories(indptr, best[best >= 0].astype(np.int32), labels.names)


def _best(counts: csr_array, *, most: bool) -> NDArray[np.int64]:
    """(B,) the column of the largest, or smallest, entry of each row, the first of several; -1 without an entry."""
    rows = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    order = np.lexsort((counts.indices, -counts.data if most else counts.data, rows))
    out = np.full(counts.shape[0], -1, np.int64)
    first = np.flatnonzero(np.diff(counts.indptr))
    out[first] = counts.indices[order][counts.indptr[first]]
    return out


def _release_of_events(known: Known, queries: Queries) -> NDArray[np.float64]:
    return learnt(known, "years", Numbers).values[queries.history.items]


def _shared(
    known: Known, queries: Queries, candidates: NDArray[np.int32]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(B, C) other items of the history with a label of the candidate, a mean over its labels, NaN where it has none;
    and how many other items there are."""
    labels = learnt(known, "labels", Categories)
    table = label_table(labels)
    n_labels = np.where(candidates < 0, np.nan, np.diff(table.indptr).astype(np.float64)[candidates])
    history = distinct(queries.history)
    shared = at_candidates(csr_array(label_counts(queries.history, labels) @ table.T), candidates)
    own = at_candidates(history, candidates)
    others = np.diff(history.indptr)[:, None] - own
    return shared / np.where(n_labels > 0, n_labels, np.nan) - own, others
