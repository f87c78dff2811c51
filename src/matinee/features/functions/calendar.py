"""The calendar at the history's last event, in UTC; unknown where its time is. The event that is asked for has no time
here: nobody knows it when he asks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from matinee.contract import Queries
from matinee.data.columns import Categories, Known
from matinee.features.feature import user
from matinee.features.histories import known_times, of_events

MONTHS = tuple(f"{month:02}" for month in range(1, 13))
DAYS = tuple(f"{day:02}" for day in range(1, 32))
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
HOURS = tuple(f"{hour:02}" for hour in range(24))


@user("categories")
def last_month(known: Known, queries: Queries) -> Categories:
    """The month of the history's last event."""
    at, there = _last(queries)
    return _labelled(at.astype("M8[M]").astype(np.int64) % 12, there, MONTHS)


@user("categories")
def last_day(known: Known, queries: Queries) -> Categories:
    """The day of the month of the history's last event."""
    at, there = _last(queries)
    return _labelled((at.astype("M8[D]") - at.astype("M8[M]").astype("M8[D]")).astype(np.int64), there, DAYS)


@user("categories")
def last_weekday(known: Known, queries: Queries) -> Categories:
    """The day of the week of the history's last event."""
    at, there = _last(queries)
    return _labelled((at.astype("M8[D]").astype(np.int64) + 3) % 7, there, WEEKDAYS)  # 1970-01-01 was a Thursday


@user("categories")
def last_hour(known: Known, queries: Queries) -> Categories:
    """The hour of the history's last event."""
    at, there = _last(queries)
    return _labelled(at.astype("M8[h]").astype(np.int64) % 24, there, HOURS)


def _last(queries: Queries) -> tuple[NDArray[np.datetime64], NDArray[np.bool_]]:
    """(B,) seconds, and whether they are known."""
    times = of_events(known_times(queries.history), queries.history, np.fmax)
    there = ~np.isnan(times)
    return np.where(there, times, 0).astype(np.int64).astype("M8[s]"), there


def _labelled(codes: NDArray[np.int64], there: NDArray[np.bool_], names: tuple[str, ...]) -> Categories:
    indptr = np.zeros(len(codes) + 1, np.int64)
    np.cumsum(there, out=indptr[1:])
    return Categories(indptr, codes[there].astype(np.int32), names)
