"""Items that a user has not, drawn by their popularity to a power: what a sampled loss sets the right item against."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from matinee.data.candidates import Candidates
from matinee.data.interactions import Interactions
from matinee.errors import DataError
from matinee.numerics import draws
from matinee.numerics.membership import has

ROUNDS = 16
"""Of drawing own items again; what is left then is drawn from the exact rest, one user at a time."""


class Sampler:
    """Draws item i with probability proportional to counts_i^alpha; an item that nobody had is never drawn."""

    def __init__(self, counts: NDArray[np.integer], alpha: float) -> None:
        """counts (I,): 0 for an item that is not to be drawn. alpha 0: all others alike; 1: by popularity."""
        self.items = np.flatnonzero(counts > 0)
        weights = counts[self.items].astype(np.float64) ** alpha
        self.share = np.zeros(len(counts))
        """(I,) the probability of each item."""
        self.share[self.items] = weights / max(weights.sum(), np.finfo(float).tiny)
        with np.errstate(divide="ignore"):
            self.log_q: NDArray[np.float32] = np.log(self.share).astype(np.float32)
            """(I,) its logarithm, -inf where it is 0."""
        self.even = alpha == 0
        self.urn = draws.urn(self.items, weights)

    def draw(self, shape: int | tuple[int, ...], rng: np.random.Generator) -> NDArray[np.int64]:
        """Raises DataError (`no-items`) where nobody has had anything."""
        n = len(self.items)
        if n == 0:
            raise DataError("no-items", "there is no item to draw as a negative", "give a log with events")
        places = rng.integers(0, n, shape)
        if self.even:
            return self.items[places]
        above = rng.integers(0, int(draws.WHOLE), shape, np.uint64) >= self.urn.thresholds[places]
        return self.urn.items[places + n * above].astype(np.int64)


def unseen(
    sampler: Sampler, log: Interactions, users: NDArray[np.int64], k: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """users (N,) -> (N, k) items that the user of the row has not in `log`, by the shares of those that are left.

    -1 where a user has all that can be drawn: there is no negative then, and none is allowed.
    """
    owned, rows = _owned(log, users)
    out = sampler.draw((len(users), k), rng)
    wrong = np.flatnonzero(has(owned, rows, out))
    for _ in range(ROUNDS):
        if len(wrong) == 0:
            return out
        again = sampler.draw((len(wrong), 1), rng)
        out.reshape(-1)[wrong] = again[:, 0]
        wrong = wrong[has(owned, rows[wrong // k], again)[:, 0]]
    of_row = rows[wrong // k]
    for row in np.unique(of_row):
        out.reshape(-1)[wrong[of_row == row]] = _from_the_rest(sampler, owned[[row]], int((of_row == row).sum()), rng)
    return out


def of_candidates(
    candidates: Candidates, users: NDArray[np.int64], k: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """users (N,) -> (N, k) of the candidates of each, all alike; -1 where he has none."""
    if len(candidates) == 0:
        return np.full((len(users), k), -1, np.int64)
    distinct, of_user = np.unique(users, return_inverse=True)
    own = np.minimum(np.searchsorted(candidates.users, distinct), len(candidates) - 1)
    found = np.where(candidates.users[own] == distinct, (candidates.items[own] >= 0).sum(axis=1), 0)
    rows, counts = own[of_user], found[of_user]
    places = (rng.random((len(users), k)) * counts[:, None]).astype(np.int64)
    return np.where(counts[:, None] > 0, candidates.items[rows[:, None], places], -1).astype(np.int64)


def shared_allowed(
    log: Interactions, users: NDArray[np.int64], negatives: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """users (B,), negatives (k,) that all of them share -> (B, k), false where the user has the item in `log`."""
    owned, rows = _owned(log, users)
    return ~has(owned, rows, negatives)


def _owned(log: Interactions, users: NDArray[np.int64]) -> tuple[csr_array, NDArray[np.int64]]:
    """The items of the distinct users, and the row of each of `users` in them."""
    distinct, rows = np.unique(users, return_inverse=True)
    return log.take(distinct).matrix(), rows.astype(np.int64)


def _from_the_rest(sampler: Sampler, owned: csr_array, n: int, rng: np.random.Generator) -> NDArray[np.int64]:
    share = sampler.share.copy()
    share[owned.indices] = 0
    total = share.sum()
    return rng.choice(len(share), n, p=share / total) if total > 0 else np.full(n, -1)
