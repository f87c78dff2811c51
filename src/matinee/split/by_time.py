"""By time: two moments for everybody; what came after the first is valid, after the second test.

Nothing hidden is older than anything learned from. Where an item is recommended once, a user's later
event on an item that the user had before the cut is neither learned from nor asked for; it is left out
and counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated

import numpy as np
from annotated_types import Gt, Lt
from numpy.typing import NDArray

from matinee.data.dataset import Dataset
from matinee.errors import ConfigError, DataError
from matinee.split.assemble import finish, truth_of
from matinee.split.parts import PARTS, Split, Stage
from matinee.split.protocol import Protocol
from matinee.split.units import oldest_of_pair


@dataclass(frozen=True, kw_only=True)
class ByTime(Protocol):
    """The only protocol that says something about the future. `seed` has no effect."""

    valid: Annotated[float, Gt(0), Lt(1)] | date = 0.1
    """Share of the log's events just before test; or the first day (UTC) of valid, as 2015-01-31."""
    test: Annotated[float, Gt(0), Lt(1)] | date = 0.1
    """Share of the log's events, the newest; or the first day (UTC) of test. Events of the same second stay on the
    older side, so the share is at most this."""

    def __post_init__(self) -> None:
        valid, test = self.valid, self.test
        if isinstance(valid, date) and isinstance(test, date):
            if valid >= test:
                raise ConfigError("bad-dates", f"valid begins {valid}, test {test}", "let valid begin before test")
        elif isinstance(valid, date) or isinstance(test, date):
            raise ConfigError("bad-dates", f"valid is {valid}, test {test}", "give two shares or two dates")
        elif valid + test >= 1:
            raise ConfigError("no-train-part", f"valid {valid} and test {test} leave nothing to learn from",
                              "let them add up to less than 1")

    def split(self, dataset: Dataset) -> Split:
        """Raises DataError where the log has no times, or no two of them."""
        log = dataset.log
        if len(log) and log.times.min() == log.times.max():
            raise DataError("no-times", f"all {len(log)} events have the time {log.times[0]}",
                            "by_time needs times; random_ratio and unseen_users do not")
        valid_from, test_from = self._cuts(log.times)
        first = log.times if dataset.facts.repeats else log.times[oldest_of_pair(log)]
        train, known = log.times < valid_from, log.times < test_from
        valid = _new(log.times, first, valid_from, test_from)
        test = _new(log.times, first, test_from, None)
        stages = {
            "valid": Stage(train, train, truth_of(log, valid)),
            "test": Stage(known if self.refit else train, known, truth_of(log, test)),
        }
        left_out = {"valid": int((known & ~train & (valid < 0)).sum()), "test": int((~known & (test < 0)).sum())}
        notes = {"cuts": {"valid": int(valid_from), "test": int(test_from)}, "again_and_left_out": left_out}
        return finish(self, dataset, stages, notes=notes)

    def _cuts(self, times: NDArray[np.int64]) -> tuple[int, int]:
        """The first hidden second of valid and of test."""
        valid, test = self.valid, self.test
        if isinstance(valid, date) or isinstance(test, date):
            assert isinstance(valid, date)
            assert isinstance(test, date)
            return _midnight(valid), _midnight(test)
        return _first_of_newest(times, valid + test), _first_of_newest(times, test)


def _first_of_newest(times: NDArray[np.int64], share: float) -> int:
    kept = len(times) - int(share * len(times) + 1e-9)
    return int(np.partition(times, kept - 1)[kept - 1]) + 1 if len(times) else 0


def _midnight(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def _new(
    times: NDArray[np.int64], first: NDArray[np.int64], begin: int, end: int | None
) -> NDArray[np.int8]:
    """Hidden: events in [begin, end) on items that the user first had there."""
    inside = (times >= begin) & (first >= begin)
    if end is not None:
        inside &= times < end
    return np.where(inside, PARTS.index("tail"), -1).astype(np.int8)
