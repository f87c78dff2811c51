"""Rows as they stand in files to a `Dataset`: clean by declared rules, number by id bytes, count what went.

Order of the rules: ratings below `min_rating` go; then repeated pairs as `duplicates` says; then users and items with
too few events, again and again until nothing changes (the iterated core). Every count is in `Facts.notes`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from matinee.data.columns import Categories, Column, Features, Numbers, Texts
from matinee.data.dataset import Dataset, Facts
from matinee.data.ids import Vocabulary
from matinee.data.interactions import Interactions
from matinee.data.source import SideTable, Source
from matinee.errors import ConfigError, DataError

Policy = Literal["keep_all", "last", "first"]
POLICIES = ("keep_all", "last", "first")


def build(
    source: Source,
    *,
    min_rating: float = 0.0,
    min_user_events: int = 1,
    min_item_events: int = 1,
    duplicates: Policy = "keep_all",
    repeats: bool | None = None,
) -> Dataset:
    """The data set that models are fitted on.

    min_rating       keep events rated at least this; 0 keeps all
    min_user_events  drop users with fewer; 0 also keeps users whom only side files know
    min_item_events  the same for items
    duplicates       of a pair's events keep all, the last or the first in time (ties: in the file)
    repeats          may an item be recommended again? None: what the layout says

    Raises DataError where no event is left, and ConfigError where a rule cannot be.
    """
    _check(min_rating, min_user_events, min_item_events, duplicates)
    users, items = Vocabulary.of(source.users), Vocabulary.of(source.items)
    events = _Events(users.encode(source.users), items.encode(source.items), source.times)
    notes = dict(source.notes) | {"layout": source.layout, "rows_read": len(source.users)}
    keep = _rated(source, min_rating, notes)
    keep = _deduplicated(events, keep, duplicates, notes)
    keep = _core(events, keep, (len(users), len(items)), (min_user_events, min_item_events), notes)
    if keep is not None and not keep.any():
        what = f"no event is left of {len(source.users)} ({_told(notes)})"
        raise DataError("no-interactions", what, "loosen the rules")
    everyone = [table.ids for table in source.user_side] if min_user_events == 0 else []
    everything = [table.ids for table in source.item_side] if min_item_events == 0 else []
    users, user_codes = _numbered(users, events.users, keep, everyone)
    items, item_codes = _numbered(items, events.items, keep, everything)
    log = Interactions.from_events(
        user_codes,
        item_codes,
        _kept(source.times, keep),
        n_users=len(users),
        n_items=len(items),
        columns={name: np.asarray(_kept(column, keep)) for name, column in source.columns.items()},
    )
    if source.times is None:
        notes["times"] = "none; the order of the file stands in for them"
    item_features = _with_years(_features(source.item_side, items, "item", notes))
    user_features = _features(source.user_side, users, "user", notes)
    facts = Facts(name=source.name, repeats=source.repeats if repeats is None else repeats, notes=notes)
    return Dataset(log, users, items, item_features, user_features, facts)


@dataclass(frozen=True)
class _Events:
    users: NDArray[np.int32]  # (E,)
    items: NDArray[np.int32]  # (E,)
    times: NDArray[np.int64] | None  # (E,)


def _check(min_rating: float, min_user_events: int, min_item_events: int, duplicates: str) -> None:
    for name, value in (("min_rating", min_rating), ("min_user_events", min_user_events),
                        ("min_item_events", min_item_events)):  # fmt: skip
        if not 0 <= value < float("inf"):
            raise ConfigError("bad-value", f"{name} is {value}", "give 0 or more")
    if duplicates not in POLICIES:
        raise ConfigError("bad-value", f"duplicates is {duplicates!r}", f"one of {', '.join(POLICIES)}")


def _rated(source: Source, least: float, notes: dict[str, Any]) -> NDArray[np.bool_] | None:
    """(E,) events rated well enough; None is all of them."""
    if not least:
        return None
    if "rating" not in source.columns:
        raise DataError("no-rating", f"min_rating is {least:g} and the data have no ratings", "leave min_rating out")
    keep = np.asarray(source.columns["rating"], np.float32) >= np.float32(least)
    notes["dropped_low_rating"] = len(keep) - int(np.count_nonzero(keep))
    return keep


def _deduplicated(
    events: _Events, keep: NDArray[np.bool_] | None, policy: Policy, notes: dict[str, Any]
) -> NDArray[np.bool_] | None:
    """Count pairs that stand in several events, and thin them out as declared."""
    rows = slice(None) if keep is None else np.flatnonzero(keep)
    users, items = events.users[rows], events.items[rows]
    width = int(items.max(initial=0)) + 1
    narrow = (int(users.max(initial=0)) + 1) * width < 2**32  # half the bytes sort in half the time
    pairs = users.astype(np.uint32 if narrow else np.uint64) * width + items.astype(np.uint32)
    ordered = np.sort(pairs)
    again = ordered[1:] == ordered[:-1]
    notes["repeated_events"] = int(np.count_nonzero(again))
    if not notes["repeated_events"]:
        return keep
    many = np.flatnonzero(np.isin(pairs, ordered[1:][again]))
    rows, pairs = many if keep is None else np.flatnonzero(keep)[many], pairs[many]
    times = np.zeros(len(rows), np.int64) if events.times is None else events.times[rows]
    order = np.lexsort((times, pairs))  # stable, so ties keep the order of the file
    rows, pairs, times = rows[order], pairs[order], times[order]
    same = pairs[1:] == pairs[:-1]
    notes["repeated_rows"] = int(np.count_nonzero(same & (times[1:] == times[:-1])))
    notes["duplicates"] = policy
    if policy == "keep_all":
        return keep
    drop = rows[:-1][same] if policy == "last" else rows[1:][same]
    keep = np.ones(len(events.users), bool) if keep is None else keep.copy()
    keep[drop] = False
    notes["dropped_duplicates"] = len(drop)
    return keep


def _core(
    events: _Events,
    keep: NDArray[np.bool_] | None,
    sizes: tuple[int, int],
    least: tuple[int, int],
    notes: dict[str, Any],
) -> NDArray[np.bool_] | None:
    """The iterated core: no user and no item with fewer events than asked for. Linear in the events, each round."""
    if max(least) <= 1:
        return keep
    rows = np.arange(len(events.users)) if keep is None else np.flatnonzero(keep)
    before, rounds = len(rows), 0
    while True:
        fine = np.ones(len(rows), bool)
        for codes, size, few in zip((events.users[rows], events.items[rows]), sizes, least, strict=True):
            fine &= np.bincount(codes, minlength=size)[codes] >= few
        if fine.all():
            break
        rows, rounds = rows[fine], rounds + 1
    notes["dropped_few_events"], notes["core_rounds"] = before - len(rows), rounds
    out = np.zeros(len(events.users), bool)
    out[rows] = True
    return out


def _numbered(
    vocabulary: Vocabulary, codes: NDArray[np.int32], keep: NDArray[np.bool_] | None, more: Sequence[pl.Series]
) -> tuple[Vocabulary, NDArray[np.int32]]:
    """The vocabulary of what is kept and of `more` ids, and the kept codes in its numbers."""
    if keep is None and not more:
        return vocabulary, codes
    codes = codes if keep is None else codes[keep]
    used = np.flatnonzero(np.bincount(codes, minlength=len(vocabulary)))
    ids = vocabulary.decode(used)
    smaller = Vocabulary.of(pl.concat([ids, *(series.rename(ids.name) for series in more)]))
    renumber = np.full(len(vocabulary), -1, np.int32)
    renumber[used] = smaller.encode(ids)
    return smaller, renumber[codes]


def _kept(column: NDArray[Any] | None, keep: NDArray[np.bool_] | None) -> NDArray[Any] | None:
    return column if keep is None or column is None else column[keep]


def _told(notes: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in notes.items() if name.startswith("dropped_")) or "no rows"


def _features(tables: Sequence[SideTable], ids: Vocabulary, whose: str, notes: dict[str, Any]) -> Features:
    """The side tables on the data set's rows; what is said of others is counted and left out."""
    columns: dict[str, Column] = {}
    for table in tables:
        rows = ids.encode(table.ids).astype(np.int64)
        known = rows >= 0
        unknown = table.ids.filter(pl.Series(~known)).n_unique() if not known.all() else 0
        columns[table.name], repeated = _column(table, rows, known, len(ids))
        about = {"rows": len(rows), "ids_not_in_the_log": unknown}
        notes[f"{whose}_{table.name}"] = about | ({"repeated_and_left_out": repeated} if repeated else {})
    return Features(len(ids), columns)


def _column(table: SideTable, rows: NDArray[np.int64], known: NDArray[np.bool_], n: int) -> tuple[Column, int]:
    """One side table as a column of `n` rows, and how many values were repeats: the first one holds."""
    rows, values = rows[known], table.values.filter(pl.Series(known))
    weights = None if table.weights is None else table.weights[known]
    if table.kind == "categories":
        pairs = pl.DataFrame({"row": rows, "value": values})
        fresh = pairs.select(pl.struct("row", "value").is_first_distinct()).to_series().to_numpy()
        labels = values.filter(pl.Series(fresh)).to_list()
        kept = Categories.from_pairs(rows[fresh], labels, n, None if weights is None else weights[fresh])
        return kept, len(rows) - len(labels)
    first_rows, at = np.unique(rows, return_index=True)
    if table.kind == "numbers":
        numbers = np.full(n, np.nan)
        numbers[first_rows] = values.cast(pl.Float64).to_numpy()[at]
        return Numbers(numbers), len(rows) - len(at)
    texts = [""] * n
    for row, text in zip(first_rows.tolist(), values.gather(at.astype(np.uint32)).to_list(), strict=True):
        texts[row] = text
    return Texts(tuple(texts)), len(rows) - len(at)


def _with_years(features: Features) -> Features:
    """Years that are missing, taken from titles such as `Heat (1995)`; none where no title has one."""
    if "title" not in features or not isinstance(features.columns["title"], Texts):
        return features
    titles = pl.Series(features.texts("title").values, dtype=pl.String)
    said = titles.str.extract(r"\(((?:18|19|20)\d\d)(?:[-–](?:\d{4})?)?\)\s*$").cast(pl.Float64)
    told = said.fill_null(np.nan).to_numpy()
    year = features.columns.get("year")
    if (year is not None and not isinstance(year, Numbers)) or (year is None and np.isnan(told).all()):
        return features
    known = told if year is None else np.where(np.isnan(year.values), told, year.values)
    return Features(features.n, {**features.columns, "year": Numbers(known)})
