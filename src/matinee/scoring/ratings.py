"""What the events of a log were rated, where its source says so: the column `rating`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from matinee.data.interactions import Interactions
from matinee.errors import DataError


def ratings(history: Interactions, unrated: float) -> NDArray[np.float32]:
    """(E,) the rating of each event, `unrated` where there is none."""
    if "rating" not in history.columns:  # a history typed by hand
        return np.full(len(history), unrated, np.float32)
    known = history.columns["rating"].astype(np.float32)
    return np.where(np.isfinite(known), known, np.float32(unrated))


def newest_of_pair(history: Interactions) -> NDArray[np.bool_]:
    """(E,) true where the user has no later event of the same item."""
    backwards = (history.users * history.n_items + history.items)[::-1]
    newest = np.zeros(len(history), bool)
    newest[len(history) - 1 - np.unique(backwards, return_index=True)[1]] = True
    return newest


def mean_rating(log: Interactions) -> float:
    """Raises DataError (`no-ratings`) where no event has one."""
    known = ratings(log, np.nan)
    if not bool(np.isfinite(known).any()):
        raise DataError("no-ratings", "ratings are asked for, and the data has none", "leave `rated` out")
    return float(np.nanmean(known, dtype=np.float64))


def rated(log: Interactions) -> Interactions:
    """Of each pair the newest event that has a rating."""
    log = log.select(np.isfinite(ratings(log, np.nan)))
    return log.select(newest_of_pair(log))


def centred(log: Interactions, centre: float) -> csr_array:
    """(U, I) each pair's newest rating less `centre`; no entry where there is none, and an entry of 0 is a rating."""
    log = rated(log)
    return log.with_values(ratings(log, centre) - np.float32(centre)).matrix()
