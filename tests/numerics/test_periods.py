"""Periods are those of the calendar, run without a gap, and have a bound."""

from __future__ import annotations

import numpy as np
import pytest

from matinee.data.interactions import Interactions
from matinee.errors import DataError
from matinee.numerics import periods
from tests.reference import rules as reference

PERIODS = ("day", "week", "month", "quarter", "year")


@pytest.mark.parametrize("period", PERIODS)
def test_two_moments_share_a_number_where_the_calendar_says_so(period: periods.Period) -> None:
    rng = np.random.default_rng(1)
    times = np.sort(rng.integers(-400_000_000, 2_000_000_000, 3000))
    times = np.sort(np.append(times, times[::3] + rng.integers(0, 200_000, 1000)))
    numbers = periods.numbers_of(times, period)
    of_calendar = [reference.period_of(int(time), period) for time in times]
    assert (np.diff(numbers) >= 0).all()
    for a, b, x, y in zip(numbers, numbers[1:], of_calendar, of_calendar[1:], strict=False):
        assert (a == b) == (x == y)


@pytest.mark.parametrize("period", PERIODS)
def test_a_period_starts_with_its_first_second(period: periods.Period) -> None:
    numbers = np.arange(-200, 900)
    starts = periods.starts_of(numbers, period)
    assert periods.numbers_of(starts, period).tolist() == numbers.tolist()
    assert periods.numbers_of(starts - 1, period).tolist() == (numbers - 1).tolist()


def test_views_are_counted_by_period_also_where_nobody_came() -> None:
    day = 86_400
    log = Interactions.from_events([0, 0, 1, 1, 1], [0, 0, 0, 1, 1], [3 * day, 3 * day + 1, 5 * day, 5 * day, 0],
                                   n_users=2, n_items=3)
    numbers, counts = periods.views(log, "day")
    assert numbers.tolist() == [3, 4, 5]
    assert counts.tolist() == [[2, 0, 0], [0, 0, 0], [1, 1, 0]]


def test_a_wrong_time_does_not_fill_the_memory() -> None:
    log = Interactions.from_events([0, 0], [0, 1], [1, 10**11], n_users=1, n_items=100)
    with pytest.raises(DataError, match=r"too-many-periods: the log spans 1157408 periods of a day, which makes a "
                                        r"table of 0.9 GB; choose a longer period, or look for wrong times"):
        periods.views(log, "day")
