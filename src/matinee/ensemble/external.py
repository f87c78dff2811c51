"""Lists from a file that somebody else made: a submission, another framework's output, an old run's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from matinee.data.aliases import column_of
from matinee.data.ids import Vocabulary
from matinee.data.interactions import Interactions
from matinee.data.reading import TextTable, read_text
from matinee.data.source import Reading
from matinee.errors import DataError
from matinee.ranking.lists import DEPTH, Lists


def read_lists(
    path: Path, users: Vocabulary, items: Vocabulary, *, seen: Interactions | None = None
) -> tuple[Lists, dict[str, int]]:
    """The lists of a CSV (or, by its name, TSV) file, joined by raw id, and counts of what was left out.

    Columns: user, item and, where the file has them, `rank` (small is good) or `score` (large is good); with neither,
    a user's rows stand best first. Left out and counted are rows of unknown users and items, an item's second row in
    one list, what `seen` holds of the user, and places after the hundredth. The lists have the file's scores, where
    they order it, and otherwise 1 / place.

    Raises DataError, with line and column, for a file that cannot be read, a rank or score that is no finite number,
    and where no row has a known user and a known item.
    """
    separator = "\t" if {".tsv", ".tab"} & set(path.suffixes) else ","
    table = read_text(path, separator=separator, header=None, encoding=None, reading=Reading())
    raw_users, raw_items = table.ids(column_of(table, "user")), table.ids(column_of(table, "item"))
    of, item = users.encode(raw_users).astype(np.int64), items.encode(raw_items)
    badness, scores = _order(table)
    known = (of >= 0) & (item >= 0)
    if not known.any():
        raise DataError("no-lists", f"none of {len(of)} rows has a user and an item of this data set",
                        "give a file with the same ids as the data", path)
    counts = {
        "rows": len(of),
        "unknown_users": len(Vocabulary.of(raw_users)) - len(np.unique(of[of >= 0])),
        "unknown_items": len(Vocabulary.of(raw_items)) - len(np.unique(item[item >= 0])),
        "rows_of_unknown": int((~known).sum()),
    }
    rows = np.flatnonzero(known)
    rows = rows[np.lexsort((badness[rows], of[rows]))]  # stable: equal ones stay in the order of the file
    for name, keep in (("repeated_rows", _first_of_pair), ("seen_rows", lambda pairs: _unseen(pairs, seen))):
        kept = keep(of[rows] * len(items) + item[rows])
        counts[name] = int((~kept).sum())
        rows = rows[kept]
    lists, counts["rows_past_depth"] = _lists(of[rows], item[rows], None if scores is None else scores[rows])
    return lists, counts


def _order(table: TextTable) -> tuple[NDArray[np.float64], NDArray[np.float32] | None]:
    """(n,) what to order by, small is good; and the scores where they are what orders."""
    columns = table.frame.columns
    if "rank" in columns:
        return table.numbers("rank"), None
    if "score" in columns:
        scores = table.numbers("score")
        return -scores, np.clip(scores, np.finfo(np.float32).min, np.finfo(np.float32).max).astype(np.float32)
    return np.zeros(len(table)), None


def _first_of_pair(pairs: NDArray[np.int64]) -> NDArray[np.bool_]:
    first = np.zeros(len(pairs), bool)
    first[np.unique(pairs, return_index=True)[1]] = True
    return first


def _unseen(pairs: NDArray[np.int64], seen: Interactions | None) -> NDArray[np.bool_]:
    if seen is None:
        return np.ones(len(pairs), bool)
    return ~np.isin(pairs, seen.users * seen.n_items + seen.items)


def _lists(
    of: NDArray[np.int64], items: NDArray[np.int32], scores: NDArray[np.float32] | None
) -> tuple[Lists, int]:
    """Lists from rows (n,) grouped by user, best first, and how many rows stood too deep."""
    users, starts, counts = np.unique(of, return_index=True, return_counts=True)
    place = np.arange(len(of)) - np.repeat(starts, counts)
    kept = place < DEPTH
    at = np.repeat(np.arange(len(users)), counts)[kept], place[kept]
    shape = len(users), int(min(counts.max(initial=0), DEPTH))
    listed = np.full(shape, -1, np.int32)
    listed[at] = items[kept]
    scored = np.full(shape, -np.inf, np.float32)
    scored[at] = 1 / (place[kept] + 1) if scores is None else scores[kept]
    return Lists(users, listed, scored, np.zeros(shape, bool)), int((~kept).sum())
