"""Where in each list a hidden item stands: found once, used by every accuracy metric.

Letters: V users of the truth, K list length, H hidden items, h hits.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from matinee.errors import DataError
from matinee.evaluation.formulas import Hits
from matinee.ranking.lists import Lists
from matinee.split.parts import Truth


def find(lists: Lists, truth: Truth, depth: int) -> Hits:
    """Hits in the first `depth` places. Raises DataError where a user of the truth has nothing hidden."""
    shown = lists.top(depth).of(truth.users).items  # (V, K)
    users, ranks = np.nonzero(placed(shown, truth.indptr, truth.items))
    firsts = np.searchsorted(users, np.arange(len(truth)))
    return Hits(users, ranks + 1, np.arange(len(users)) - firsts[users] + 1, distinct_hidden(truth))


def placed(
    shown: NDArray[np.int32], indptr: NDArray[np.int64], wanted: NDArray[np.int32]
) -> NDArray[np.bool_]:
    """shown (V, K), wanted items of user v: wanted[indptr[v]:indptr[v + 1]] -> (V, K) true where one first stands."""
    highest = max(int(shown.max(initial=-1)), int(wanted.max(initial=-1)))
    return np.asarray(_placed(shown, indptr, wanted, highest + 1), bool)


def distinct_hidden(truth: Truth) -> NDArray[np.int64]:
    """(V,) distinct hidden items. Raises DataError where a user has none."""
    counts = truth.counts
    if len(counts) == 0 or counts.min() == 0:
        raise DataError("empty-truth", f"{np.count_nonzero(counts)} of {len(counts)} users have a hidden item",
                        "evaluate only users from whom something was hidden, and at least one")
    owner = np.repeat(np.arange(len(counts)), counts)
    if np.all((truth.items[1:] > truth.items[:-1]) | (owner[1:] > owner[:-1])):
        return counts  # as a truth should be: each item once, ascending
    order = np.lexsort((truth.items, owner))
    items = truth.items[order]
    again = (items[1:] == items[:-1]) & (owner[1:] == owner[:-1])
    return counts - np.bincount(owner[1:][again], minlength=len(counts))


def first_showings(shown: NDArray[np.int32]) -> NDArray[np.bool_]:
    """(V, K) lists -> (V, K) true where an item stands that stands nowhere before in the same list."""
    return np.asarray(_first_showings(shown, shown.max(initial=-1) + 1), bool)


@njit(cache=True, nogil=True)
def _placed(shown: NDArray[np.int32], indptr: NDArray[np.int64], wanted: NDArray[np.int32],
            places: int) -> NDArray[np.bool_]:
    holder = np.full(places, -1, np.int64)  # the last user who wants an item and has not met it yet
    found = np.zeros(shown.shape, np.bool_)
    for user in range(shown.shape[0]):
        for at in range(indptr[user], indptr[user + 1]):
            if wanted[at] >= 0:
                holder[wanted[at]] = user
        for rank in range(shown.shape[1]):
            item = shown[user, rank]
            if item >= 0 and holder[item] == user:
                found[user, rank] = True
                holder[item] = -1
    return found


@njit(cache=True, nogil=True)
def _first_showings(shown: NDArray[np.int32], places: int) -> NDArray[np.bool_]:
    seen_by = np.full(places, -1, np.int64)
    first = np.zeros(shown.shape, np.bool_)
    for user in range(shown.shape[0]):
        for rank in range(shown.shape[1]):
            item = shown[user, rank]
            if item >= 0 and seen_by[item] != user:
                first[user, rank] = True
                seen_by[item] = user
    return first
