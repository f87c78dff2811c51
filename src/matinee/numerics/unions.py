"""The union of several lists of each user, in the order of places, and where each item stands in each list."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from matinee.numerics.threads import in_pieces

ROWS_A_PIECE = 64


def union(lists: NDArray[np.int32], n_items: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """lists (S, B, K) of items, -1 after the end of one -> items (B, C) and ranks (B, C, S), C = S K.

    First places come before second ones, and within a place the lists in their order, so the union of shorter lists is
    its beginning. An item's rank is its place from 1, and 0 in a list that does not have it. -1 and 0 pad.
    """
    n_lists, n, k = lists.shape
    items = np.full((n, n_lists * k), -1, np.int32)
    ranks = np.zeros((n, n_lists * k, n_lists), np.int32)
    in_pieces(lambda start, stop: _rows(start, stop, lists, n_items, items, ranks), n, ROWS_A_PIECE)
    return items, ranks


@njit(cache=True, nogil=True)
def _rows(start, stop, lists, n_items, items, ranks):  # type: ignore[no-untyped-def]
    place = np.full(n_items, -1, np.int32)
    for row in range(start, stop):
        count = 0
        for at in range(lists.shape[2]):
            for source in range(lists.shape[0]):
                item = lists[source, row, at]
                if item < 0:
                    continue
                if place[item] < 0:
                    place[item] = count
                    items[row, count] = item
                    count += 1
                ranks[row, place[item], source] = at + 1
        for at in range(count):
            place[items[row, at]] = -1
