"""How well the offline order of submissions predicts the public one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from matinee.data.reading import read_text
from matinee.data.source import Reading
from matinee.errors import DataError
from matinee.evaluation.rank_agreement import FEWEST, Agreement, agreement
from matinee.experiment.ledger import Book, Submission

UNNAMED = "offline"
"""The metric of a table that names none."""


@dataclass(frozen=True)
class Pair:
    name: str
    offline: float
    public: float
    low: float | None = None  # 95 % interval of the offline figure
    high: float | None = None


@dataclass(frozen=True)
class Told:
    """Pairs of one data set and split; str() is a line of words."""

    title: str
    metric: str
    pairs: tuple[Pair, ...]
    found: Agreement

    def __str__(self) -> str:
        found = self.found
        shown = f"Spearman {found.spearman}, Kendall {found.kendall}, p {found.spearman.p:.2g}"
        if found.n < FEWEST:
            return f"cannot tell: {found.n} with both figures, and {FEWEST} are needed at the least"
        verdict = {"predicts": "the offline order predicts the public one",
                   "misleads": "the offline order is against the public one", "cannot tell": "cannot tell"}
        return f"{shown}, n {found.n}: {verdict[found.verdict]}"


def told(book: Book, metric: str | None = None) -> list[Told]:
    """One for each data and split, as figures of different ones say nothing of each other.

    By `metric`, or by the first one that a group's first submission has. The same bytes handed in twice count once,
    with the newest public score.
    """
    groups: dict[tuple[str, str], dict[str, Submission]] = {}
    for one in book.counted:
        if one.what.offline and one.public is not None:
            groups.setdefault((str(one.what.data), str(one.what.split)), {})[one.what.sha256] = one
    found = []
    for (data, split), members in groups.items():
        by = metric or next(iter(next(iter(members.values())).what.offline))
        pairs = [_pair(one, by) for one in members.values() if by in one.what.offline]
        found.append(_told(f"data {data[:8]}, split {split[:8]}", by, pairs))
    return found


def of_file(path: Path) -> Told:
    """From a table with the columns name, offline and public. Raises DataError where it is none."""
    table = read_text(path, separator=",", header=None, encoding=None, reading=Reading())
    for column in ("name", "offline", "public"):
        if column not in table.frame.columns:
            raise DataError("missing-column", f"there is no column {column!r}: {', '.join(table.frame.columns)}",
                            "the columns are name,offline,public", path)
    rows = zip(table.frame["name"].to_list(), table.numbers("offline").tolist(), table.numbers("public").tolist(),
               strict=True)
    return _told(path.name, UNNAMED, [Pair(str(name), offline, public) for name, offline, public in rows])


def _pair(one: Submission, metric: str) -> Pair:
    row = one.what.offline[metric]
    assert one.public is not None
    return Pair(f"{one.number} {one.what.name}", float(row["value"]), one.public, row["low"], row["high"])


def _told(title: str, metric: str, pairs: Sequence[Pair]) -> Told:
    found = agreement([pair.offline for pair in pairs], [pair.public for pair in pairs])
    return Told(title, metric, tuple(pairs), found)
