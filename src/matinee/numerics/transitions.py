"""Which items come shortly after which: weighted counts of pairs within a window, a row an item, the largest kept.

A row belongs to one thread, which walks the item's events in the log's order and sums in float64. So the result does
not depend on the number of threads, and no matrix of items by items is ever held.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.sparse import csr_array

from matinee.data.interactions import Interactions
from matinee.numerics.threads import in_pieces
from matinee.numerics.topk import offer

Rows = tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float32]]
ROWS_A_PIECE = 64


def transitions(
    log: Interactions, ahead: NDArray[np.float64], back: NDArray[np.float64], shrink: float, keep: int
) -> Rows:
    """Sparse rows (I, I), columns ascending: row a's `keep` largest n_ab / (sum over b of n_ab + shrink).

    n_ab sums c_a c_b ahead[w - 1] over the events of b that the same user has w places after one of a, and
    c_a c_b back[w - 1] over those w places before. ahead, back (W,). Time: the window x E, and I^2 cheap steps.
    """
    n_items = log.n_items
    keep = min(keep, n_items)
    # a counting sort of the events by item; a row of it is in the log's order
    by_item = csr_array((np.arange(len(log)), log.items, log.indptr), shape=(log.n_users, n_items)).tocsc()
    events = (by_item.indptr.astype(np.int64), by_item.data, by_item.indices.astype(np.int64))
    parts: list[Rows] = [(np.empty(0, np.int64), np.empty(0, np.int32), np.empty(0, np.float32))] * -(
        -n_items // ROWS_A_PIECE)

    def rows(start: int, stop: int) -> None:
        sizes = np.zeros(stop - start, np.int64)
        targets, weights = np.empty((stop - start, keep), np.int32), np.empty((stop - start, keep), np.float32)
        _rows(start, *events, log.indptr, log.items, log.values, ahead, back, shrink, sizes, targets, weights)
        kept = np.arange(keep) < sizes[:, None]
        parts[start // ROWS_A_PIECE] = sizes, targets[kept], weights[kept]

    in_pieces(rows, n_items, ROWS_A_PIECE)
    sizes, targets, weights = (np.concatenate(part) for part in zip(*parts, strict=True))
    return np.append(0, np.cumsum(sizes)), targets, weights


@njit(cache=True, nogil=True)
def _rows(  # type: ignore[no-untyped-def]
    start, item_ptr, events, users, indptr, items, values, ahead, back, shrink, sizes, targets, weights
):
    """The rows start, start + 1, ... as many as there are `sizes`; each list ascending by item."""
    total = np.empty(len(item_ptr) - 1, np.float64)
    for row in range(len(sizes)):
        total[:] = 0
        for at in range(item_ptr[start + row], item_ptr[start + row + 1]):
            event, first, end = events[at], indptr[users[at]], indptr[users[at] + 1]
            value = np.float64(values[event])
            for other in range(event + 1, min(event + 1 + len(ahead), end)):
                total[items[other]] += value * values[other] * ahead[other - event - 1]
            for other in range(max(event - len(back), first), event):
                total[items[other]] += value * values[other] * back[event - other - 1]
        sizes[row] = _kept(total, shrink, targets[row], weights[row])


@njit(cache=True, nogil=True)
def _kept(total, shrink, targets, weights):  # type: ignore[no-untyped-def]
    """The largest of total / (sum + shrink), ascending by item, in targets and weights (keep,); returns how many."""
    whole, found, keep = np.float64(shrink), 0, len(targets)
    for item in range(len(total)):
        whole += total[item]
        found += total[item] > 0
    least, edge = np.float32(0), len(total)  # the last that is kept
    if found > keep:
        size = 0
        for item in range(len(total)):
            if total[item] > 0:
                size = offer(weights, targets, size, keep, np.float32(total[item] / whole), item)
        least, edge = weights[0], targets[0]
    size = 0
    for item in range(len(total)):
        chance = np.float32(total[item] / whole) if total[item] > 0 else np.float32(-1)
        if chance > least or (chance == least and item <= edge):
            targets[size], weights[size] = item, chance
            size += 1
    return size
