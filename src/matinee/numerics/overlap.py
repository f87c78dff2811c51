"""How much a history has in common with every user of a log, by the lists of who had each of its items.

Only users who share an item are met, one history at a time, in one row of sums a thread: never users by users. A sum
is added up in float64, item by item in ascending order, and rounded once: sums that are equal stay equal, however
items and users are numbered.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.sparse import csr_array

from matinee.contract import Masks
from matinee.numerics.threads import in_pieces
from matinee.numerics.topk import ranked
from matinee.numerics.voting import Log, Rules, vote

ROWS_A_PIECE = 16


class Holders(NamedTuple):
    """Who had an item: the columns of a matrix of U rows and I columns. 8 bytes an entry, 4 where all values are 1."""

    item_ptr: NDArray[np.int64]  # (I + 1,)
    users: NDArray[np.int32]  # (n,)  by item, ascending
    values: NDArray[np.float32]  # (n,) or, where all are 1, (0,)
    weights: NDArray[np.float64]  # (I,)  an entry counts as value x weight of its item
    squares: NDArray[np.float64]  # (U,)  the squared length of each row


class Measure(NamedTuple):
    """How near two rows are."""

    jaccard: bool
    """x.y / (x.x + y.y - x.y), which for sets is the share of both; else the cosine."""
    shrink: float
    """Times c / (c + shrink), where c is the number of items that both have."""


class Asked(NamedTuple):
    """The histories that are compared with the log, and their rows in it."""

    rows: NDArray[np.int64]  # (B,)  -1 for somebody who has none
    indptr: NDArray[np.int64]  # (B + 1,)
    items: NDArray[np.int32]  # (n,)  ascending within a row
    values: NDArray[np.float32]  # (n,)


def holders(matrix: csr_array, weights: NDArray[np.float64]) -> Holders:
    """matrix (U, I) and the weight of each of its columns (I,)."""
    by_item = matrix.tocsc()
    lengths = np.square(matrix.data * weights[matrix.indices], dtype=np.float64)
    owners = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    return Holders(
        by_item.indptr.astype(np.int64, copy=False),
        by_item.indices.astype(np.int32, copy=False),
        np.empty(0, np.float32) if bool(np.all(matrix.data == 1)) else by_item.data.astype(np.float32, copy=False),
        weights,
        np.bincount(owners, weights=lengths, minlength=matrix.shape[0]).astype(np.float64, copy=False),
    )


def scores(asked: Asked, by_item: Holders, measure: Measure, log: Log, rules: Rules) -> NDArray[np.float32]:
    """(B, I) what the nearest users say."""
    out = np.zeros((len(asked.rows), len(by_item.weights)), np.float32)

    def rows(start: int, stop: int) -> None:
        _vote_rows(start, stop, *asked, *by_item, *measure, *log, *rules, out[start:stop])

    in_pieces(rows, len(out), ROWS_A_PIECE)
    return out


def top(
    asked: Asked, by_item: Holders, measure: Measure, log: Log, rules: Rules, k: int, masks: Masks
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """The K best of `scores` for each row, without writing (B, I). Raises as `ranking.topk.top_k` does."""

    def write(start: int, stop: int, out: NDArray[np.float32]) -> None:
        _vote_rows(start, stop, *asked, *by_item, *measure, *log, *rules, out)

    return ranked(write, len(asked.rows), len(by_item.weights), k, masks, ROWS_A_PIECE)


@njit(cache=True, nogil=True, error_model="numpy")
def _vote_rows(  # type: ignore[no-untyped-def]
    start, stop, rows, indptr, items, values, item_ptr, users, held, weights, squares, jaccard, shrink,
    log_ptr, log_items, log_values, worth, neighbours, power, plain, normalise, out
):  # fmt: skip
    n_users = len(squares)
    products = np.zeros(n_users, np.float64)
    shared = np.zeros(n_users if shrink > 0 else 0, np.int32)
    voters, sums, near = np.empty(n_users, np.int32), np.empty(n_users, np.float64), np.empty(n_users, np.float32)
    places = min(neighbours, n_users)
    best, best_users = np.empty(places, np.float32), np.empty(places, np.int32)
    votes = np.empty(len(weights), np.float64)
    for row in range(start, stop):
        mine = slice(indptr[row], indptr[row + 1])
        square, met = _meet(items[mine], values[mine], item_ptr, users, held, weights, products, shared)
        if rows[row] >= 0:  # nobody is his own neighbour
            products[rows[row]] = 0
            shared[rows[row] : rows[row] + 1] = 0
        n = _gather(items[mine], met, item_ptr, users, products, voters, sums)
        _compare(voters, sums, n, square, squares, jaccard, shrink, shared, near)
        vote(voters, near, n, neighbours, power, plain, normalise, log_ptr, log_items, log_values, worth, best,
             best_users, votes, out[row - start])  # fmt: skip


@njit(cache=True, nogil=True)
def _meet(items, values, item_ptr, users, held, weights, products, shared):  # type: ignore[no-untyped-def]
    """products (U,) += the history . each row, shared (U,) or (0,) += items in common; returns history . history,
    and how many entries were met."""
    square, met = 0.0, 0
    for j in range(len(items)):
        item = items[j]
        own = values[j] * weights[item]
        square += own * own
        own *= weights[item]
        start, stop = item_ptr[item], item_ptr[item + 1]
        met += stop - start
        if len(held):
            for place in range(start, stop):
                products[users[place]] += own * held[place]
        else:
            for place in range(start, stop):
                products[users[place]] += own
        if len(shared):
            for place in range(start, stop):
                shared[users[place]] += 1
    return square, met


@njit(cache=True, nogil=True)
def _gather(items, met, item_ptr, users, products, voters, sums):  # type: ignore[no-untyped-def]
    """Everybody with a product above 0 into voters, the product into sums; clears products and returns how many."""
    n = 0
    if met < len(products):  # few were met: they are found again faster than all are looked at
        for item in items:
            for place in range(item_ptr[item], item_ptr[item + 1]):
                user = users[place]
                if products[user] > 0:
                    voters[n], sums[n] = user, products[user]
                    products[user] = 0
                    n += 1
        return n
    for user in range(len(products)):
        if products[user] > 0:
            voters[n], sums[n] = user, products[user]
            products[user] = 0
            n += 1
    return n


@njit(cache=True, nogil=True, error_model="numpy")
def _compare(voters, sums, n, square, squares, jaccard, shrink, shared, near):  # type: ignore[no-untyped-def]
    """near[:n] from the products in sums[:n]; clears what was shared."""
    for at in range(n):
        other = squares[voters[at]]
        near[at] = sums[at] / (square + other - sums[at] if jaccard else np.sqrt(square * other))
    if shrink > 0:
        for at in range(n):
            both = shared[voters[at]]
            near[at] *= both / (both + shrink)
            shared[voters[at]] = 0
