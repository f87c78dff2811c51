"""Hour of the day, day of the week and month: when people come, told apart from when they do much at once.

A visit is a user in an hour: somebody who types in three hundred films in one evening visits a few times.
Hours are those of one zone, UTC unless told: where people live is not known. Dates without a time have none.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from matinee.data.interactions import Interactions
from matinee.data.zones import UTC, on_the_clock
from matinee.survey.figures import DAY, MONDAY, Figures, absent, share, without_times

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
A_PLACE = 10
"""Visits that a cycle needs for each of its hours, days or months, on average."""


def seasons(log: Interactions, zone: str = UTC) -> Figures:
    """Of each cycle: events and visits, the visits for the time that the log covers, and how far from even they are.

    Raises UsageError for a zone that there is not.
    """
    why = without_times(log)
    if why:
        return absent(why)
    times, users = log.times, log.users
    hours = times // 3600
    visit = np.ones(len(log), bool)
    visit[1:] = (users[1:] != users[:-1]) | (hours[1:] != hours[:-1])
    covered = np.arange(times.min() // 3600, times.max() // 3600 + 1)  # every hour from the first to the last
    dates = not (times % DAY).any()  # the same wherever one lives
    shown = times if dates else on_the_clock(times, zone)
    if not dates:
        covered = on_the_clock(covered * 3600, zone) // 3600
    found: Figures = {"zone": None if dates else zone, "visits": int(visit.sum()),
                      "days": float(times.max() - times.min()) / DAY}
    for name, labels, place, least in (
        ("hour", tuple(str(hour) for hour in range(24)), _hour, 2),
        ("weekday", WEEKDAYS, _weekday, 14),
        ("month", MONTHS, _month, 365),
    ):
        if name == "hour" and not (shown % DAY).any():
            found[name] = absent("times are whole days")
        elif found["days"] < least:
            found[name] = absent(f"the log covers {found['days']:.1f} days, fewer than {least}")
        elif found["visits"] < A_PLACE * len(labels):
            found[name] = absent(f"{found['visits']} visits are too few to tell one {name} from another")
        else:
            found[name] = _cycle(labels, place(shown // 3600), visit, place(covered))
    return found


def _hour(hours: NDArray[np.int64]) -> NDArray[np.int64]:
    return hours % 24


def _weekday(hours: NDArray[np.int64]) -> NDArray[np.int64]:
    return (hours // 24 + MONDAY) % 7


def _month(hours: NDArray[np.int64]) -> NDArray[np.int64]:
    return hours.astype("datetime64[h]").astype("datetime64[M]").astype(np.int64) % 12


def _cycle(
    labels: tuple[str, ...], at: NDArray[np.int64], visit: NDArray[np.bool_], covered: NDArray[np.int64]
) -> Figures:
    """`at` (E,) and `covered` (hours of the log,): places in the cycle."""
    n = len(labels)
    visits, room = np.bincount(at[visit], minlength=n), np.bincount(covered, minlength=n)
    rates = visits / np.maximum(room, 1)
    shares = rates / rates.sum()
    high, low = int(shares.argmax()), int(shares.argmin())
    return {
        "labels": list(labels),
        "events": np.bincount(at, minlength=n).tolist(),
        "visits": visits.tolist(),
        "rates": shares.tolist(),
        "busiest": {"label": labels[high], "share": float(shares[high]), "times_even": float(shares[high] * n)},
        "quietest": {"label": labels[low], "share": float(shares[low]), "times_even": float(shares[low] * n)},
        "uneven": float(np.abs(shares - 1 / n).sum() / 2),
        "rounds": share(len(covered), {24: 24, 7: 168, 12: 8766}[n]),
    }
