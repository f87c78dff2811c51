"""Steps of pairwise learning for the next item: it is to stand above an item that its user has not, given the last one.

    s(i | u, l) = a f(x_u, y_i) + w g(z, q_i) + b_i       z = p_l, or p_l + t + x_u for a translation
    f and g: an inner product (INNER), minus the squared distance (SQUARES), minus the sum of sizes (SIZES), or 0 (NONE)

What hangs on the first argument alone moves no list and is left out, hence all of them are product x p.q - square x
|q|^2 - size x |p - q|_1.

A step takes a pair (user u, item l, next item i, weight c) and goes down the gradient of

    -c ln sigma(s_i - s_j) + l2 / 2 (squares of all numbers that it touches)

for j the highest scored of so many drawn items that u has not (S-BPR: Rendle, Freudenthaler, Schmidt-Thieme, WWW 2010).
All slopes are taken before anything moves. Kernels own what they write and draw from counters of their own, so their
bits hang on their arguments alone.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from matinee.numerics.draws import below, bits
from matinee.numerics.strata import Cells, Urns, play
from matinee.numerics.threads import in_pieces

TRIES = 100
"""Draws for one item that the user has not; after that the step is skipped and counted."""
ROWS_A_PIECE = 32

_LOW, _HALF, _TWO = np.uint64((1 << 32) - 1), np.uint64(32), np.uint64(2)
_ONE = np.float32(1)

# A sum over D may be taken in the order that vector instructions like; that order hangs on D alone.
_SUMS = {"contract", "reassoc", "nsz"}

Flat = NDArray[np.float32]


class Nearness(NamedTuple):
    product: np.float32
    square: np.float32
    size: np.float32


NONE, INNER, SQUARES, SIZES = (Nearness(*(np.float32(part) for part in parts))
                               for parts in ((0, 0, 0), (1, 0, 0), (2, 1, 0), (0, 0, 1)))


class Space(NamedTuple):
    """Where users and items stand, and how their nearness is measured."""

    taste: Nearness
    """f: of a user to an item; no SIZES."""
    order: Nearness
    """g: of an item to the next one."""
    translated: bool
    """Does a user's vector carry one item to the next?"""
    bias: np.float32
    """1, or 0 where items have none."""
    bounded: bool
    """Are p and q kept in the unit ball?"""


class Tables(NamedTuple):
    users: Flat  # (U x D,)  x
    liked: Flat  # (I x D,)  y
    before: Flat  # (I x D,)  p
    after: Flat  # (I x D,)  q; where one vector has both roles it is the same array as `before`
    biases: Flat  # (I,)
    shift: Flat  # (D,)  t


class Pairs(NamedTuple):
    users: NDArray[np.int64]  # (P,)
    before: NDArray[np.int32]  # (P,)
    after: NDArray[np.int32]  # (P,)
    weights: Flat  # (P,)  c
    shares: Flat  # (P, 2)  a and w


class Seen(NamedTuple):
    """Who has what, ascending."""

    indptr: NDArray[np.int64]  # (R + 1,)
    items: NDArray[np.int32]


class Rule(NamedTuple):
    """What a step does."""

    lr: np.float32
    l2: np.float32
    draws: int
    passes: int
    """Of a fold-in, in which lr falls to 0 in a straight line."""
    least: int
    """A row with few pairs goes on passing over them until it has taken about so many steps."""


def descend(
    pairs: Pairs, cells: Cells, seen: Seen, tables: Tables, urns: Urns, space: Space, rule: Rule
) -> tuple[float, int]:
    """One epoch: `tables` learn in place. The sum of all losses, and how many steps were skipped.

    Each cell has a copy of `shift`; after a round it is the mean of them, by their pairs.
    """
    sizes = np.diff(cells.ends)
    tally = np.zeros((len(sizes), 2))
    copies = {}

    def work(cell: int) -> None:
        copies[cell] = tables.shift.copy()
        _walk_cell(cells.order[cells.ends[cell] : cells.ends[cell + 1]], cells.seeds[cell], pairs, seen,
                   tables._replace(shift=copies[cell]), urns, space, rule, tally[cell])

    def meet(together: NDArray[np.int64]) -> None:
        if sizes[together].sum():
            told = np.stack([copies.pop(int(cell)) for cell in together]).astype(np.float64)
            tables.shift[:] = np.average(told, axis=0, weights=sizes[together])

    play(cells, work, meet)
    return float(tally[:, 0].sum()), int(tally[:, 1].sum())


def fold_in(
    pairs: Pairs, ends: NDArray[np.int64], seeds: NDArray[np.uint64], seen: Seen, tables: Tables, urns: Urns,
    space: Space, rule: Rule,
) -> None:
    """Improve `tables.users` (R x D,) in place, the items held fixed; a row's bits hang on that row alone.

    Row r has the pairs ends[r]:ends[r + 1]; their `users` count rows. All of `urns` is one block.
    """
    in_pieces(lambda start, stop: _fold_rows(start, stop, ends, seeds, pairs, seen, tables, urns, space, rule),
              len(seeds), ROWS_A_PIECE)


# Arrays stay flat, and what the inner loop calls has no branches around its loops: a loop that is not wanted has length
# 0. Elsewise numba counts references at every call, and a step takes several times as long.


@njit(cache=True, nogil=True, error_model="numpy")
def _walk_cell(order, seed, pairs, seen, tables, urns, space, rule, tally):  # type: ignore[no-untyped-def]
    users, liked, before, after, biases, shift = tables
    of_pair, lasts, items, weights, shares = pairs
    seen_ptr, had = seen
    urn_items, thresholds, urn_first, of_item = urns
    dim, none = np.uint64(len(shift)), np.uint64(0)
    of_taste = dim if space.taste.product > 0 else none
    carried, held = dim if space.translated else none, dim if space.bounded else none
    x, z = np.empty(dim, np.float32), np.empty(dim, np.float32)
    to_x, to_z = np.empty(dim, np.float32), np.empty(dim, np.float32)
    offered, scores = np.empty(1 + rule.draws, np.int32), np.empty(1 + rule.draws, np.float32)
    counter = np.empty(1, np.uint64)
    counter[0], loss, keep = seed, 0.0, _ONE - rule.lr * rule.l2
    for at in range(len(order)):
        pair = order[at]
        user, last, item = of_pair[pair], lasts[pair], items[pair]
        a, w = shares[pair, 0], shares[pair, 1]
        of_order = dim if w > 0 else none
        _stand(users, user, before, last, shift, x, z, dim, carried)
        block, row = of_item[item], seen_ptr[user]
        offered[0] = item
        n = _offer(offered, counter, urn_items, thresholds, urn_first[block], urn_first[block + 1], had, row,
                   seen_ptr[user + 1])
        tally[1] += n == 1
        if n == 1:
            continue
        _score(offered, n, scores, x, z, liked, after, biases, space.taste, space.order, a, w, dim, of_taste, of_order)
        best = _hardest(scores, n)
        other = offered[best]
        pull, lost = _pull(scores[0] - scores[best])
        loss += weights[pair] * lost
        move = rule.lr * weights[pair] * pull
        _learn(x, liked, item, other, space.taste, move * a, keep, to_x, dim, of_taste)
        _go(users, user, to_x, keep, dim, of_taste)
        _learn(z, after, item, other, space.order, move * w, keep, to_z, dim, of_order)
        _go(before, last, to_z, keep, dim, of_order)
        _go(users, user, to_z, keep, dim, carried)
        _go(shift, 0, to_z, keep, dim, carried)
        _into_ball(before, last, dim, held)
        _into_ball(after, item, dim, held)
        _into_ball(after, other, dim, held)
        biases[item] = keep * biases[item] + move * space.bias
        biases[other] = keep * biases[other] - move * space.bias
    tally[0] += loss


@njit(cache=True, nogil=True, error_model="numpy")
def _fold_rows(start, stop, ends, seeds, pairs, seen, tables, urns, space, rule):  # type: ignore[no-untyped-def]
    users, liked, before, after, biases, shift = tables
    _, lasts, items, weights, shares = pairs
    seen_ptr, had = seen
    urn_items, thresholds, urn_first, _ = urns
    dim, none = np.uint64(len(shift)), np.uint64(0)
    of_taste, carried = dim if space.taste.product > 0 else none, dim if space.translated else none
    x, z, slope = np.empty(dim, np.float32), np.empty(dim, np.float32), np.empty(dim, np.float32)
    offered, scores = np.empty(1 + rule.draws, np.int32), np.empty(1 + rule.draws, np.float32)
    counter = np.empty(1, np.uint64)
    for row in range(start, stop):
        counter[0] = seeds[row]
        size = ends[row + 1] - ends[row]
        order = np.arange(ends[row], ends[row + 1])
        passes = max(rule.passes, rule.least // max(1, size))
        for turn in range(passes):
            lr = rule.lr * np.float32(passes - turn) / np.float32(passes)
            for k in range(size - 1, -1, -1):
                chosen = below(counter, k + 1)
                order[k], order[chosen] = order[chosen], order[k]
                last, item = lasts[order[k]], items[order[k]]
                a, w = shares[order[k], 0], shares[order[k], 1]
                of_order = dim if w > 0 else none
                _stand(users, row, before, last, shift, x, z, dim, carried)
                offered[0] = item
                n = _offer(offered, counter, urn_items, thresholds, urn_first[0], urn_first[1], had, seen_ptr[row],
                           seen_ptr[row + 1])
                if n == 1:
                    continue
                _score(offered, n, scores, x, z, liked, after, biases, space.taste, space.order, a, w, dim, of_taste,
                       of_order)
                best = _hardest(scores, n)
                other = offered[best]
                pull, _ = _pull(scores[0] - scores[best])
                move = lr * weights[order[k]] * pull
                _slope(x, liked, item, other, space.taste, move * a, slope, dim, of_taste)
                _slope(z, after, item, other, space.order, move * w, slope, dim, carried)
                _go(users, row, slope, _ONE - lr * rule.l2, dim, dim)


@njit(cache=True, nogil=True, error_model="numpy")
def _pull(ahead):  # type: ignore[no-untyped-def]
    """sigma(-ahead) and -ln sigma(ahead)."""
    small = np.exp(-abs(ahead))
    share = small / (_ONE + small)
    pull = share if ahead > 0 else _ONE - share
    return pull, np.log1p(small) + max(np.float32(0), -ahead)


@njit(cache=True, nogil=True)
def _stand(users, user, before, last, shift, x, z, dim, carried):  # type: ignore[no-untyped-def]
    """Copy the points that a step starts from."""
    u, p = np.uint64(user) * dim, np.uint64(last) * dim
    for d in range(dim):
        x[d] = users[u + d]
        z[d] = before[p + d]
    for d in range(carried):
        z[d] += shift[d] + x[d]


@njit(cache=True, nogil=True)
def _offer(offered, counter, items, thresholds, first, end, had, low, high):  # type: ignore[no-untyped-def]
    """Draw items of an urn that are not in had[low:high] behind the first in `offered`, whose new length is returned:
    shorter where TRIES draws in a row were.
    """
    start, size = np.uint64(first), np.uint64(end - first)
    n, failed = 1, 0
    while n < len(offered) and failed < TRIES:
        chance = bits(counter)
        place = ((chance >> _HALF) * size) >> _HALF
        upper = np.uint64((chance & _LOW) >= thresholds[start + place])
        item = items[_TWO * start + place + size * upper]
        offered[n] = item
        at, left = low, high - low
        while left > 1:
            half = left >> 1
            at += half * np.int64(had[at + half] <= item)  # no branch to be guessed wrong
            left -= half
        seen = int(left == 1 and had[at] == item)
        n += 1 - seen
        failed = (failed + 1) * seen
    return n


@njit(cache=True, nogil=True, fastmath=_SUMS)
def _score(  # type: ignore[no-untyped-def]
    offered, n, scores, x, z, liked, after, biases, taste, order, a, w, dim, of_taste, of_order
):
    """Of the first n offered items."""
    for at in range(n):
        y, of_x, of_z = np.uint64(offered[at]) * dim, np.float32(0), np.float32(0)
        for d in range(of_taste):
            q = liked[y + d]
            of_x += q * (taste.product * x[d] - taste.square * q)
        for d in range(of_order):
            q = after[y + d]
            of_z += q * (order.product * z[d] - order.square * q) - order.size * abs(z[d] - q)
        scores[at] = biases[offered[at]] + a * of_x + w * of_z


@njit(cache=True, nogil=True)
def _hardest(scores, n):  # type: ignore[no-untyped-def]
    """Where the highest of scores[1:n] stands; the first where none is a number, so that it is found out."""
    best = 1
    for at in range(2, n):
        if scores[at] > scores[best]:
            best = at
    return best


@njit(cache=True, nogil=True, fastmath=_SUMS)
def _slope(point, table, i, j, kind, move, out, dim, wanted):  # type: ignore[no-untyped-def]
    """move x how (nearness to i - nearness to j) rises with the point."""
    y, z = np.uint64(i) * dim, np.uint64(j) * dim
    for d in range(wanted):
        p, up, down = point[d], table[y + d], table[z + d]
        out[d] = move * (kind.product * (up - down) + kind.size * (np.sign(up - p) - np.sign(down - p)))


@njit(cache=True, nogil=True, fastmath=_SUMS)
def _learn(point, table, i, j, kind, move, keep, out, dim, wanted):  # type: ignore[no-untyped-def]
    """As `_slope`; and item i moves so that it is nearer to the point, and j so that it is further away."""
    _slope(point, table, i, j, kind, move, out, dim, wanted)
    y, z, twice = np.uint64(i) * dim, np.uint64(j) * dim, np.float32(2) * kind.square
    for d in range(wanted):
        p, up, down = point[d], table[y + d], table[z + d]
        table[y + d] = keep * up + move * (kind.product * p - twice * up + kind.size * np.sign(p - up))
        table[z + d] = keep * down - move * (kind.product * p - twice * down + kind.size * np.sign(p - down))


@njit(cache=True, nogil=True, fastmath=_SUMS)
def _go(table, row, slope, keep, dim, wanted):  # type: ignore[no-untyped-def]
    y = np.uint64(row) * dim
    for d in range(wanted):
        table[y + d] = keep * table[y + d] + slope[d]


@njit(cache=True, nogil=True, fastmath=_SUMS)
def _into_ball(table, row, dim, wanted):  # type: ignore[no-untyped-def]
    """Shorten a vector that is longer than 1 to 1."""
    y, total = np.uint64(row) * dim, np.float32(0)
    for d in range(wanted):
        total += table[y + d] * table[y + d]
    by = _ONE / max(_ONE, np.sqrt(total))
    for d in range(wanted):
        table[y + d] *= by
