"""Days, weeks, months, quarters and years (UTC) as consecutive whole numbers, and the views of each item in each."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from matinee.data.interactions import Interactions
from matinee.errors import DataError

Period = Literal["day", "week", "month", "quarter", "year"]

MOST_CELLS = 1 << 26
"""Periods x items that a table may have: 512 MB of float64."""

_DAY = 86_400
_MONTHS = {"month": 1, "quarter": 3, "year": 12}
_TO_MONDAY = 3
"""1970-01-01 was a Thursday: three days after the Monday with which week 0 begins."""


def numbers_of(times: NDArray[np.int64], period: Period) -> NDArray[np.int64]:
    """The number of the period that each Unix second falls in; 0 is the one that holds 1970-01-01."""
    if period == "day":
        return times // _DAY
    if period == "week":
        return (times // _DAY + _TO_MONDAY) // 7
    months = times.astype("datetime64[s]").astype("datetime64[M]").astype(np.int64)
    return np.asarray(months // _MONTHS[period], np.int64)


def starts_of(numbers: NDArray[np.int64], period: Period) -> NDArray[np.int64]:
    """The first Unix second of each numbered period."""
    if period == "day":
        return numbers * _DAY
    if period == "week":
        return (numbers * 7 - _TO_MONDAY) * _DAY
    return (numbers * _MONTHS[period]).astype("datetime64[M]").astype("datetime64[s]").astype(np.int64)


def views(log: Interactions, period: Period) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Numbers (P,) of the periods from the log's first to its last, none left out, and each item's events (P, I).

    An event without a time is of no period. Raises DataError where no event has one (`no-times`), or where the
    table would be too large (`too-many-periods`).
    """
    known = log.times != 0
    if not known.any():
        raise DataError("no-times", "views by period are asked of a log without times",
                        "give the data its time column, or choose a model that needs none")
    of_events = numbers_of(log.times[known], period)
    first = int(of_events.min())
    n = int(of_events.max()) - first + 1
    if n * log.n_items > MOST_CELLS:
        raise DataError("too-many-periods", f"the log spans {n} periods of a {period}, which makes a table of "
                        f"{n * log.n_items * 8 / 1e9:.1f} GB", "choose a longer period, or look for wrong times")
    cells = (of_events - first) * log.n_items + log.items[known]
    counts = np.bincount(cells, minlength=n * log.n_items).reshape(n, log.n_items)
    return np.arange(first, first + n), counts
