"""Text to Unix seconds. A column has one form and one unit; a mixture is refused, value by value."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

UNITS = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
LATEST = 4_102_444_800
"""2100-01-01. A time past it is a wrong unit or a wrong column."""
SHORTEST = 100_000_000_000
"""Milliseconds below this (before 1973) are taken for seconds, and so on up the units."""

_ISO = r"^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)(?:[.,]\d+)?)? ?(Z|[+-]\d\d:?\d\d)?$"


def unit_of(column: pl.Series) -> str:
    """`s`, `ms`, `us`, `ns` or `iso`: what the first value looks like. Empty columns are in seconds."""
    first = str(column[0]) if len(column) else "0"
    if not first[:1].isdigit() or "-" in first[1:]:
        return "iso" if first[:1].isdigit() else "s"
    whole = first.split(".")[0]
    return next((unit for unit, digits in (("s", 11), ("ms", 14), ("us", 17)) if len(whole) <= digits), "ns")


def seconds(column: pl.Series, unit: str | None) -> tuple[NDArray[np.int64], NDArray[np.bool_], str]:
    """(n,) seconds with fractions cut off, a mask of values that are none, and what was expected of them.

    column (n,) holds text or whole numbers.

    `unit` None takes it from the first value, and then a value that fits another unit is a bad one. Times without a
    zone are UTC. A decimal point is allowed where the first value has one.
    """
    detected = unit_of(column) if unit is None else unit
    if detected == "iso":
        return _iso_seconds(column)
    decimal = len(column) > 0 and "." in str(column[0])
    numbers = column.cast(pl.Float64 if decimal else pl.Int64, strict=False).fill_null(-1).to_numpy()
    least = UNITS[detected] // 1_000 * SHORTEST if unit is None and detected != "s" else 0
    bad = ~((numbers >= least) & (numbers < (LATEST + 1) * UNITS[detected]))
    if bad.any():
        numbers = np.where(bad, 0, numbers)
    whole = numbers if detected == "s" else numbers // UNITS[detected]
    shape = "a number" if decimal else "a whole number"
    return whole.astype(np.int64, copy=False), bad, f"{shape} of {detected} between 1970 and 2100"


def _iso_seconds(column: pl.Series) -> tuple[NDArray[np.int64], NDArray[np.bool_], str]:
    parts = column.str.extract_groups(_ISO).struct.unnest()
    day, clock, zone = parts.get_columns()
    days = day.str.to_date("%Y-%m-%d", strict=False).to_physical()
    clocks = (clock.fill_null("00:00") + ":00").str.slice(0, 8).str.to_time("%H:%M:%S", strict=False).to_physical()
    sign = zone.str.starts_with("-").fill_null(False).to_numpy()
    hours, minutes = (zone.str.slice(at, 2).cast(pl.Int64, strict=False) for at in (1, -2))
    offset = hours * 3600 + minutes * 60
    shift = offset.fill_null(0).to_numpy() * np.where(sign, 1, -1)
    broken = (days.is_null() | clocks.is_null()).to_numpy()
    out = days.fill_null(0).cast(pl.Int64).to_numpy() * 86_400 + clocks.fill_null(0).to_numpy() // 1_000_000_000 + shift
    if len(zone):
        broken = broken | (zone.is_null() != zone.is_null()[0]).to_numpy()
    bad = broken | (out < 0) | (out > LATEST)
    return np.where(bad, 0, out).astype(np.int64), bad, "an ISO 8601 time like the first one, between 1970 and 2100"
