"""Several lists of a user to one: points summed by item in whole numbers, or two lists taken in turns.

Whole numbers make a sum the same whatever the order of the members, so equal totals are equal. Points are
shares of ONE; sums are compared in steps of ONE >> STEP, about nine digits, since points such as 0.1 + 0.2
and 0.3 are not the same to the last bit. Letters: V users, M members, D places of a member, K places.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from matinee.numerics.threads import in_pieces

ONE = 1 << 60
STEP = 28
ROWS_A_PIECE = 256

Fused = tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.bool_]]


def fuse(
    items: NDArray[np.int32],
    filled: NDArray[np.bool_],
    points: NDArray[np.float64],
    standing: NDArray[np.int64],
    k: int,
) -> Fused:
    """Items, summed points and filled flags, (V, K) each, by points descending; ties as below.

    items     (V, M, D)  a second place of an item in one list does not count; -1 is nothing
    filled    (V, M, D)  such places give no points; an item that has only such places comes after all others
    points    (M, D)     what a place gives; the members' largest add up to 1 at most
    standing  (M,)       whose word counts first in a tie, 0 before 1; -1 for all where nobody's does

    Ties go to the larger sum of reciprocal ranks, then to the item that the member of the best standing holds, or
    holds higher, then to the smaller item.
    """
    n, members, depth = items.shape
    whole = np.rint(points * ONE).astype(np.int64)
    reciprocal = np.rint(ONE / (members * np.arange(1.0, depth + 1))).astype(np.int64)
    fused = np.full((n, k), -1, np.int32), np.full((n, k), -np.inf, np.float32), np.zeros((n, k), bool)
    in_pieces(lambda start, stop: _fuse_rows(start, stop, items, filled, whole, reciprocal, standing, *fused), n,
              ROWS_A_PIECE)  # fmt: skip
    return fused


def take_turns(items: NDArray[np.int32], filled: NDArray[np.bool_], places: int, k: int) -> Fused:
    """Items, 1 / place as score, and filled flags, (V, K) each, of two members (V, 2, D).

    Of each `places` places the first half (rounded up) is the first member's next items, the rest the second's;
    what stands there already is skipped, and a member that has nothing left is replaced by the other. Filled places
    are taken only when nothing else is left.
    """
    n = len(items)
    fused = np.full((n, k), -1, np.int32), np.full((n, k), -np.inf, np.float32), np.zeros((n, k), bool)
    in_pieces(lambda start, stop: _take_turns_rows(start, stop, items, filled, places, *fused), n, ROWS_A_PIECE)
    return fused


@njit(cache=True, nogil=True)
def _fuse_rows(  # type: ignore[no-untyped-def]
    start, stop, items, filled, points, reciprocal, standing, out_items, out_scores, out_filled
):
    _, members, depth = items.shape
    width = members * depth
    cells = np.empty(width, np.int64)
    found = np.empty(width, np.int32)
    total, ranks, holder = np.empty(width, np.int64), np.empty(width, np.int64), np.empty(width, np.int64)
    half = np.int64(1) << (STEP - 1)
    for row in range(start, stop):
        n = 0
        for m in range(members):
            for r in range(depth):
                if items[row, m, r] >= 0:
                    cells[n] = np.int64(items[row, m, r]) * width + m * depth + r
                    n += 1
        ordered = np.sort(cells[:n])  # by item, then member, then place
        size, at = 0, 0
        while at < n:
            item = ordered[at] // width
            given, rank, rank_of_filled, best, last = 0, 0, 0, -1, -1
            while at < n and ordered[at] // width == item:
                m, r = (ordered[at] % width) // depth, ordered[at] % depth
                at += 1
                if m == last:
                    continue
                last = m
                if filled[row, m, r]:
                    rank_of_filled += reciprocal[r]
                    continue
                given += points[m, r]
                rank += reciprocal[r]
                place = standing[m] * depth + r if standing[m] >= 0 else 0
                best = place if best < 0 else min(best, place)
            found[size] = item
            total[size] = (given + half) >> STEP if best >= 0 else -1
            ranks[size] = ((rank if best >= 0 else rank_of_filled) + half) >> STEP
            holder[size] = best
            size += 1
        order = np.argsort(holder[:size], kind="mergesort")  # stable, so the last key sorted by weighs most
        order = order[np.argsort(-ranks[:size][order], kind="mergesort")]
        order = order[np.argsort(-total[:size][order], kind="mergesort")]
        for place in range(min(size, out_items.shape[1])):
            one = order[place]
            out_items[row, place] = found[one]
            out_scores[row, place] = max(total[one], 0) / (ONE >> STEP)
            out_filled[row, place] = total[one] < 0


@njit(cache=True, nogil=True)
def _take_turns_rows(  # type: ignore[no-untyped-def]
    start, stop, items, filled, places, out_items, out_scores, out_filled
):
    depth, k = items.shape[2], out_items.shape[1]
    for row in range(start, stop):
        size = 0
        for of_filled in (False, True):
            at = np.zeros(2, np.int64)
            while size < k:
                turn = 0 if size % places < (places + 1) // 2 else 1
                item = -1
                for m in (turn, 1 - turn):
                    while item < 0 and at[m] < depth:
                        one = items[row, m, at[m]]
                        if one >= 0 and filled[row, m, at[m]] == of_filled and not _holds(out_items[row], size, one):
                            item = one
                        at[m] += 1
                    if item >= 0:
                        break
                if item < 0:
                    break
                out_items[row, size], out_filled[row, size] = item, of_filled
                out_scores[row, size] = 1 / (size + 1)
                size += 1


@njit(cache=True, nogil=True)
def _holds(items, size, item):  # type: ignore[no-untyped-def]
    found = False
    for at in range(size):
        found |= items[at] == item
    return found
