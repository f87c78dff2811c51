"""Lists filled by quotas from several ranked shelves: so many of the first, so many of the second, round after round.

What a shelf lacks of its quota is taken from the next one, and after the last from all items. No item is taken twice,
and what was seen stands behind all else. The score of the first place is I, of the second I - 1, of the last 1.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from matinee.contract import Masks
from matinee.numerics.threads import in_pieces
from matinee.numerics.topk import checked_masks, empty_lists

ROWS_A_PIECE = 64

Shelves = tuple[NDArray[np.int64], NDArray[np.int32]]
"""indptr (G + 2,) and items (n,): shelf g is items[indptr[g]:indptr[g + 1]], best first; the last holds all items."""
Seen = tuple[NDArray[np.int64], NDArray[np.int32]]
"""indptr (B + 1,) and items (E,) in any order, repeats allowed."""


def scores(shelves: Shelves, chosen: NDArray[np.int64], quotas: NDArray[np.int64], seen: Seen) -> NDArray[np.float32]:
    """(B, I) of each row's whole list.

    chosen  (B, N) the shelves that a row takes from, in order; -1 for none
    quotas  (N,) at least 1 each
    """
    out = np.empty((len(chosen), _n_items(shelves)), np.float32)

    def rows(start: int, stop: int) -> None:
        _score_rows(start, stop, *shelves, chosen, quotas, *seen, out)

    in_pieces(rows, len(out), ROWS_A_PIECE)
    return out


def top(
    shelves: Shelves, chosen: NDArray[np.int64], quotas: NDArray[np.int64], seen: Seen, k: int, masks: Masks
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """The K best of `scores` that are not masked, found by going no further down a list than it takes."""
    masked = checked_masks(len(chosen), _n_items(shelves), k, masks)
    items, best, _ = empty_lists(len(chosen), k)

    def rows(start: int, stop: int) -> None:
        _top_rows(start, stop, *shelves, chosen, quotas, *seen, *masked, items, best)

    in_pieces(rows, len(chosen), ROWS_A_PIECE)
    return items, best


def _n_items(shelves: Shelves) -> int:
    return int(shelves[0][-1] - shelves[0][-2])


@njit(cache=True, nogil=True)
def _score_rows(start, stop, ptr, items, chosen, quotas, seen_ptr, seen, out):  # type: ignore[no-untyped-def]
    n_items = out.shape[1]
    hidden, order = np.zeros(n_items, np.bool_), np.empty(n_items, np.int32)
    for row in range(start, stop):
        _fill(ptr, items, chosen[row], quotas, seen[seen_ptr[row] : seen_ptr[row + 1]], hidden, n_items, order)
        for place in range(n_items):
            out[row, order[place]] = n_items - place


@njit(cache=True, nogil=True)
def _top_rows(  # type: ignore[no-untyped-def]
    start, stop, ptr, items, chosen, quotas, seen_ptr, seen, masked_ptr, masked, blocked, lists, best
):
    n_items = ptr[-1] - ptr[-2]
    hidden, order = np.empty(n_items, np.bool_), np.empty(n_items, np.int32)
    for row in range(start, stop):
        of_row = blocked[min(row, len(blocked) - 1)]
        for item in range(n_items):
            hidden[item] = len(of_row) > 0 and of_row[item]
        for event in range(masked_ptr[row], masked_ptr[row + 1]):
            hidden[masked[event]] = True
        wanted = lists.shape[1]
        mine = seen[seen_ptr[row] : seen_ptr[row + 1]]
        size, at = _fill(ptr, items, chosen[row], quotas, mine, hidden, wanted, order), 0
        for place in range(size):
            if not hidden[order[place]]:
                lists[row, at], best[row, at] = order[place], n_items - place
                at += 1


@njit(cache=True, nogil=True)
def _fill(ptr, items, chosen, quotas, seen, hidden, wanted, order):  # type: ignore[no-untyped-def]
    """Put a list's items into `order` until `wanted` of them are not hidden, or all are in; returns how many are."""
    n, n_items, everything = len(quotas), len(order), len(ptr) - 2
    late, taken = np.zeros(n_items, np.bool_), np.zeros(n_items, np.bool_)
    left = n_items
    for item in seen:
        left -= not late[item]
        late[item] = True
    at = np.empty(n + 1, np.int64)
    for q in range(n):
        at[q] = ptr[max(chosen[q], 0)]
    at[n] = ptr[everything]
    size = 0
    while size < left:
        due = 0
        for q in range(n + 1):
            due += quotas[q] if q < n else 0
            shelf = chosen[q] if q < n else everything
            while shelf >= 0 and due > 0 and at[q] < ptr[shelf + 1]:
                item = items[at[q]]
                at[q] += 1
                if late[item] or taken[item]:
                    continue
                order[size], taken[item] = item, True
                size, due = size + 1, due - 1
                wanted -= not hidden[item]
                if wanted == 0:
                    return size
    for i in range(ptr[everything], ptr[everything + 1]):
        if late[items[i]]:
            order[size] = items[i]
            size += 1
    return size
