"""Lists to a submission file, and an independent check of one."""

from __future__ import annotations

import ast
import csv
import io
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from matinee import durable
from matinee.data.dataset import Dataset
from matinee.errors import DataError, MatineeError, Place
from matinee.ranking.lists import Lists

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula."""


def write(path: Path, lists: Lists, dataset: Dataset, layout: str, order: NDArray[np.int64]) -> None:
    """Write the lists of the users `order`, in that order, as the layout wants them.

    boostcamp  user,item           a row a place
    uplus      profile_id,predicted_list
    table      user,item,rank,score,filled
    """
    asked = np.unique(order)
    block = lists.of(asked)
    at = np.searchsorted(asked, order)
    items = block.items[at]
    held = items >= 0
    rows, places = np.nonzero(held)
    users, raw = dataset.users.decode(order[rows]), dataset.items.decode(items[held])
    if layout == "uplus":
        bounds = np.concatenate([[0], np.cumsum(held.sum(1))])
        names = raw.to_list()
        listed = [
            "[" + ", ".join(_listed(name) for name in names[a:b]) + "]"
            for a, b in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True)
        ]
        frame = pl.DataFrame({"profile_id": dataset.users.decode(order), "predicted_list": listed})
    else:
        frame = pl.DataFrame({"user": users, "item": raw})
        if layout == "table":
            frame = frame.with_columns(
                pl.Series("rank", (places + 1).astype(np.int32)),
                pl.Series("score", block.scores[at][held] + 0.0),
                pl.Series("filled", block.filled[at][held]),
            )
    content = io.BytesIO()
    frame.write_csv(content)
    durable.write_bytes(path, content.getvalue())


def natural_order(dataset: Dataset, users: NDArray[np.int64]) -> NDArray[np.int64]:
    """Users in the order of a competition's own files: by number where every id is one, else by bytes."""
    raw = dataset.users.decode(users)
    numbers = raw.cast(pl.Int64, strict=False)
    if numbers.null_count():
        return users
    return users[np.argsort(numbers.to_numpy(), kind="stable")]


@dataclass(frozen=True)
class Check:
    """What a submission file holds, and everything wrong with it, in words."""

    users: int
    rows: int
    short: int
    """Users with fewer than k items: allowed only where there were no more to give."""
    formulas: int
    """Ids that a spreadsheet would take for a formula. They stay exact, as a quote would break the scoring."""
    faults: tuple[str, ...]


def check(path: Path, dataset: Dataset, layout: str, k: int, users: NDArray[np.int64]) -> Check:
    """Read a submission with a reader of its own: k distinct, known, unseen items for each user, nobody missing.

    Raises DataError where the file is not in the layout at all.
    """
    wanted = set(dataset.users.decode(users).to_list())
    lists: dict[str, list[str]] = {}
    for user, item in _pairs(path, layout):
        lists.setdefault(user, []).append(item)
    lengths = {user: len(items) for user, items in lists.items()}
    faults = Faults()
    faults.add("users are missing", sorted(wanted - lists.keys()))
    faults.add("users are not asked for", sorted(lists.keys() - wanted))
    faults.add(f"users have more than {k} items", [user for user, n in lengths.items() if n > k])
    faults.add(f"users have fewer than {k} items", [user for user, n in lengths.items() if n < k])
    faults.add("users have an item twice", [user for user, items in lists.items() if max(Counter(items).values()) > 1])
    faults.add("items are unknown", _unknown(lists, dataset))
    if not dataset.facts.repeats:
        faults.add("users are given an item they have seen", list(_with_seen(lists, dataset)))
    ids = lists.keys() | {item for items in lists.values() for item in items}
    return Check(
        len(lists),
        sum(lengths.values()),
        sum(n < k for n in lengths.values()),
        sum(id_.startswith(FORMULA) for id_ in ids),
        tuple(faults.lines),
    )


def publish(path: Path, lists: Lists, dataset: Dataset, layout: str, order: NDArray[np.int64], k: int) -> Check:
    """Write a submission and check it by the independent reader; it gets its name only where nothing is wrong.

    A list may be short where a user has seen nearly everything. Raises MatineeError, a fault of ours, otherwise.
    """
    candidate = path.with_name(f"{path.stem}.unchecked")
    write(candidate, lists, dataset, layout, order)
    found = check(candidate, dataset, layout, k, order)
    wrong = [fault for fault in found.faults if f"fewer than {k} items" not in fault]
    if wrong:
        raise MatineeError("bad-submission", "; ".join(wrong), "please report this", candidate)
    candidate.replace(path)
    durable.sync_folder(path.parent)
    return found


class Faults:
    """Lines such as `3 users are missing: 11, 14, 18`; the first five are named."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def add(self, what: str, who: list[str]) -> None:
        if who:
            self.lines.append(f"{len(who):,} {what}: {', '.join(who[:5])}{' ...' if len(who) > 5 else ''}")


def _unknown(lists: dict[str, list[str]], dataset: Dataset) -> list[str]:
    given = sorted({item for items in lists.values() for item in items})
    return [item for item, at in zip(given, dataset.items.encode(given).tolist(), strict=True) if at < 0]


def _with_seen(lists: dict[str, list[str]], dataset: Dataset) -> Iterator[str]:
    names = dataset.items.series.to_list()
    indptr, items = dataset.log.indptr, dataset.log.items
    for user, at in zip(lists, dataset.users.encode(list(lists)).tolist(), strict=True):
        if at >= 0 and not set(lists[user]).isdisjoint(names[i] for i in items[indptr[at] : indptr[at + 1]].tolist()):
            yield user


def _pairs(path: Path, layout: str) -> Iterator[tuple[str, str]]:
    head = {"boostcamp": ["user", "item"], "uplus": ["profile_id", "predicted_list"]}.get(layout)
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        first = next(reader, [])
        if head is not None and first != head:
            raise DataError(
                "bad-submission",
                f"the columns are {','.join(first) or 'none'}",
                f"the layout {layout} wants {','.join(head)}",
                Place(str(path), 1),
            )
        if head is None and not {"user", "item"} <= set(first):
            raise DataError(
                "bad-submission",
                f"the columns are {','.join(first) or 'none'}",
                "a table wants at least user,item",
                Place(str(path), 1),
            )
        expand = _expand_list if layout == "uplus" else _one_pair(first)
        for row in reader:
            if len(row) != len(first):
                raise DataError(
                    "bad-submission",
                    f"{len(row)} fields where the header has {len(first)}",
                    "write one row a line",
                    Place(str(path), reader.line_num),
                )
            yield from expand(row)


def _one_pair(header: list[str]) -> Callable[[list[str]], list[tuple[str, str]]]:
    user, item = header.index("user"), header.index("item")
    return lambda row: [(row[user], row[item])]


def _expand_list(row: list[str]) -> list[tuple[str, str]]:
    return [(row[0], str(item)) for item in ast.literal_eval(row[1])]


def _listed(raw: str) -> str:
    """An id inside a list text: bare where it is a plain number, quoted otherwise."""
    return raw if raw.isascii() and raw.isdigit() and (raw == "0" or raw[0] != "0") else repr(raw)
