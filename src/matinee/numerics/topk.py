"""The K best of each row: the one selection that every path shares, and the parts that fused kernels build on.

Order: score descending, then item ascending; -0.0 equals 0.0. A row's K best so far are a binary heap
whose root is the worst of them, so an item that does not make it costs one comparison. The order is
total, hence the result does not depend on the order of the offers.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numba import njit
from numpy.typing import NDArray

from matinee.contract import Masks
from matinee.errors import DataError, UsageError
from matinee.numerics.threads import in_pieces

ROWS_A_PIECE = 128
STRETCH = 64
_INFINITY_BITS = np.int32(0x7F800000)
_WITHOUT_SIGN = np.int32(0x7FFFFFFF)


class ScoreError(DataError):
    """A score that cannot be ranked. `row` is the position in the block, `item` the dense item."""

    def __init__(self, row: int, item: int, value: float) -> None:
        self.row, self.item, self.value = row, item, value
        code = "nan-score" if np.isnan(value) else "infinite-score"
        super().__init__(code, f"row {row} of the block scores item {item} with {value}", "fit the model again")

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.row, self.item, self.value)


def select(scores: NDArray[np.float32], k: int, masks: Masks) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """scores (B, I) -> items (B, K), scores (B, K), as `ranking.topk.top_k` says."""
    n, n_items = scores.shape
    seen_ptr, seen, blocked = checked_masks(n, n_items, k, masks)
    items, best, bad = empty_lists(n, k)

    def rows(start: int, stop: int) -> None:
        _select_rows(start, stop, scores, seen_ptr, seen, blocked, items, best, bad)

    in_pieces(rows, n, ROWS_A_PIECE)
    raise_bad(bad, best)
    return items, best


def ranked(
    write: Callable[[int, int, NDArray[np.float32]], None], n: int, n_items: int, k: int, masks: Masks, size: int
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """As `select`, of scores that `write(start, stop, out)` puts into out (stop - start, I): never all of (B, I).

    `size`: rows at a time in each thread.
    """
    masked = checked_masks(n, n_items, k, masks)
    items, best, bad = empty_lists(n, k)

    def rows(start: int, stop: int) -> None:
        scratch = np.zeros((stop - start, n_items), np.float32)
        write(start, stop, scratch)
        _rank_rows(start, stop, scratch, *masked, items, best, bad)

    in_pieces(rows, n, size)
    raise_bad(bad, best)
    return items, best


def empty_lists(n: int, k: int) -> tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.int64]]:
    """Lists for a kernel to fill: items (B, K) of -1, scores (B, K) of -inf, and `bad` (B,) for `raise_bad`."""
    return np.full((n, k), -1, np.int32), np.full((n, k), -np.inf, np.float32), np.full(n, -1, np.int64)


def checked_masks(
    n: int, n_items: int, k: int, masks: Masks
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.bool_]]:
    """`indptr`, `items` and `blocked` of masks that fit B rows of I items; (1, 0) stands for nothing blocked.

    Raises UsageError where k < 1, DataError where the masks are of another shape or catalogue: kernels do not
    look before they index.
    """
    if k < 1:
        raise UsageError("bad-k", f"a list of {k} items was asked for", "ask for one or more")
    seen, indptr = masks.items, masks.indptr
    if len(indptr) != n + 1 or indptr[0] != 0 or indptr[-1] != len(seen) or bool(np.any(np.diff(indptr) < 0)):
        raise DataError("misaligned", f"masks of {len(indptr) - 1} rows and {len(seen)} items for a block of {n} rows")
    if len(seen) and not 0 <= seen.min() <= seen.max() < n_items:
        raise DataError("misaligned", f"masked items in [{seen.min()}, {seen.max()}] for a catalogue of {n_items}")
    if masks.blocked is None:
        return indptr, seen, np.zeros((1, 0), bool)
    if masks.blocked.shape != (n, n_items):
        raise DataError("misaligned", f"blocked has shape {masks.blocked.shape} for scores of ({n}, {n_items})")
    return indptr, seen, masks.blocked


def raise_bad(bad: NDArray[np.int64], best: NDArray[np.float32]) -> None:
    """Raise ScoreError for the first row that a kernel marked: the item in `bad` (B,), its score in best[row, 0]."""
    rows = np.flatnonzero(bad >= 0)
    if len(rows):
        row = int(rows[0])
        raise ScoreError(row, int(bad[row]), float(best[row, 0]))


@njit(cache=True, nogil=True)
def offer(  # type: ignore[no-untyped-def]
    best_scores, best_items, size, k, score, item
):
    """Offer one finite score to the heap of the `size` best so far, at most k; returns the new size."""
    if size == k:
        if score < best_scores[0] or (score == best_scores[0] and item > best_items[0]):
            return size
        _sink(best_scores, best_items, size, score, item)
        return size
    at = size
    while at > 0:
        above = (at - 1) // 2
        if not _worse(score, item, best_scores[above], best_items[above]):
            break
        best_scores[at], best_items[at] = best_scores[above], best_items[above]
        at = above
    best_scores[at], best_items[at] = score, item
    return size + 1


@njit(cache=True, nogil=True)
def finish(best_scores, best_items, size):  # type: ignore[no-untyped-def]
    """Turn the heap of `size` entries into a list, best first. Entries past `size` are left alone."""
    while size > 1:
        size -= 1
        score, item = best_scores[size], best_items[size]
        best_scores[size], best_items[size] = best_scores[0], best_items[0]
        _sink(best_scores, best_items, size, score, item)


@njit(cache=True, nogil=True)
def offer_all(scores, first, best_scores, best_items, size):  # type: ignore[no-untyped-def]
    """Offer the scores of the items first, first + 1, ...: finite, or -inf where masked; returns the new size.

    Items before `first` must have been offered already, later ones not: then an equal score never gets in.
    """
    k = len(best_scores)
    least = best_scores[0] if size == k else np.float32(-np.inf)
    for start in range(0, len(scores), STRETCH):
        stop = min(start + STRETCH, len(scores))
        hits = 0
        for i in range(start, stop):  # vector instructions; most stretches of a long row hold nothing new
            hits += scores[i] > least
        if hits == 0:
            continue
        for i in range(start, stop):
            if scores[i] > least:
                size = offer(best_scores, best_items, size, k, scores[i], first + i)
                if size == k:
                    least = best_scores[0]
    return size


@njit(cache=True, nogil=True)
def rank(scores, seen, blocked, items, best):  # type: ignore[no-untyped-def]
    """One list (K,) from one row of scores (I,), which is used up; returns the item whose score is bad, or -1.

    blocked  (I,) or, where nothing is, (0,)
    """
    at = first_bad(scores)
    if at >= 0:
        best[0] = scores[at]
        return at
    for i in range(len(scores)):
        scores[i] += np.float32(0)  # -0.0 becomes 0.0
    for item in seen:
        scores[item] = -np.inf
    for item in range(len(blocked)):
        if blocked[item]:
            scores[item] = -np.inf
    size = offer_all(scores, 0, best, items, 0)
    finish(best, items, size)
    return -1


@njit(cache=True, nogil=True)
def first_bad(row):  # type: ignore[no-untyped-def]
    """The first position in a row of float32 that is NaN or infinite, -1 where none is."""
    bits = row.view(np.int32)
    largest = np.int32(0)
    for i in range(len(bits)):  # integers, so that this loop becomes vector instructions
        largest = max(largest, bits[i] & _WITHOUT_SIGN)
    if largest < _INFINITY_BITS:
        return -1
    for i in range(len(row)):
        if not np.isfinite(row[i]):
            return i
    return -1


@njit(cache=True, nogil=True)
def _worse(score_a, item_a, score_b, item_b):  # type: ignore[no-untyped-def]
    return score_a < score_b or (score_a == score_b and item_a > item_b)


@njit(cache=True, nogil=True)
def _sink(best_scores, best_items, size, score, item):  # type: ignore[no-untyped-def]
    """Put an entry in the place of the root and let it sink to where both below are better."""
    at = 0
    while True:
        below = 2 * at + 1
        if below >= size:
            break
        other = below + 1
        if other < size and _worse(best_scores[other], best_items[other], best_scores[below], best_items[below]):
            below = other
        if not _worse(best_scores[below], best_items[below], score, item):
            break
        best_scores[at], best_items[at] = best_scores[below], best_items[below]
        at = below
    best_scores[at], best_items[at] = score, item


@njit(cache=True, nogil=True)
def _rank_rows(start, stop, scores, seen_ptr, seen, blocked, items, best, bad):  # type: ignore[no-untyped-def]
    for row in range(start, stop):
        hidden = blocked[min(row, len(blocked) - 1)]
        bad[row] = rank(scores[row - start], seen[seen_ptr[row] : seen_ptr[row + 1]], hidden, items[row], best[row])


@njit(cache=True, nogil=True)
def _select_rows(  # type: ignore[no-untyped-def]
    start, stop, scores, seen_ptr, seen, blocked, items, best, bad
):
    scratch = np.empty(scores.shape[1], np.float32)
    for row in range(start, stop):
        for item in range(len(scratch)):  # a slice would do the same, and take three seconds longer to compile
            scratch[item] = scores[row, item]
        hidden = blocked[min(row, len(blocked) - 1)]
        bad[row] = rank(scratch, seen[seen_ptr[row] : seen_ptr[row + 1]], hidden, items[row], best[row])
