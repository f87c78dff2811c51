"""How often each item will be viewed in the next period, from the periods before: one line for all items.

    forecast_t = intercept + sum over lags k of weight_k views_{t-k},  at least 0;  before the log all views are 0

The averages have their weights given. The autoregression learns them by ridge regression over all items and periods:
it takes the least mean squared error + l2 x the lags' mean variance x |weights|^2.

Views are whole numbers, so the sums that the regression starts from are exact in float64 and the same bits in any
order, with any number of threads.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Views = NDArray[np.int64]  # (P, I)


@dataclass(frozen=True)
class Line:
    lags: tuple[int, ...]
    weights: tuple[float, ...]
    intercept: float = 0.0

    def ahead(self, views: Views) -> NDArray[np.float64]:
        """(I,) the forecast of the period after the last of `views`."""
        out = np.full(views.shape[1], self.intercept)
        for lag, weight in zip(self.lags, self.weights, strict=True):
            if lag <= len(views):
                out += weight * views[-lag]
        out[out < 0] = 0
        return out


NAIVE = Line((1,), (1.0,))
"""The next period is as the last."""


def moving_average(n: int) -> Line:
    """The mean of the last n periods."""
    return Line(tuple(range(1, n + 1)), (1 / n,) * n)


def weighted_moving_average(n: int) -> Line:
    """The mean of the last n periods, weighted n, n - 1, ..., 1 from the newest back."""
    return Line(tuple(range(1, n + 1)), tuple((n - k) / (n * (n + 1) / 2) for k in range(n)))


@dataclass
class Regression:
    """The sums that the autoregression needs, over as many periods as were added."""

    lags: tuple[int, ...]
    l2: float
    n: int = 0
    sums: NDArray[np.float64] = field(init=False)  # (K + 1,)  of the views to be forecast, and of each lag's
    products: NDArray[np.float64] = field(init=False)  # (K + 1, K + 1)

    def __post_init__(self) -> None:
        size = len(self.lags) + 1
        self.sums, self.products = np.zeros(size), np.zeros((size, size))

    def add(self, views: Views, t: int) -> None:
        """Learn from period t, at or after the largest lag."""
        rows = views[[t, *(t - lag for lag in self.lags)]].astype(np.float64)  # (K + 1, I)
        self.n += views.shape[1]
        self.sums += rows.sum(axis=1)
        self.products += rows @ rows.T

    def line(self) -> Line:
        means = self.sums / self.n
        covariance = self.products / self.n - np.outer(means, means)
        among, with_target = covariance[1:, 1:], covariance[1:, 0]
        ridge = self.l2 * np.trace(among) / len(self.lags)
        weights = np.zeros(len(self.lags))
        if ridge > 0:  # otherwise no lag ever varies
            weights = np.linalg.solve(among + ridge * np.eye(len(weights)), with_target)
        return Line(self.lags, tuple(weights.tolist()), float(means[0] - weights @ means[1:]))


def autoregression(views: Views, lags: tuple[int, ...], l2: float) -> Line:
    """Learnt from all of `views`, which has more periods than the largest lag."""
    regression = Regression(lags, l2)
    for t in range(max(lags), len(views)):
        regression.add(views, t)
    return regression.line()


def rolling_errors(views: Views, n: int, lags: tuple[int, ...], l2: float) -> dict[str, float]:
    """Mean squared error of each kind, and of the naive one, by rolling origin.

    Each period from the second after the largest lag on is forecast from those before it alone; what is learnt is
    learnt anew for each. n: the periods of the averages; `lags` and `l2`: of the autoregression. Empty where there
    is no such period.
    """
    fixed = {"naive": NAIVE, "moving_average": moving_average(n),
             "weighted_moving_average": weighted_moving_average(n)}
    squares = dict.fromkeys((*fixed, "autoregression"), 0.0)
    first = max(n, *lags)
    regression = Regression(lags, l2)
    for t in range(first, len(views)):
        if t > first:
            for kind, line in {**fixed, "autoregression": regression.line()}.items():
                squares[kind] += float(np.square(line.ahead(views[:t]) - views[t]).sum())
        regression.add(views, t)
    pairs = (len(views) - first - 1) * views.shape[1]
    return {kind: square / pairs for kind, square in squares.items()} if pairs > 0 else {}
