"""FISM's gradients for a batch of users at once.

A user's positives and the negatives drawn for them are looked at together: the history's vector is summed once, and
each positive takes its own part out again. First each user's errors are found, users shared out to threads; then each
item's gradient is summed over its samples in their order, items shared out to threads. Nobody adds to what somebody
else adds to, so the bits do not depend on the number of threads.
Letters: b users in a batch, n of their history entries, S = 1 + negatives.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.sparse import csr_array

from matinee.numerics.threads import in_pieces

USERS_A_PIECE = 8
ITEMS_A_PIECE = 64
TRIES = 64
"""Draws for a negative before somebody who had nearly everything goes without it."""

# A sum over D may be taken in the order that vector instructions like; that order is fixed when the kernel is compiled.
_SUMS = {"contract", "reassoc", "nsz"}

Table = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Tables:
    """What is learned, or the gradient of it."""

    encode: Table  # (I, D)
    decode: Table  # (I, D)
    bias: Table  # (I, 1)
    user_bias: Table  # (U, 1)

    def __iter__(self) -> Iterator[Table]:
        return iter((self.encode, self.decode, self.bias, self.user_bias))


@dataclass(frozen=True, eq=False)
class Batch:
    users: NDArray[np.int64]  # (b,)
    starts: NDArray[np.int64]  # (b + 1,)  user m has the entries starts[m]:starts[m + 1]
    samples: NDArray[np.int32]  # (n, S)  the item of the entry, then the negatives; -1 for one that was not found
    weights: NDArray[np.float32]  # (n,)  confidence of the entry


def drawn(matrix: csr_array, users: NDArray[np.int64], negatives: int, key: int) -> Batch:
    """The entries of `users` in matrix (U, I), with items none of them had, alike likely, for every entry.

    What is drawn for a user hangs on `key` and the user alone.
    """
    indptr, items = matrix.indptr.astype(np.int64, copy=False), matrix.indices
    starts = np.append(0, np.cumsum(indptr[users + 1] - indptr[users]))
    samples, weights = np.empty((starts[-1], 1 + negatives), np.int32), np.empty(starts[-1], np.float32)
    word = np.uint64(key)

    def rows(start: int, stop: int) -> None:
        _draw_rows(start, stop, users, starts, indptr, items, matrix.data, matrix.shape[1], word, samples, weights)

    in_pieces(rows, len(users), USERS_A_PIECE)
    return Batch(users, starts, samples, weights)


def gradients(tables: Tables, batch: Batch, *, exponent: float, pairwise: bool, l2: float) -> tuple[float, Tables]:
    """What the batch loses, and the gradient of that in each table; that of `user_bias` is (b, 1), for its users alone.

    With r(i, j) = bias_i + decode_i . m^-exponent sum of c_k encode_k over the m items k of the history other than j,
    c the weights, i an entry and j a negative drawn for it, the loss is half the sum of

        c_i (1 - r(i, i) - b_u)^2 + (r(j, none) + b_u)^2                         one by one
        c_i (1 - r(i, i) + r(j, i))^2                                          `pairwise`

    and of l2 (|decode_s|^2 + bias_s^2) for every sample s, l2 |encode_i|^2 for every entry, l2 b_u^2 for every user.
    """
    n_items, dim = tables.encode.shape
    b = len(batch.users)
    sums, pulls = np.zeros((b, dim), np.float32), np.zeros((b, dim), np.float32)
    errors, losses = np.zeros(batch.samples.shape, np.float32), np.zeros(b + n_items)
    out = Tables(np.zeros_like(tables.encode), np.zeros_like(tables.decode), np.zeros_like(tables.bias),
                 np.zeros((b, 1), np.float32))
    norms = _norms(batch.starts, exponent)
    shrink = np.float32(l2)

    # Flat, as a kernel that takes one row of a table after the other out would count references for half its time.
    encode, decode, bias, user_bias = (table.reshape(-1) for table in tables)
    of_encode, of_decode, of_bias, of_user_bias = (table.reshape(-1) for table in out)

    def of_users(start: int, stop: int) -> None:
        _user_rows(start, stop, batch.users, batch.starts, batch.samples, batch.weights, encode, decode,
                   bias, user_bias, norms, pairwise, shrink, sums.reshape(-1), pulls.reshape(-1), errors,
                   of_user_bias, losses)

    in_pieces(of_users, b, USERS_A_PIECE)
    at, order = _by_item(batch.samples.reshape(-1), n_items)
    owners = np.repeat(np.arange(b), np.diff(batch.starts))

    def of_items(start: int, stop: int) -> None:
        _item_rows(start, stop, at, order, owners, batch.samples, batch.weights, encode, decode, bias, norms,
                   pairwise, shrink, sums.reshape(-1), pulls.reshape(-1), errors, of_encode, of_decode, of_bias,
                   losses[b:])

    in_pieces(of_items, n_items, ITEMS_A_PIECE)
    return float(losses.sum()), out


def _norms(starts: NDArray[np.int64], exponent: float) -> Table:
    """(b, 2) m^-exponent for the history without the entry and with it; 0 for a sum of nothing."""
    counts = np.diff(starts)[:, None] - np.array([1, 0])
    return np.where(counts > 0, np.maximum(counts, 1) ** -float(exponent), 0).astype(np.float32)


@njit(cache=True, nogil=True)
def _next(state):  # type: ignore[no-untyped-def]
    """SplitMix64 (Steele, Lea, Flood, OOPSLA 2014): the next state, and 64 random bits."""
    state += np.uint64(0x9E3779B97F4A7C15)
    z = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state, z ^ (z >> np.uint64(31))


@njit(cache=True, nogil=True)
def _draw_rows(  # type: ignore[no-untyped-def]
    start, stop, users, starts, indptr, items, values, n_items, key, samples, weights
):
    had = np.zeros(n_items, np.bool_)
    for m in range(start, stop):
        user = users[m]
        mine = items[indptr[user] : indptr[user + 1]]
        for item in mine:
            had[item] = True
        _, state = _next(key ^ (np.uint64(user) * np.uint64(0xD1342543DE82EF95)))
        for e in range(len(mine)):
            at = starts[m] + e
            samples[at, 0], weights[at] = mine[e], values[indptr[user] + e]
            for s in range(1, samples.shape[1]):
                samples[at, s] = -1
                for _ in range(TRIES):
                    state, bits = _next(state)
                    item = np.int64(((bits >> np.uint64(32)) * np.uint64(n_items)) >> np.uint64(32))
                    if not had[item]:
                        samples[at, s] = item
                        break
        for item in mine:
            had[item] = False


@njit(cache=True, nogil=True)
def _by_item(samples, n_items):  # type: ignore[no-untyped-def]
    """Where in `order` each item's samples stand (I + 1,), and the samples by item, each item's in their order."""
    at = np.zeros(n_items + 2, np.int64)
    for item in samples:
        if item >= 0:
            at[item + 2] += 1
    for item in range(n_items):
        at[item + 2] += at[item + 1]
    order = np.empty(at[n_items + 1], np.int64)
    for place in range(len(samples)):
        if samples[place] >= 0:
            order[at[samples[place] + 1]] = place
            at[samples[place] + 1] += 1
    return at[: n_items + 1], order


@njit(cache=True, nogil=True, fastmath=_SUMS)
def _dot(x, at, y, to, dim):  # type: ignore[no-untyped-def]
    """Row `at` of x times row `to` of y. Unsigned positions spare a test for negative ones."""
    a, b, total = np.uint64(at) * dim, np.uint64(to) * dim, np.float32(0)
    for d in range(dim):
        total += x[a + d] * y[b + d]
    return total


@njit(cache=True, nogil=True, fastmath=_SUMS)
def _add(weight, x, at, out, to, dim):  # type: ignore[no-untyped-def]
    """Row `to` of out += weight x row `at` of x."""
    a, b = np.uint64(at) * dim, np.uint64(to) * dim
    for d in range(dim):
        out[b + d] += weight * x[a + d]


@njit(cache=True, nogil=True, fastmath=_SUMS)
def _user_rows(  # type: ignore[no-untyped-def]
    start, stop, users, starts, samples, weights, encode, decode, bias, user_bias, norms, pairwise, l2, sums, pulls,
    errors, user_out, losses
):
    """Each user's sum of encoded items, the error of each sample, and what the errors pull that sum towards."""
    dim = np.uint64(len(sums) // len(users))
    rest = np.empty(dim, np.float32)  # the sum without the entry's own part
    for m in range(start, stop):
        mine, without, whole = user_bias[users[m]], norms[m, 0], norms[m, 1]
        for e in range(starts[m], starts[m + 1]):
            _add(weights[e], encode, samples[e, 0], sums, m, dim)
        lost, all_errors = np.float64(l2 * mine * mine), np.float32(0)
        for e in range(starts[m], starts[m + 1]):
            item, c = samples[e, 0], weights[e]
            for d in range(dim):
                rest[d] = without * sums[np.uint64(m) * dim + d]
            _add(-without * c, encode, item, rest, 0, dim)
            score = _dot(rest, 0, decode, item, dim) + bias[item]
            if not pairwise:
                errors[e, 0] = c * (1 - score - mine)
                lost += c * (1 - score - mine) ** 2
                all_errors += errors[e, 0]
            for s in range(1, samples.shape[1]):
                other = samples[e, s]
                if other < 0:
                    continue
                if pairwise:
                    gap = 1 - score + _dot(rest, 0, decode, other, dim) + bias[other]
                    errors[e, 0] += c * gap
                    errors[e, s] = -c * gap
                    lost += c * gap**2
                    _add(-c * gap * without, decode, other, pulls, m, dim)
                else:
                    guess = whole * _dot(sums, m, decode, other, dim) + bias[other] + mine
                    errors[e, s] = -guess
                    lost += guess**2
                    all_errors -= guess
                    _add(-guess * whole, decode, other, pulls, m, dim)
            _add(errors[e, 0] * without, decode, item, pulls, m, dim)
        user_out[m] = l2 * mine - all_errors
        losses[m] = lost / 2


@njit(cache=True, nogil=True, fastmath=_SUMS)
def _item_rows(  # type: ignore[no-untyped-def]
    start, stop, at, order, owners, samples, weights, encode, decode, bias, norms, pairwise, l2, sums, pulls, errors,
    encode_out, decode_out, bias_out, losses
):
    """Each item's gradients, and what its own numbers cost by l2."""
    width, dim = samples.shape[1], np.uint64(len(sums) // len(norms))
    for item in range(start, stop):
        entries = 0
        for position in range(at[item], at[item + 1]):
            e, s = order[position] // width, order[position] % width
            m, c, error = owners[e], weights[e], errors[e, s]
            bias_out[item] -= error
            if s > 0 and not pairwise:
                _add(-error * norms[m, 1], sums, m, decode_out, item, dim)
                continue
            _add(-error * norms[m, 0], sums, m, decode_out, item, dim)
            _add(error * norms[m, 0] * c, encode, samples[e, 0], decode_out, item, dim)  # it was not in that sum
            if s == 0:
                entries += 1
                _add(-c, pulls, m, encode_out, item, dim)
                for r in range(width if pairwise else 1):
                    if samples[e, r] >= 0:
                        _add(c * errors[e, r] * norms[m, 0], decode, samples[e, r], encode_out, item, dim)
        of_decode, of_encode = l2 * np.float32(at[item + 1] - at[item]), l2 * np.float32(entries)
        bias_out[item] += of_decode * bias[item]
        _add(of_decode, decode, item, decode_out, item, dim)
        _add(of_encode, encode, item, encode_out, item, dim)
        lost = of_decode * (_dot(decode, item, decode, item, dim) + bias[item] ** 2)
        losses[item] = (lost + of_encode * _dot(encode, item, encode, item, dim)) / 2
