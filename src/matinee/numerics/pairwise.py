"""Steps of pairwise learning: an item that somebody has is to stand above an item that he has not.

A step takes a user's vector x, an item i of his and a drawn item j that is not, and goes down the gradient of

    bpr     -ln sigma(s_i - s_j)                                       s_i = x.y_i + b_i
    warp    phi(rank) max(0, 1 - s_i + s_j)      j the first of the draws with s_j > s_i - 1, rank by their number

plus l2 / 2 (|x|^2 + |y_i|^2 + |y_j|^2 + b_i^2 + b_j^2). The kernels own what they write (a user's vector; the items of
one block) and draw from counters of their own, so their bits hang on their arguments alone.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.sparse import csr_array

from matinee.numerics.draws import Urn, below, drawn, fraction, urn
from matinee.numerics.threads import in_pieces

TRIES = 100
"""Draws for one item that the user has not; after that the step is skipped and counted."""
ROWS_A_PIECE = 32
STEEPEST = np.float32(40)
"""A difference of scores beyond which sigma is 0 or 1 for float32."""

ONE = np.float32(1)  # in a kernel a plain 1 would turn float32 into float64

# A sum over D may be taken in the order that vector instructions like; that order hangs on D alone.
_SUMS = {"contract", "reassoc", "nsz"}


class Rule(NamedTuple):
    """What a step does."""

    lr: np.float32
    """In the first pass; then it falls to 0 in a straight line."""
    l2: np.float32
    candidates: int
    """bpr: the highest scored of so many draws is j. warp: at most so many draws."""
    warp: bool
    passes: int
    least: int
    """A row with few entries goes on passing over them until it has taken about so many steps."""
    teaches: bool
    """Do the items learn too?"""


class Items(NamedTuple):
    vectors: NDArray[np.float32]  # (I x D,)
    biases: NDArray[np.float32]  # (I,)
    phi: NDArray[np.float32]  # (I + 1,)


class Histories(NamedTuple):
    """Who has what; a kernel may change the order of a row's entries."""

    indptr: NDArray[np.int64]  # (R + 1,)
    items: NDArray[np.int32]  # (E,)
    visits: NDArray[np.float32]  # (E,)  steps that an entry takes in a pass, on average


class Calls(NamedTuple):
    """Whose vectors take steps over which entries."""

    rows: NDArray[np.int64]  # (C,)
    first: NDArray[np.int64]  # (C,)
    end: NDArray[np.int64]  # (C,)
    free: NDArray[np.int64]  # (C,)  drawable items that the row has not
    seeds: NDArray[np.uint64]  # (C,)


class Plan(NamedTuple):
    """An epoch: users and items in T blocks each. At turn t users' block a meets items' block (a + t) % T."""

    users: list[NDArray[np.int64]]  # T
    urns: list[Urn]  # T
    of_item: NDArray[np.int64]  # (I,)
    seeds: NDArray[np.uint64]  # (T, U)


def histories(matrix: csr_array, unit: float) -> Histories:
    """The entries of a matrix (R, I), each to be visited value / unit times a pass; its arrays may be changed."""
    return Histories(matrix.indptr.astype(np.int64), matrix.indices, (matrix.data / unit).astype(np.float32))


def phi(n_items: int) -> NDArray[np.float32]:
    """(I + 1,) sum of 1 / k for k up to the rank, over the sum up to I: the weight of a violated rank, at most 1."""
    sums = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, n_items + 1))])
    weights: NDArray[np.float32] = (sums / max(sums[-1], 1.0)).astype(np.float32)
    return weights


def plan(n: int, rng: np.random.Generator, n_users: int, weights: NDArray[np.float64]) -> Plan:
    """n random blocks of the users, and of the items whose weight (I,) is above 0: by that they are drawn."""
    users = np.array_split(rng.permutation(n_users), n)
    parts = np.array_split(rng.permutation(np.flatnonzero(weights)), n)
    of_item = np.zeros(len(weights), np.int64)
    for number, part in enumerate(parts):
        of_item[part] = number
    seeds = rng.integers(0, 2**64, (n, n_users), np.uint64)
    return Plan(users, [urn(part, weights[part]) for part in parts], of_item, seeds)


def descend(
    plan: Plan, histories: Histories, users: NDArray[np.float32], items: Items, rule: Rule
) -> tuple[float, int, int]:
    """One epoch over all entries: `users` (U, D) and `items` learn in place. Loss of all steps, steps, skipped ones.

    No two blocks that are worked on at once share a user or an item (Gemulla et al., Large-scale matrix factorization
    with distributed SGD, KDD 2011), and a negative is of the block of its positive, so threads do not change a bit.
    """
    n, flat = len(plan.urns), users.reshape(-1)
    cuts = np.empty((n + 1, len(users)), np.int64)
    in_pieces(lambda start, stop: _part_rows(start, stop, *histories, plan.of_item, cuts), len(users), 4096)
    free = sum(len(urn.thresholds) for urn in plan.urns) - (cuts[n] - cuts[0])
    tally = np.zeros((n, n, 3))
    for turn in range(n):

        def meet(a: int, _: int, turn: int = turn) -> None:
            b, rows = (a + turn) % n, plan.users[a]
            calls = Calls(rows, cuts[b][rows], cuts[b + 1][rows], free[rows], plan.seeds[b][rows])
            _walk_rows(0, len(rows), calls, histories, flat, items, plan.urns[b], rule, tally[a, b])

        in_pieces(meet, n, 1)
    loss, steps, skipped = tally.sum(axis=(0, 1)).tolist()
    return loss, int(steps), int(skipped)


def fold_in(
    histories: Histories, users: NDArray[np.float32], items: Items, urn: Urn, rule: Rule, seeds: NDArray[np.uint64]
) -> None:
    """Improve `users` (R, D) in place by steps over their histories; a row's bits hang on that row alone."""
    first, end = histories.indptr[:-1], histories.indptr[1:]
    calls = Calls(np.arange(len(users)), first, end, len(urn.thresholds) - (end - first), seeds)
    flat = users.reshape(-1)
    in_pieces(lambda start, stop: _walk_rows(start, stop, calls, histories, flat, items, urn, rule, np.zeros(3)),
              len(users), ROWS_A_PIECE)


@njit(cache=True, nogil=True)
def _part_rows(start, stop, indptr, items, visits, of_item, cuts):  # type: ignore[no-untyped-def]
    """Order the entries of each row by the block of their item; block b is then cuts[b, row]:cuts[b + 1, row]."""
    n, longest = len(cuts) - 1, 0
    for row in range(start, stop):
        longest = max(longest, indptr[row + 1] - indptr[row])
    mine, times, at = np.empty(longest, np.int32), np.empty(longest, np.float32), np.empty(n, np.int64)
    for row in range(start, stop):
        first, end = indptr[row], indptr[row + 1]
        at[:] = 0
        for k in range(first, end):
            mine[k - first], times[k - first] = items[k], visits[k]
            at[of_item[items[k]]] += 1
        cuts[0, row] = first
        for b in range(n):
            cuts[b + 1, row] = cuts[b, row] + at[b]
            at[b] = cuts[b, row]
        for k in range(end - first):
            b = of_item[mine[k]]
            items[at[b]], visits[at[b]] = mine[k], times[k]
            at[b] += 1


# Arrays stay flat, positions are whole numbers, and what the inner loop calls has one way out: elsewise numba counts
# references at every call, in memory that all threads write to, and a step takes ten times as long.


@njit(cache=True, nogil=True, error_model="numpy")
def _walk_rows(start, stop, calls, histories, users, items, urn, rule, tally):  # type: ignore[no-untyped-def]
    """The steps of the calls start, ..., stop - 1: in each pass over a row's entries in an order drawn anew."""
    mine, visits, table, biases, phi = histories.items, histories.visits, items.vectors, items.biases, items.phi
    of_urn, thresholds, dim = urn.items, urn.thresholds, np.uint64(len(table) // len(biases))
    has, offered, counter = np.zeros(len(biases), np.uint8), np.empty(rule.candidates, np.int32), np.empty(1, np.uint64)
    for call in range(start, stop):
        first, end, x = calls.first[call], calls.end[call], np.uint64(calls.rows[call]) * dim
        counter[0] = calls.seeds[call]
        for k in range(first, end):
            has[mine[k]] = 1
        loss, product = 0.0, 1.0
        passes = max(rule.passes, rule.least // max(1, end - first))
        for turn in range(passes):
            lr = rule.lr * np.float32(passes - turn) / np.float32(passes)
            for k in range(end - 1, first - 1, -1):
                other = first + below(counter, k - first + 1)
                i, times = mine[other], visits[other]
                mine[other], visits[other] = mine[k], visits[k]
                mine[k], visits[k] = i, times
                for _ in range(int(times + fraction(counter))):
                    n = _offer(offered, has, of_urn, thresholds, counter)
                    tally[1] += 1
                    tally[2] += n == 0
                    if n == 0:
                        continue
                    score = _score(users, x, table, i, dim) + biases[i]
                    if rule.warp:
                        at, ahead = _violation(score, users, x, table, biases, dim, offered, n)
                        pull = phi[max(1, calls.free[call] // (at + 1))] if ahead < 1 else np.float32(0)
                        loss += pull * (ONE - ahead)
                    else:
                        at, ahead = _highest(score, users, x, table, biases, dim, offered, n)
                        pull = ONE / (ONE + np.exp(min(max(ahead, -STEEPEST), STEEPEST)))
                        product *= 1.0 - pull
                        if product < 1e-200:  # one logarithm for many steps
                            loss -= np.log(product)
                            product = 1.0
                    if pull > 0 and rule.teaches:
                        _step(users, x, i, offered[at], lr * pull, table, biases, dim, ONE - lr * rule.l2)
                    elif pull > 0:
                        _step_alone(users, x, i, offered[at], lr * pull, table, dim, ONE - lr * rule.l2)
        tally[0] += loss - np.log(product)
        for k in range(first, end):
            has[mine[k]] = 0


@njit(cache=True, nogil=True)
def _offer(offered, has, items, thresholds, counter):  # type: ignore[no-untyped-def]
    """Draw items that the user has not into `offered`; returns how many, fewer where TRIES draws in a row were had."""
    n, failed = 0, 0
    while n < len(offered) and failed < TRIES:
        j = drawn(counter, items, thresholds)
        offered[n] = j
        n += 1 - int(has[j])
        failed = (failed + 1) * int(has[j])
    return n


@njit(cache=True, nogil=True)
def _highest(score, users, x, table, biases, dim, offered, n):  # type: ignore[no-untyped-def]
    """Where the highest scored of the n offered items stands, and how far ahead of it `score` is."""
    best, highest = 0, np.float32(-np.inf)
    for at in range(n):
        its = _score(users, x, table, offered[at], dim) + biases[offered[at]]
        if its > highest:
            best, highest = at, its
    return best, score - highest


@njit(cache=True, nogil=True)
def _violation(score, users, x, table, biases, dim, offered, n):  # type: ignore[no-untyped-def]
    """Where the first of the n offered items stands that `score` leads by less than 1, or the last, and its lead."""
    at = 0
    ahead = score - _score(users, x, table, offered[0], dim) - biases[offered[0]]
    while ahead >= 1 and at + 1 < n:
        at += 1
        ahead = score - _score(users, x, table, offered[at], dim) - biases[offered[at]]
    return at, ahead


@njit(cache=True, nogil=True, fastmath=_SUMS)
def _score(users, x, table, i, dim):  # type: ignore[no-untyped-def]
    total, y = np.float32(0), np.uint64(i) * dim
    for d in range(dim):
        total += users[x + d] * table[y + d]
    return total


@njit(cache=True, nogil=True, fastmath=_SUMS)
def _step(users, x, i, j, move, table, biases, dim, keep):  # type: ignore[no-untyped-def]
    y, z = np.uint64(i) * dim, np.uint64(j) * dim
    for d in range(dim):
        now, up, down = users[x + d], table[y + d], table[z + d]
        users[x + d] = keep * now + move * (up - down)
        table[y + d] = keep * up + move * now
        table[z + d] = keep * down - move * now
    biases[i] = keep * biases[i] + move
    biases[j] = keep * biases[j] - move


@njit(cache=True, nogil=True, fastmath=_SUMS)
def _step_alone(users, x, i, j, move, table, dim, keep):  # type: ignore[no-untyped-def]
    """The user's part of a step."""
    y, z = np.uint64(i) * dim, np.uint64(j) * dim
    for d in range(dim):
        users[x + d] = keep * users[x + d] + move * (table[y + d] - table[z + d])
