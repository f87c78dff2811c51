"""How far a mean over users would move with other users: the percentile bootstrap (Efron 1979).

Users are drawn anew with replacement. The draws depend on the seed and the number of users alone, so all metrics,
segments and models of a stage share them, and the difference of two models is paired. Values are put on a fixed grid
first (V values share 52 bits), which makes every sum exact: no thread count and no BLAS changes a bit.

Letters: V users, C columns, R resamples. Time: R V draws and a product of R V C; memory: V C and blocks of 16 MB.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from matinee.numerics.threads import limited

RESAMPLES = 1000
_TAILS = (0.025, 0.975)
_STREAM = 0xB007  # apart from whatever else is drawn from the same seed
_BLOCK = 2_000_000  # counts held at once


def mean(values: NDArray[np.float64]) -> float:
    """The mean of (V,), V > 0, rounded once: the order of the users does not change a bit."""
    return math.fsum(values.tolist()) / len(values)


def intervals(
    groups: Sequence[tuple[NDArray[np.int64], NDArray[np.float64]]],
    n_users: int,
    seed: int,
    resamples: int = RESAMPLES,
) -> list[NDArray[np.float64] | None]:
    """95 % intervals of the mean of each column, for groups of the same users.

    A group is positions (v,) among the `n_users` and values (v, M); its result is (M, 2), low and high. A group of
    fewer than two users has no interval. A resample without anybody of a group says nothing of it and is left out.
    """
    ends = np.cumsum([0, *(values.shape[1] + 1 for _, values in groups)])
    columns = np.zeros((n_users, ends[-1]))
    for start, end, (rows, values) in zip(ends[:-1], ends[1:], groups, strict=True):
        columns[rows, start : end - 1] = values
        columns[rows, end - 1] = 1
    sums = resampled_sums(columns, seed, resamples)
    results: list[NDArray[np.float64] | None] = []
    for start, end, (rows, values) in zip(ends[:-1], ends[1:], groups, strict=True):
        met = sums[:, end - 1] > 0
        means = sums[met, start : end - 1] / sums[met, end - 1 : end]
        results.append(_interval(means, values) if len(rows) > 1 and met.any() else None)
    return results


def resampled_sums(columns: NDArray[np.float64], seed: int, resamples: int = RESAMPLES) -> NDArray[np.float64]:
    """columns (V, C) -> (R, C): their sums over V users drawn with replacement, R times."""
    n_users = len(columns)
    exact = _on_grid(columns)
    draws = np.random.default_rng([_STREAM, seed])
    sums = np.empty((resamples, columns.shape[1]))
    at_once = max(1, _BLOCK // n_users)
    with limited(1):  # the draws take longer than the products, and BLAS threads that wait for a busy core far longer
        for start in range(0, resamples, at_once):
            counts = np.empty((min(at_once, resamples - start), n_users))
            for times_drawn in counts:
                times_drawn[:] = np.bincount(draws.integers(0, n_users, n_users, np.uint32), minlength=n_users)
            sums[start : start + at_once] = counts @ exact
    return sums


def percentiles(samples: NDArray[np.float64]) -> NDArray[np.float64]:
    """(R, M) -> (M, 2): the ends of the middle 95 %."""
    return np.quantile(samples, _TAILS, axis=0).T


def _interval(means: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The percentiles of (R, M), widened where need be to hold the mean itself."""
    centre = np.array([mean(column) for column in values.T])
    low, high = percentiles(means).T
    return np.stack([np.minimum(low, centre), np.maximum(high, centre)], axis=1)


def _on_grid(columns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rounded so that V values, each as often as it may be drawn, have a sum that float64 holds exactly."""
    _, exponents = np.frexp(np.abs(columns).max(axis=0))
    shift = 52 - math.ceil(math.log2(len(columns))) - exponents
    return np.asarray(np.ldexp(np.rint(np.ldexp(columns, shift)), -shift))
