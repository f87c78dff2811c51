"""Random draws inside kernels: a counter hashed to 64 bits, and items drawn in proportion to their weights.

Every caller seeds a counter of its own, so what is drawn hangs on that seed and on how much was drawn from it, never
on the thread or on what other callers do.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

WHOLE = np.uint64(1 << 32)
_LOW, _HALF = np.uint64((1 << 32) - 1), np.uint64(32)
_STEP = np.uint64(0x9E3779B97F4A7C15)
_FRACTION = np.float32(2.0**-24)


class Urn(NamedTuple):
    """Place p of n holds items[p] for draws below its threshold, and items[n + p] for the rest."""

    items: NDArray[np.int32]  # (2 n,)
    thresholds: NDArray[np.uint64]  # (n,) of WHOLE


def urn(items: NDArray[np.integer], weights: NDArray[np.float64]) -> Urn:
    """Items (n,), to be drawn in proportion to positive weights (n,), each draw in constant time.

    The alias method: Vose, A linear algorithm for generating random numbers with a given distribution, 1991.
    """
    thresholds, other = np.full(len(items), WHOLE), np.arange(len(items))
    if len(items):
        _fill_up(weights * (len(items) / weights.sum()), thresholds, other)
    return Urn(np.concatenate([items, items[other]]).astype(np.int32), thresholds)


def fingerprints(
    indptr: NDArray[np.int64], items: NDArray[np.int32], values: NDArray[np.float32]
) -> NDArray[np.uint64]:
    """(R,) 64 bits for each row's set of items and their values, as good as never equal for other rows."""
    out = np.empty(len(indptr) - 1, np.uint64)
    _hash_rows(indptr, items, values.view(np.uint32), out)
    return out


@njit(cache=True, nogil=True)
def _hash_rows(indptr, items, bits, out):  # type: ignore[no-untyped-def]
    for row in range(len(out)):
        total = np.uint64(0)
        for k in range(indptr[row], indptr[row + 1]):
            total += mixed((np.uint64(items[k]) << _HALF) | np.uint64(bits[k]))
        out[row] = mixed(total)


@njit(cache=True, nogil=True)
def _fill_up(shares, thresholds, other):  # type: ignore[no-untyped-def]
    """Fill each place that has less than one share from one that has more."""
    n = len(shares)
    small, large, n_small, n_large = np.empty(n, np.int64), np.empty(n, np.int64), 0, 0
    for place in range(n):
        if shares[place] < 1:
            small[n_small] = place
            n_small += 1
        else:
            large[n_large] = place
            n_large += 1
    while n_small and n_large:
        n_small -= 1
        needy, giver = small[n_small], large[n_large - 1]
        thresholds[needy] = np.uint64(shares[needy] * WHOLE)
        other[needy] = giver
        shares[giver] -= 1 - shares[needy]
        if shares[giver] < 1:
            n_large -= 1
            small[n_small] = giver
            n_small += 1


@njit(cache=True, nogil=True)
def mixed(z):  # type: ignore[no-untyped-def]
    """The finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): each bit in changes half the bits out."""
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@njit(cache=True, nogil=True)
def bits(counter):  # type: ignore[no-untyped-def]
    """64 random bits; counter (1,) moves on."""
    counter[0] += _STEP
    return mixed(counter[0])


@njit(cache=True, nogil=True)
def below(counter, n):  # type: ignore[no-untyped-def]
    """A whole number from 0 to n - 1, for n below 2^32."""
    return np.int64(((bits(counter) >> _HALF) * np.uint64(n)) >> _HALF)


@njit(cache=True, nogil=True)
def fraction(counter):  # type: ignore[no-untyped-def]
    """A float32 in [0, 1)."""
    return np.float32(bits(counter) >> np.uint64(40)) * _FRACTION


@njit(cache=True, nogil=True)
def drawn(counter, items, thresholds):  # type: ignore[no-untyped-def]
    """An item out of the urn of these two."""
    z = bits(counter)
    n = np.uint64(len(thresholds))
    place = ((z >> _HALF) * n) >> _HALF
    return items[place + n * np.uint64((z & _LOW) >= thresholds[place])]
