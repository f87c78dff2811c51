"""Time zones by name, and Unix seconds on their clocks."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from numpy.typing import NDArray

from matinee.errors import UsageError

UTC = "UTC"
QUARTER = 900  # seconds; clocks are put forward and back at whole quarters of an hour


def zone_of(name: str) -> ZoneInfo:
    """Raises UsageError for a name that no zone has."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UsageError("unknown-zone", f"there is no time zone {name!r}", "such as Asia/Seoul") from None


def on_the_clock(times: NDArray[np.int64], zone: str) -> NDArray[np.int64]:
    """What clocks of a zone show at Unix seconds (n,), as the seconds (n,) at which those of UTC show the same."""
    if zone == UTC:
        return times
    where = zone_of(zone)
    quarters, at = np.unique(times // QUARTER, return_inverse=True)
    ahead = [_ahead(where, quarter * QUARTER) for quarter in quarters.tolist()]
    return times + np.array(ahead, np.int64)[at]


def _ahead(where: ZoneInfo, time: int) -> int:
    """Seconds that a zone is ahead of UTC."""
    offset = datetime.fromtimestamp(time, where).utcoffset()
    return int(offset.total_seconds()) if offset is not None else 0
