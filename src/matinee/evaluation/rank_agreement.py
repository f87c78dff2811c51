"""Does one order of a few models predict another? Spearman (1904) and Kendall (tau-b, 1938), with how sure that is.

Intervals are percentiles over models drawn anew with replacement. A handful of models in perfect order would have the
interval [1, 1], so there is a p as well: how often an order at random is as far from 0 as this one, by all orders of up
to seven models and by 10,000 of more. Four models have 24 orders, so nothing can be told of fewer than five.

Letters: N models, R resamples. Time and memory: R N^2 products and R N numbers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from matinee.errors import DataError
from matinee.evaluation.uncertainty import percentiles
from matinee.numerics.threads import limited

RESAMPLES = 10_000
ORDERS = 10_000
ALL_ORDERS = 7
"""Of so many models every order is tried: 5,040."""
FEWEST = 5
LEVEL = 0.05
_EQUAL = 1e-12  # two coefficients that are nearer than this are the same one, summed in another order


@dataclass(frozen=True)
class Coefficient:
    value: float  # NaN where one side puts all models level
    low: float  # 95 % interval; NaN where there is none
    high: float
    p: float

    def __str__(self) -> str:
        """`0.87 [0.62, 0.98]`"""
        if math.isnan(self.value):
            return "none"
        return f"{self.value:.2f}" + ("" if math.isnan(self.low) else f" [{self.low:.2f}, {self.high:.2f}]")


@dataclass(frozen=True)
class Agreement:
    n: int
    spearman: Coefficient
    kendall: Coefficient

    @property
    def verdict(self) -> Literal["predicts", "misleads", "cannot tell"]:
        """By Spearman; it speaks only where p < 0.05 and the interval leaves 0 out."""
        one = self.spearman
        if not one.p < LEVEL:
            return "cannot tell"
        return "predicts" if one.low > 0 else "misleads" if one.high < 0 else "cannot tell"


def agreement(one: Sequence[float], other: Sequence[float], seed: int = 0) -> Agreement:
    """Two figures (N,) of the same models in the same order. Raises DataError where they are no such figures."""
    x, y = np.asarray(one, np.float64), np.asarray(other, np.float64)
    if x.shape != y.shape or x.ndim != 1 or not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise DataError("not-comparable", f"{x.size} figures stand beside {y.size}, and all must be finite",
                        "give two figures of each model")
    n = len(x)
    if n < 2:
        nothing = Coefficient(math.nan, math.nan, math.nan, 1.0)
        return Agreement(n, nothing, nothing)
    first = np.lexsort([y, x])  # what is drawn by place must not depend on the order in which models are told
    x, y = x[first], y[first]
    draws = np.random.default_rng([seed, n])
    signs_x, signs_y = np.sign(x[:, None] - x), np.sign(y[:, None] - y)  # (N, N)
    counts = np.stack([np.bincount(draws.integers(0, n, n), minlength=n) for _ in range(RESAMPLES)]).astype(np.float64)
    orders = np.array(list(permutations(range(n)))) if n <= ALL_ORDERS else np.stack(
        [draws.permutation(n) for _ in range(ORDERS)])
    with limited(1):
        (rho,), (tau,) = _coefficients(signs_x, signs_y, np.ones((1, n)))
        resampled = _coefficients(signs_x, signs_y, counts)
        at_random = _at_random(signs_x, signs_y, orders)
    exact = n <= ALL_ORDERS
    found = [_coefficient(float(value), many, null, exact)
             for value, many, null in zip((rho, tau), resampled, at_random, strict=True)]
    return Agreement(n, *found)


def _coefficients(
    signs_x: NDArray[np.float64], signs_y: NDArray[np.float64], counts: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Spearman and Kendall (R,) of models that stand `counts` (R, N) times; NaN where a side is level.

    The row sums of the signs are twice the ranks, but for a constant: rho is the correlation of those.
    """
    ranks_x, ranks_y = counts @ signs_x.T, counts @ signs_y.T  # (R, N); their weighted sums are 0 by antisymmetry
    with np.errstate(invalid="ignore", divide="ignore"):
        rho = _ratio((counts * ranks_x * ranks_y).sum(1), (counts * ranks_x**2).sum(1), (counts * ranks_y**2).sum(1))
        pairs = [((counts @ both) * counts).sum(1) for both in (signs_x * signs_y, signs_x**2, signs_y**2)]
        return rho, _ratio(*pairs)


def _ratio(
    both: NDArray[np.float64], one: NDArray[np.float64], other: NDArray[np.float64]
) -> NDArray[np.float64]:
    return np.clip(both / np.sqrt(one * other), -1, 1)


def _at_random(
    signs_x: NDArray[np.float64], signs_y: NDArray[np.float64], orders: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Both coefficients (P,) with the second side put into each of the orders (P, N)."""
    ranks_x, ranks_y = signs_x.sum(1), signs_y.sum(1)
    with np.errstate(invalid="ignore", divide="ignore"):
        rho = (ranks_x * ranks_y[orders]).sum(1) / math.sqrt(float((ranks_x**2).sum() * (ranks_y**2).sum()) or math.nan)
        scale = math.sqrt(float((signs_x**2).sum() * (signs_y**2).sum()) or math.nan)
        tau = np.array([(signs_x * signs_y[np.ix_(order, order)]).sum() for order in orders]) / scale
    return rho, tau


def _coefficient(
    value: float, resampled: NDArray[np.float64], null: NDArray[np.float64], exact: bool
) -> Coefficient:
    if math.isnan(value):
        return Coefficient(value, math.nan, math.nan, 1.0)
    told = resampled[np.isfinite(resampled)]
    as_far = int((np.abs(null) >= abs(value) - _EQUAL).sum())
    p = as_far / len(null) if exact else (1 + as_far) / (1 + len(null))
    low, high = percentiles(told[:, None])[0] if len(told) else (math.nan, math.nan)
    return Coefficient(value, min(float(low), value), max(float(high), value), p)
