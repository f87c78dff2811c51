"""Steps of pairwise learning for the next item: it is to stand above an item that its user has not, given the last one.

    s(i | u, l) = a f(x_u, y_i) + w g(z, q_i) + b_i       z = p_l, or p_l + t + x_u for a translation
    f and g: an inner product (INNER), minus the squared distance (SQUARES), minus the sum of sizes (SIZES), or 0 (NONE)

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

NONE, INNER, SQUARES, SIZES = 0, 1, 2, 3
TRIES = 100
"""Draws for one item that the user has not; after that the step is skipped and counted."""
ROWS_A_PIECE = 32

_LOW, _HALF, _TWO = np.uint64((1 << 32) - 1), np.uint64(32), np.uint64(2)
_ONE = np.float32(1)

# A sum over D may be taken in the order that vector instructions like; that order hangs on D alone.
_SUMS = {"contract", "reassoc", "nsz"}

Flat = NDArray[np.float32]


class Space(NamedTuple):
    """Where users and items stand, and how their nearness is measured."""

    taste: int
    """f: of a user to an item."""
    order: int
    """g: of an item to the next one."""
    translated: bool
    """Does a user's vector carry one item to the next?"""
    biased: bool
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


# Arrays stay flat, positions are whole numbers, and what the inner loop calls has one way out: elsewise numba counts
# references at every call.


@njit(cache=True, nogil=True, error_model="numpy")
def _walk_cell(order, seed, pairs, seen, tables, urns, space, rule, tally):  # type: ignore[no-untyped-def]
    dim = np.uint64(len(tables.shift))
    users, liked, before, after, biases = tables.users, tables.liked, tables.before, tables.after, tables.biases
    x, z, of_x, of_z = np.empty(dim, np.float32), np.empty(dim, np.float32), np.empty(dim, np.float32), np.empty(
        dim, np.float32)
    counter, loss, keep = np.empty(1, np.uint64), 0.0, _ONE - rule.lr * rule.l2
    counter[0] = seed
    for at in range(len(order)):
        pair = order[at]
        user, last, item = pairs.users[pair], pairs.before[pair], pairs.after[pair]
        a, w = pairs.shares[pair, 0], pairs.shares[pair, 1]
        _stand(users, user, before, last, tables.shift, space.translated, x, z)
        other, highest = _hardest(counter, urns, urns.of_item[item], seen, user, rule.draws, x, z, liked, after, biases,
                                  space, a, w, dim)
        if other < 0:
            tally[1] += 1
            continue
        ahead = _score(x, z, liked, after, biases, item, space, a, w, dim) - highest
        pull, lost = _pull(ahead)
        loss += pairs.weights[pair] * lost
        move = rule.lr * pairs.weights[pair] * pull
        if a > 0 and space.taste:
            _slope(x, liked, item, other, space.taste, a, of_x, dim)
            _teach(x, liked, item, other, space.taste, move * a, keep, dim)
            _go(users, user, of_x, move, keep, dim)
        if w > 0:
            _slope(z, after, item, other, space.order, w, of_z, dim)
            _teach(z, after, item, other, space.order, move * w, keep, dim)
            _go(before, last, of_z, move, keep, dim)
            if space.translated:
                _go(users, user, of_z, move, keep, dim)
                _go(tables.shift, 0, of_z, move, keep, dim)
            if space.bounded:
                _into_ball(before, last, dim)
                _into_ball(after, item, dim)
                _into_ball(after, other, dim)
        if space.biased:
            biases[item] = keep * biases[item] + move
            biases[other] = keep * biases[other] - move
    tally[0] += loss


@njit(cache=True, nogil=True, error_model="numpy")
def _fold_rows(start, stop, ends, seeds, pairs, seen, tables, urns, space, rule):  # type: ignore[no-untyped-def]
    dim = np.uint64(len(tables.shift))
    users, liked, before, after, biases = tables.users, tables.liked, tables.before, tables.after, tables.biases
    x, z, slope = np.empty(dim, np.float32), np.empty(dim, np.float32), np.empty(dim, np.float32)
    counter = np.empty(1, np.uint64)
    for row in range(start, stop):
        counter[0] = seeds[row]
        n = ends[row + 1] - ends[row]
        order = np.arange(ends[row], ends[row + 1])
        passes = max(rule.passes, rule.least // max(1, n))
        for turn in range(passes):
            lr = rule.lr * np.float32(passes - turn) / np.float32(passes)
            for k in range(n - 1, -1, -1):
                chosen = below(counter, k + 1)
                order[k], order[chosen] = order[chosen], order[k]
                pair = order[k]
                last, item = pairs.before[pair], pairs.after[pair]
                a, w = pairs.shares[pair, 0], pairs.shares[pair, 1]
                _stand(users, row, before, last, tables.shift, space.translated, x, z)
                other, highest = _hardest(counter, urns, 0, seen, row, rule.draws, x, z, liked, after, biases, space,
                                          a, w, dim)
                if other < 0:
                    continue
                pull, _ = _pull(_score(x, z, liked, after, biases, item, space, a, w, dim) - highest)
                if space.translated:
                    _slope(z, after, item, other, space.order, w, slope, dim)
                else:
                    _slope(x, liked, item, other, space.taste, a, slope, dim)
                _go(users, row, slope, lr * pairs.weights[pair] * pull, _ONE - lr * rule.l2, dim)


@njit(cache=True, nogil=True, error_model="numpy")
def _pull(ahead):  # type: ignore[no-untyped-def]
    """sigma(-ahead) and -ln sigma(ahead)."""
    small = np.exp(-abs(ahead))
    share = small / (_ONE + small)
    pull = share if ahead > 0 else _ONE - share
    return pull, np.log1p(np.float64(small)) + max(0.0, -np.float64(ahead))


@njit(cache=True, nogil=True)
def _stand(users, user, before, last, shift, translated, x, z):  # type: ignore[no-untyped-def]
    """Copy the points that a step starts from."""
    dim = np.uint64(len(shift))
    u, p = np.uint64(user) * dim, np.uint64(last) * dim
    for d in range(dim):
        x[d] = users[u + d]
        z[d] = before[p + d]
    if translated:
        for d in range(dim):
            z[d] += shift[d] + x[d]


@njit(cache=True, nogil=True)
def _hardest(  # type: ignore[no-untyped-def]
    counter, urns, block, seen, user, draws, x, z, liked, after, biases, space, a, w, dim
):
    """The highest scored of the drawn items that the user has not, and its score; -1 where none was found."""
    first, n = urns.first[block], np.uint64(urns.first[block + 1] - urns.first[block])
    best, highest, found, failed = np.int64(-1), np.float32(-np.inf), 0, 0
    while found < draws and failed < TRIES:
        z64 = bits(counter)
        place = ((z64 >> _HALF) * n) >> _HALF
        upper = np.uint64((z64 & _LOW) >= urns.thresholds[np.uint64(first) + place])
        item = urns.items[_TWO * np.uint64(first) + place + n * upper]
        if _has(seen.items, seen.indptr[user], seen.indptr[user + 1], item):
            failed += 1
        else:
            failed = 0
            found += 1
            score = _score(x, z, liked, after, biases, item, space, a, w, dim)
            if best < 0 or score > highest:  # one that is not finite goes on to where it is found
                best, highest = np.int64(item), score
    return best, highest


@njit(cache=True, nogil=True)
def _has(items, first, end, item):  # type: ignore[no-untyped-def]
    """Is the item in the ascending items[first:end]?"""
    low, n = first, end - first
    while n > 1:
        half = n >> 1
        low += half * np.int64(items[low + half] <= item)  # no branch to be guessed wrong
        n -= half
    return n == 1 and items[low] == item


@njit(cache=True, nogil=True)
def _score(x, z, liked, after, biases, i, space, a, w, dim):  # type: ignore[no-untyped-def]
    total = biases[i]
    if a > 0:
        total += a * _nearness(x, liked, i, space.taste, dim)
    if w > 0:
        total += w * _nearness(z, after, i, space.order, dim)
    return total


@njit(cache=True, nogil=True, fastmath=_SUMS)
def _nearness(point, table, i, kind, dim):  # type: ignore[no-untyped-def]
    total, y = np.float32(0), np.uint64(i) * dim
    if kind == INNER:
        for d in range(dim):
            total += point[d] * table[y + d]
    elif kind == SQUARES:
        for d in range(dim):
            gap = point[d] - table[y + d]
            total -= gap * gap
    elif kind == SIZES:
        for d in range(dim):
            total -= abs(point[d] - table[y + d])
    return total


@njit(cache=True, nogil=True, fastmath=_SUMS)
def _slope(point, table, i, j, kind, weight, out, dim):  # type: ignore[no-untyped-def]
    """How weight x (nearness to i - nearness to j) rises with the point."""
    y, z = np.uint64(i) * dim, np.uint64(j) * dim
    if kind == SIZES:
        for d in range(dim):
            out[d] = weight * (np.sign(table[y + d] - point[d]) - np.sign(table[z + d] - point[d]))
    else:
        both = weight * np.float32(2 if kind == SQUARES else 1)
        for d in range(dim):
            out[d] = both * (table[y + d] - table[z + d])


@njit(cache=True, nogil=True, fastmath=_SUMS)
def _teach(point, table, i, j, kind, move, keep, dim):  # type: ignore[no-untyped-def]
    """Move item i so that it is nearer to the point, and j so that it is further away."""
    y, z = np.uint64(i) * dim, np.uint64(j) * dim
    if kind == INNER:
        for d in range(dim):
            up, down = table[y + d], table[z + d]
            table[y + d] = keep * up + move * point[d]
            table[z + d] = keep * down - move * point[d]
    elif kind == SQUARES:
        twice = np.float32(2) * move
        for d in range(dim):
            up, down = table[y + d], table[z + d]
            table[y + d] = keep * up + twice * (point[d] - up)
            table[z + d] = keep * down - twice * (point[d] - down)
    else:
        for d in range(dim):
            up, down = table[y + d], table[z + d]
            table[y + d] = keep * up + move * np.sign(point[d] - up)
            table[z + d] = keep * down - move * np.sign(point[d] - down)


@njit(cache=True, nogil=True, fastmath=_SUMS)
def _go(table, row, slope, move, keep, dim):  # type: ignore[no-untyped-def]
    y = np.uint64(row) * dim
    for d in range(dim):
        table[y + d] = keep * table[y + d] + move * slope[d]


@njit(cache=True, nogil=True, fastmath=_SUMS)
def _into_ball(table, row, dim):  # type: ignore[no-untyped-def]
    """Shorten a vector that is longer than 1 to 1."""
    y, total = np.uint64(row) * dim, np.float32(0)
    for d in range(dim):
        total += table[y + d] * table[y + d]
    if total > 1:
        by = _ONE / np.sqrt(total)
        for d in range(dim):
            table[y + d] *= by
