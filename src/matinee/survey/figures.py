"""What the subjects share: their type, why one is absent, quantities in words, bins of time."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from matinee.data.interactions import Interactions

Figures = dict[str, Any]

DAY = 86_400
NO_EVENTS = "there are no events"
NO_TIMES = "the data have no times"
MOST_BINS = 200
UNITS = ("hour", "day", "week", "month", "year")
MONDAY = 3  # days from the Monday before 1970 to its first day, a Thursday


def absent(why: str) -> Figures:
    return {"absent": why}


def without_times(log: Interactions) -> str | None:
    """Why nothing can be said of times; None where it can."""
    if not len(log):
        return NO_EVENTS
    return None if log.times.any() and log.times.min() < log.times.max() else NO_TIMES


def share(part: float, whole: float) -> float:
    return float(part) / float(whole) if whole else 0.0


def percent(part: float) -> str:
    """A share in words: `12 %`, `3.4 %`, `under 0.1 %`, `over 99.9 %`; 0 and 100 only where it is so."""
    if 0 < part < 0.001:
        return "under 0.1 %"
    if 0.999 < part < 1:
        return "over 99.9 %"
    return f"{100 * part:.0f} %" if part in {0, 1} or 0.0995 <= part < 0.985 else f"{100 * part:.1f} %"


def counted(n: int, noun: str) -> str:
    """`1 user`, `2,000 users`."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def day_of(seconds: float) -> str:
    """The day (UTC) as 2000-04-25."""
    return str(np.datetime64(int(seconds), "s").astype("datetime64[D]"))


def moment_of(seconds: float) -> str:
    return str(np.datetime64(int(seconds), "s")).replace("T", " ")


def years_of(times: NDArray[np.int64]) -> NDArray[np.int64]:
    """(n,) calendar years (UTC) of Unix seconds (n,)."""
    return times.astype("datetime64[s]").astype("datetime64[Y]").astype(np.int64) + 1970


def bins_of(times: NDArray[np.int64]) -> tuple[str, NDArray[np.int64], list[str]]:
    """The finest unit of which MOST_BINS cover `times` (E,), the bin (E,) of each, the first day of all T."""
    first, last = times.min(), times.max()
    for unit in UNITS:
        low, high = (int(_number(np.array([edge]), unit)[0]) for edge in (first, last))
        if high - low < MOST_BINS or unit == "year":
            break
    return unit, _number(times, unit) - low, [_start(at, unit) for at in range(low, high + 1)]


def _number(times: NDArray[np.int64], unit: str) -> NDArray[np.int64]:
    if unit == "hour":
        return times // 3600
    if unit in {"day", "week"}:
        days = times // DAY
        return days if unit == "day" else (days + MONDAY) // 7
    kind = "datetime64[M]" if unit == "month" else "datetime64[Y]"
    return times.astype("datetime64[s]").astype(kind).astype(np.int64)


def _start(number: int, unit: str) -> str:
    if unit == "hour":
        return str(np.datetime64(number, "h")).replace("T", " ") + ":00"
    if unit in {"day", "week"}:
        return str(np.datetime64(number if unit == "day" else 7 * number - MONDAY, "D"))
    return str(np.datetime64(number, "M" if unit == "month" else "Y").astype("datetime64[D]"))
