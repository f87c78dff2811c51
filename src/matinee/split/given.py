"""Given: somebody else hid the answers and tells them in files of (user, item) rows by raw id.

The log is what may be learned from. Users and items that it does not know count: a list cannot hit an
item outside the catalogue, and somebody without a list scores 0. Repeated rows count once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matinee.data.dataset import Dataset
from matinee.data.ids import Vocabulary
from matinee.data.layouts import table
from matinee.data.source import Reading
from matinee.errors import DataError
from matinee.split.assemble import distinct, finish
from matinee.split.parts import PARTS, Split, Stage, Truth
from matinee.split.protocol import Protocol


@dataclass(frozen=True, kw_only=True)
class Given(Protocol):
    """For the hidden part of a competition, once it is known, and for splits made by other tools. `seed` has no effect.

    A file is a table, CSV, TSV or Parquet, with the columns `user` and `item`, and `time` where it has one.
    """

    valid: Path | None = None
    """Answers to choose by; without it there is no valid stage."""
    test: Path
    """Answers to report."""
    allow_overlap: bool = False
    """Where the log or the other file holds some of the answers: hide those events from the log instead of refusing."""
    allow_time_leak: bool = False
    """Accept answers that are older than what the same user is asked with. Seen only where the file has times."""

    @property
    def files(self) -> tuple[Path, ...]:
        return (self.test,) if self.valid is None else (self.valid, self.test)

    def split(self, dataset: Dataset) -> Split:
        """Raises DataError for a file that cannot be read, and for answers that the log gives away."""
        answers = {name: _Answers.read(path, dataset) for name, path in (("valid", self.valid), ("test", self.test))
                   if path is not None}
        hidden = {name: self._hidden(one, dataset) for name, one in answers.items()}
        notes: dict[str, Any] = {"unknown": {name: one.unknown() for name, one in answers.items()},
                                 "overlap": {name: int(events.sum()) for name, events in hidden.items()}}
        if "valid" in answers:
            notes["overlap"]["files"] = self._shared(answers["valid"], answers["test"], dataset)
        notes["with_times"] = {name: one.times is not None for name, one in answers.items()}
        known = ~hidden["test"]
        train = known & ~hidden.get("valid", hidden["test"])
        stages, notes["older_than_history"] = {}, {}
        for name, one in answers.items():
            fit, given = (known if self.refit else train, known) if name == "test" else (train, train)
            notes["older_than_history"][name] = self._older(one, dataset, given)
            stages[name] = Stage(fit, given, one.truth)
        return finish(self, dataset, stages, _warnings(notes), notes)

    def _hidden(self, answers: _Answers, dataset: Dataset) -> NDArray[np.bool_]:
        """(E,) events of the log that are answers. Raises DataError where there are some, unless allowed."""
        log = dataset.log
        same = np.isin(log.users * log.n_items + log.items, answers.pairs(log.n_items))
        if dataset.facts.repeats:  # then only the very event is an overlap, and without times nobody can tell
            told = set() if answers.times is None else set(zip(answers.users.tolist(), answers.items.tolist(),
                                                               answers.times.tolist(), strict=True))
            for event in np.flatnonzero(same).tolist():
                user = int(np.searchsorted(log.indptr, event, side="right")) - 1
                same[event] = (user, int(log.items[event]), int(log.times[event])) in told
        if same.any() and not self.allow_overlap:
            event = int(np.argmax(same))
            user = int(np.searchsorted(log.indptr, event, side="right")) - 1
            raise DataError("overlap", f"{int(same.sum())} events of the log are answers, the first of user "
                            f"{dataset.users[user]!r} with item {dataset.items[int(log.items[event])]!r}",
                            "take them out of the log, or hide them from it by allow_overlap: true", answers.path)
        return same

    def _shared(self, valid: _Answers, test: _Answers, dataset: Dataset) -> int:
        """Pairs in both files. Raises DataError where there are some, unless allowed."""
        if dataset.facts.repeats:
            return 0
        both = len(np.intersect1d(valid.pairs(dataset.n_items), test.pairs(dataset.n_items)))
        if both and not self.allow_overlap:
            raise DataError("overlap", f"{both} pairs are answers of both valid and test",
                            "take them out of one, or accept them by allow_overlap: true", valid.path)
        return both

    def _older(self, answers: _Answers, dataset: Dataset, given: NDArray[np.bool_]) -> int:
        """Answers older than the newest event that their user is asked with. Raises DataError unless allowed."""
        if answers.times is None:
            return 0
        newest = np.append(dataset.log.select(given).last_times(), 0)  # the last place is for unknown users
        older = answers.times < newest[np.where(answers.users < 0, dataset.n_users, answers.users)]
        if older.any() and not self.allow_time_leak:
            raise DataError("time-leak", f"{int(older.sum())} of {len(older)} answers are older than what their user "
                            "is asked with", "accept a model that knows the future by allow_time_leak: true",
                            answers.path)
        return int(older.sum())


@dataclass(frozen=True, eq=False)
class _Answers:
    path: Path
    users: NDArray[np.int64]  # (n,)  rows of the data set's users; unknown ones are < 0, each another
    items: NDArray[np.int64]  # (n,)  likewise
    times: NDArray[np.int64] | None  # (n,)

    @classmethod
    def read(cls, path: Path, dataset: Dataset) -> _Answers:
        rows = table.read(path, Reading())
        return cls(path, _coded(rows.users, dataset.users), _coded(rows.items, dataset.items), rows.times)

    def pairs(self, n_items: int) -> NDArray[np.int64]:
        """One number for each pair of a known user and a known item, as for events of the log."""
        known = (self.users >= 0) & (self.items >= 0)
        return self.users[known] * n_items + self.items[known]

    @property
    def truth(self) -> Truth:
        truth = distinct(self.users, self.items, np.full(len(self.users), PARTS.index("all"), np.int8))
        return replace(truth, users=np.maximum(truth.users, -1))

    def unknown(self) -> dict[str, int]:
        """How many distinct users and items the log does not know."""
        columns = (("users", self.users), ("items", self.items))
        return {name: len(np.unique(codes[codes < 0])) for name, codes in columns}


def _coded(raw: Iterable[str], vocabulary: Vocabulary) -> NDArray[np.int64]:
    """(n,) positions of raw ids; those the vocabulary does not know get numbers below 0, in their own order."""
    mine = Vocabulary.of(raw)
    known = vocabulary.encode(mine.series).astype(np.int64)
    return np.where(known < 0, np.arange(len(mine)) - len(mine), known)[mine.encode(raw)]


def _warnings(notes: Mapping[str, Any]) -> list[str]:
    overlap, older = sum(notes["overlap"].values()), sum(notes["older_than_history"].values())
    return [text for count, text in (
        (overlap, f"{overlap} answers stood in the log or in both files, and were accepted"),
        (older, f"{older} answers are older than what their user is asked with, and were accepted"),
    ) if count]
