"""A smaller data set: some of the users with whole histories and what they had, or a share of everybody's events."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from matinee.data.columns import Categories, Features
from matinee.data.dataset import Dataset
from matinee.data.ids import Vocabulary
from matinee.data.interactions import Interactions
from matinee.errors import UsageError


def sample(dataset: Dataset, *, users: int | None = None, share: float | None = None, seed: int = 0) -> Dataset:
    """`users` random users, or a `share` of them in (0, 1], with their whole histories; items without events go.

    The same seed picks the same users. Raises UsageError unless exactly one of the two is given and can be.
    """
    if (users is None) == (share is None):
        raise UsageError("bad-sample", "a sample needs either a number of users or a share", "give one of the two")
    if share is not None:
        if not 0 < share <= 1:
            raise UsageError("bad-sample", f"a share of {share:g} is none", "give more than 0 and at most 1")
        users = max(1, round(share * dataset.n_users))
    if users is None or not 0 < users <= dataset.n_users:
        raise UsageError("bad-sample", f"{users} users of {dataset.n_users} cannot be picked", "give fewer")
    picked = np.sort(np.random.default_rng(seed).permutation(dataset.n_users)[:users])
    taken = dataset.log.take(picked)
    kept = np.unique(taken.items).astype(np.int64)
    items = np.searchsorted(kept, taken.items).astype(np.int32)
    log = Interactions(taken.indptr, items, taken.values, taken.times, len(kept), taken.columns)
    notes = {**dataset.facts.notes, "sampled_users": {"of": dataset.n_users, "seed": seed}}
    return Dataset(
        log,
        Vocabulary(dataset.users.decode(picked)),
        Vocabulary(dataset.items.decode(kept)),
        _rows(dataset.item_features, kept),
        _rows(dataset.user_features, picked),
        replace(dataset.facts, notes=notes),
    )


def thinned(dataset: Dataset, share: float, seed: int = 0) -> Dataset:
    """A `share` of each user's events, at least one, drawn without replacement; users and items stay."""
    if not 0 < share <= 1:
        raise UsageError("bad-sample", f"a share of {share:g} is none", "give more than 0 and at most 1")
    log = dataset.log
    draws = np.random.default_rng(seed).random(len(log))
    rank = np.empty(len(log), np.int64)  # of each event's draw among those of its user
    rank[np.lexsort((draws, log.users))] = np.arange(len(log)) - np.repeat(log.indptr[:-1], log.counts)
    kept = rank < np.maximum(1, np.round(share * log.counts))[log.users]
    notes = {**dataset.facts.notes, "thinned_to": {"share": share, "of": len(log), "seed": seed}}
    return replace(dataset.with_log(log.select(kept)), facts=replace(dataset.facts, notes=notes))


def _rows(features: Features, rows: NDArray[np.int64]) -> Features:
    """These rows, and of labels only the names still in use, as if the smaller set had been read from files."""
    taken = features.take(rows)
    columns = {name: _used(column) if isinstance(column, Categories) else column
               for name, column in taken.columns.items()}  # fmt: skip
    return Features(len(rows), columns)


def _used(column: Categories) -> Categories:
    used, codes = np.unique(column.codes, return_inverse=True)
    names = tuple(column.names[code] for code in used)
    return Categories(column.indptr, codes.astype(np.int32), names, column.weights)
