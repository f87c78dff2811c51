"""Forecast popularity: every kind is its slow twin, its errors are measured honestly, and trends are found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from matinee.contract import Queries, Run
from matinee.data.interactions import Interactions
from matinee.errors import ConfigError, DataError
from matinee.models.popularity_forecast import PopularityForecast
from matinee.numerics import forecast
from matinee.numerics.periods import views
from matinee.numerics.threads import limited
from tests.models.test_item_knn import dataset
from tests.numerics.logs import random_log
from tests.reference import rules as reference

KINDS = ("moving_average", "weighted_moving_average", "autoregression")
DAY = 86_400


def daily_log(seed: int, days: int = 40) -> Interactions:
    """Users who stay some days; what is watched comes and goes in waves. Item 17 nobody had, and day 12 is empty."""
    rng = np.random.default_rng(seed)
    log = random_log(seed, 60, 20, 2500, weighted=False)
    first = rng.integers(0, days - 5, 60)[log.users]
    day = first + rng.integers(0, 5, len(log))
    kept = (log.items != 17) & (rng.random(len(log)) < 0.5 + 0.5 * np.sin(day / 7 + log.items)) & (day != 12)
    times = 1_000_000_000 + day * DAY
    return Interactions.from_events(log.users[kept], log.items[kept], times[kept], n_users=60, n_items=20)


def twin(log: Interactions, kind: str, n: int, lags: tuple[int, ...], l2: float) -> NDArray[np.float64]:
    """(U, I) the sum of the forecasts from the first day of a history to the day after its last."""
    numbers, counts = views(log, "day")
    learnt = reference.theta(counts[:, counts.any(axis=0)], lags, l2)
    ahead = np.array([reference.one_ahead(counts, t, kind, n, lags, learnt) for t in range(len(counts) + 1)])
    ahead[:, ~counts.any(axis=0)] = 0
    out = np.empty((log.n_users, log.n_items))
    for user in range(log.n_users):
        days = log.times[log.indptr[user] : log.indptr[user + 1]] // DAY - numbers[0]
        out[user] = ahead[days[0] : days[-1] + 2].sum(axis=0) if len(days) else ahead.sum(axis=0)
    return out


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n", [1, 3, 50])
def test_each_kind_is_its_slow_twin(kind: str, n: int) -> None:
    log = daily_log(1)
    if kind == "autoregression" and n == 50:
        return
    l2 = {"l2": 0.03} if kind == "autoregression" else {}
    scorer = PopularityForecast(kind=kind, period="day", periods=n, **l2).fit(dataset(log))
    want = twin(log, kind, n, tuple(range(1, n + 1)) if n < 50 else (1,), 0.03)
    np.testing.assert_allclose(scorer.score(Queries.of(log)), want, rtol=1e-5, atol=1e-5)
    assert not scorer.score(Queries.of(log))[:, 17].any()


def test_a_seasonal_autoregression_looks_at_the_same_weekday_too() -> None:
    log = daily_log(2)
    recipe = PopularityForecast(kind="autoregression", period="day", periods=2, seasonal=True, l2=0.01)
    want = twin(log, "autoregression", 2, (1, 2, 7), 0.01)
    np.testing.assert_allclose(recipe.fit(dataset(log)).score(Queries.of(log)), want, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("seasonal", [False, True])
def test_the_errors_of_all_kinds_are_journalled_by_rolling_origin(seasonal: bool) -> None:
    log, said = daily_log(3), list[Mapping[str, Any]]()
    recipe = PopularityForecast(kind="autoregression", period="day", periods=3, seasonal=seasonal)
    recipe.fit(dataset(log), Run(journal=said.append))
    assert [step["kind"] for step in said] == ["naive", *KINDS]
    counts = views(log, "day")[1]
    counts = counts[:, counts.any(axis=0)]
    lags = (1, 2, 3, 7) if seasonal else (1, 2, 3)
    for step in said:
        assert step["mse"] == pytest.approx(reference.rolling_error(counts, step["kind"], 3, lags, 0.001)), step


def test_an_autoregression_finds_the_wave_that_averages_miss() -> None:
    t = np.arange(60)[:, None]
    counts = np.rint(100 + 80 * np.sin(t / 2 + np.arange(9))).astype(np.int64)
    errors = forecast.rolling_errors(counts, 3, (1, 2, 3), 1e-6)
    assert errors["autoregression"] < 0.01 * min(errors[kind] for kind in ("naive", *KINDS[:2]))


def test_the_errors_of_a_log_of_few_periods_are_none() -> None:
    assert forecast.rolling_errors(np.ones((4, 2), np.int64), 3, (1, 2, 3), 1.0) == {}
    assert len(forecast.rolling_errors(np.ones((5, 2), np.int64), 3, (1, 2, 3), 1.0)) == 4


def test_views_that_never_vary_are_forecast_as_they_are() -> None:
    line = forecast.autoregression(np.full((9, 3), 5), (1, 2), 0.001)
    assert line == forecast.Line((1, 2), (0.0, 0.0), 5.0)


def test_the_weights_are_the_same_bits_with_any_number_of_threads_and_order_of_items() -> None:
    counts = np.random.default_rng(4).poisson(30, (60, 5000))
    found = []
    for threads, order in ((1, slice(None)), (2, slice(None)), (2, slice(None, None, -1))):
        with limited(threads):
            found.append(forecast.autoregression(counts[:, order], (1, 2, 3, 7), 0.001))
    assert found[0] == found[1] == found[2]


def test_a_log_too_short_to_learn_from_is_refused_and_an_average_is_not() -> None:
    log = Interactions.from_events([0, 1, 2], [0, 1, 2], [DAY, 2 * DAY, 3 * DAY], n_users=3, n_items=3)
    with pytest.raises(DataError, match="too-short: to learn from 3 periods back takes 4 periods of a day, and the log "
                                        "has 3; choose a shorter period, fewer periods, or another kind"):
        PopularityForecast(kind="autoregression", period="day", periods=3).fit(dataset(log))
    scorer = PopularityForecast(period="day", periods=3).fit(dataset(log))
    last = scorer.score(Queries.of(log.take(np.array([2]))))
    np.testing.assert_allclose(last, [[2 / 3, 2 / 3, 1 / 3]])


def test_a_log_without_times_is_refused() -> None:
    log = Interactions.from_events([0, 1], [0, 1], n_users=2, n_items=2)
    with pytest.raises(DataError, match="no-times: views by period are asked of a log without times"):
        PopularityForecast().fit(dataset(log))


@pytest.mark.parametrize(("settings", "said"), [
    ({"seasonal": True}, "idle-key: seasonal: True has no effect with kind moving_average; leave out seasonal, or ask"),
    ({"kind": "weighted_moving_average", "l2": 2.0}, "idle-key: l2: 2.0 has no effect with kind weighted_moving_av"),
    ({"kind": "autoregression", "seasonal": True, "period": "year"},
     "idle-key: nothing comes again after some periods of a year; leave out seasonal, or choose a period of day, week"),
])
def test_settings_that_would_be_ignored_are_refused(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        PopularityForecast(**settings)
