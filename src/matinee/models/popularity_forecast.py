"""Forecast popularity: how often an item should be viewed while the user is there, told from the periods before.

The time-series baselines of every textbook (Box, Jenkins, Time Series Analysis, 1970), one line for all items:

    moving_average            views_t  ~  mean of the last n periods
    weighted_moving_average   views_t  ~  the same, weighted n, n - 1, ..., 1 from the newest back
    autoregression            views_t  ~  theta_0 + sum over lags k of theta_k views_{t-k},  theta by least squares

    score_i = sum of i's forecasts over the periods from the history's first event to one after its last

Each forecast is one step ahead, from the periods before it alone (before the log all views are 0), and never below
0. `fit` journals the mean squared error of every kind and of the naive "as the last period", by rolling origin.

Differs: theta is learnt over all items at once, as one film's views are too few. An item never viewed scores 0.
A history without times gets the forecasts of all periods.
Cost: O(E + periods x I x n^2) time; 24 x periods x I bytes to fit, 8 x periods x I once fitted.
Shines as a floor for models that claim to read trends; it knows no tastes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
from annotated_types import Ge, Gt, Le

from matinee.contract import Recommender, Run
from matinee.data.dataset import Dataset
from matinee.errors import ConfigError, DataError
from matinee.numerics import forecast
from matinee.numerics.periods import Period, starts_of, views
from matinee.scoring.by_period import ByPeriod

SEASONS: dict[str, int] = {"day": 7, "week": 52, "month": 12, "quarter": 4}
"""Periods until the same weekday, or the same part of the year, comes again."""


@dataclass(frozen=True, kw_only=True)
class PopularityForecast(Recommender):
    family: ClassVar[str] = "rules"
    honours_weights: ClassVar[bool] = False
    by_time_alone: ClassVar[bool] = True

    kind: Literal["moving_average", "weighted_moving_average", "autoregression"] = "moving_average"
    """How a period is told from those before. Source of the defaults: `bench` in popularity_forecast.yaml."""
    period: Period = "month"
    """What is counted together. Weeks begin on Monday; all times are UTC."""
    periods: Annotated[int, Ge(1), Le(1000)] = 6
    """n, so many last periods are looked at."""
    seasonal: bool = False
    """An autoregression also looks at the same weekday a week ago (days), or a year ago (weeks, months, quarters)."""
    l2: Annotated[float, Gt(0), Le(1e6)] = 0.001
    """Ridge of the autoregression, as a share of the mean variance of what it looks at."""

    def __post_init__(self) -> None:
        for name in ("seasonal", "l2"):
            if self.kind != "autoregression" and getattr(self, name) != getattr(PopularityForecast, name):
                raise ConfigError("idle-key", f"{name}: {getattr(self, name)} has no effect with kind {self.kind}",
                                  f"leave out {name}, or ask for kind autoregression")
        if self.seasonal and self.period not in SEASONS:
            raise ConfigError("idle-key", f"nothing comes again after some periods of a {self.period}",
                              f"leave out seasonal, or choose a period of {', '.join(SEASONS)}")

    def fit(self, train: Dataset, run: Run = Run()) -> ByPeriod:
        """Raises DataError for a log without times (`no-times`) or too short to learn from (`too-short`)."""
        numbers, counts = views(train.log, self.period)
        viewed = counts.any(axis=0)  # (I,)
        counts = counts[:, viewed]
        line = self._line(counts)
        cumulative = np.zeros((len(counts) + 2, train.n_items))
        for t in range(len(counts) + 1):
            cumulative[t + 1] = cumulative[t]
            cumulative[t + 1, viewed] += line.ahead(counts[:t])
        if run.journal is not None:
            for kind, error in forecast.rolling_errors(counts, self.periods, self._lags(), self.l2).items():
                run.journal({"kind": kind, "mse": error})
        starts = starts_of(np.append(numbers, numbers[-1] + 1), self.period)
        return ByPeriod(starts, cumulative, 0, 1)

    def _lags(self) -> tuple[int, ...]:
        season = {SEASONS[self.period]} if self.seasonal else set()
        return tuple(sorted({*range(1, self.periods + 1)} | season))

    def _line(self, counts: forecast.Views) -> forecast.Line:
        if self.kind == "moving_average":
            return forecast.moving_average(self.periods)
        if self.kind == "weighted_moving_average":
            return forecast.weighted_moving_average(self.periods)
        lags = self._lags()
        if len(counts) <= max(lags):
            raise DataError("too-short", f"to learn from {max(lags)} periods back takes {max(lags) + 1} periods of a "
                            f"{self.period}, and the log has {len(counts)}",
                            "choose a shorter period, fewer periods, or another kind")
        return forecast.autoregression(counts, lags, self.l2)
