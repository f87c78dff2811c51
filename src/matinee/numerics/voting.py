"""Who is nearest to somebody, and what these say: the half of neighbour models that does not ask how near is measured.

Who stands at the edge of a neighbourhood is not told by row numbers: where several are equally near and not all of
them fit, they share the places that are left, so that N places vote whatever the users are called.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from matinee.numerics.topk import offer


class Rules(NamedTuple):
    """How the nearest vote."""

    neighbours: int
    power: float
    """A vote weighs similarity^power; 0: all weigh the same."""
    plain: bool
    """Each item of a neighbour counts 1, whatever the confidence."""
    normalise: bool
    """Divide by the sum of the weights."""


class Log(NamedTuple):
    """What the voters had: a matrix of U rows and I columns."""

    indptr: NDArray[np.int64]  # (U + 1,)
    items: NDArray[np.int32]  # (n,)  ascending within a row
    values: NDArray[np.float32]  # (n,) or, where all are 1, (0,)
    worth: NDArray[np.float64]  # (I,)  what the votes for an item are multiplied by


@njit(cache=True, nogil=True, error_model="numpy")
def vote(  # type: ignore[no-untyped-def]
    voters, near, n, neighbours, power, plain, normalise, indptr, items, values, worth, best, held, votes, out
):
    """out (I,) = the votes of the nearest of voters[:n], whose similarities near[:n] are all above 0.

    best (N,) float32, held (N,) int32 and votes (I,) float64 are room to work in.
    """
    least, share = _edge(near, n, neighbours, best, held)
    votes[:] = 0
    total = 0.0
    for at in range(n):
        if near[at] < least:
            continue
        weight = np.float64(near[at]) ** power if power != 1 else np.float64(near[at])
        if near[at] == least:
            weight *= share
        total += weight
        for place in range(indptr[voters[at]], indptr[voters[at] + 1]):
            votes[items[place]] += weight if plain or len(values) == 0 else weight * values[place]
    scale = 1 / total if normalise and total > 0 else 1.0
    for item in range(len(out)):
        out[item] = votes[item] * scale * worth[item]


@njit(cache=True, nogil=True, error_model="numpy")
def _edge(near, n, neighbours, best, held):  # type: ignore[no-untyped-def]
    """The similarity of the last place, and what part of a place each of those who have it gets."""
    if n <= neighbours:
        return np.float32(0), 1.0
    size, least = 0, np.float32(-np.inf)
    for at in range(n):
        if near[at] > least:
            size = offer(best, held, size, neighbours, near[at], at)
            if size == neighbours:
                least = best[0]
    above, level = 0, 0
    for at in range(n):
        above += near[at] > least
        level += near[at] == least
    return least, (neighbours - above) / level
