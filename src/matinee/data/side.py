"""Further files about items or users, joined to a log by raw id, and how much of the log they cover.

What a folder may hold: the TSVs of the boostcamp layout, the film and user files of MovieLens, RecBole's .item and
.user, the albums and profiles of U+, and any CSV or TSV whose header names an item or a user and not both.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from matinee.data.aliases import ALIASES
from matinee.data.layouts import boostcamp, movielens, recbole, uplus
from matinee.data.reading import TextTable, read_text
from matinee.data.records import Format, records
from matinee.data.side_tables import labels, lists, numbers, standard, texts, weighted
from matinee.data.source import Reading, SideTable, Source
from matinee.errors import DataError

Sides = tuple[list[SideTable], list[SideTable]]
"""Of items, of users."""

SEPARATORS = {".csv": ",", ".tsv": "\t"}
LABELS = frozenset({"genre", "director", "writer", "cast", "keyword", "tag", "gender", "occupation", "country"})
"""Columns that hold labels, whatever their values look like."""
BAR = "|"  # parts labels inside a cell


def join(source: Source, folder: Path, reading: Reading) -> Source:
    """`source` with what `folder`, or one CSV or TSV file, says of its items and users.

    A column that is there already is only completed: what the log's own files say of an id holds. The coverage of the
    join stands in `notes["joined"]`. Raises DataError where there is nothing to join, or nothing in common.
    """
    items, users = tables(folder, reading)
    if not items and not users:
        raise DataError("no-side-files", "no file about items or users in it",
                        "a CSV needs a header with one column for the item or the user", folder)  # fmt: skip
    facts: dict[str, Any] = {"from": folder.name}
    for whose, ids, found, own in (
        ("items", source.items.cast(pl.String), items, source.item_side),
        ("users", source.users.cast(pl.String), users, source.user_side),
    ):
        if found:
            facts[whose] = coverage(ids, found, own)
    if not any(facts[whose]["shared"] for whose in ("items", "users") if whose in facts):
        raise DataError("nothing-in-common", "none of its ids is in the log", "see that both use the same ids", folder)
    return replace(
        source,
        item_side=merged(source.item_side, items),
        user_side=merged(source.user_side, users),
        notes={**source.notes, "joined": [*source.notes.get("joined", []), facts]},
    )


def tables(folder: Path, reading: Reading) -> Sides:
    """All side tables of a folder, or of one CSV or TSV file."""
    if not folder.is_dir():
        return _of_files([folder], reading)
    names = {path.name for path in folder.iterdir()}
    items: list[SideTable] = [
        boostcamp.read_side(folder / file, name, kind, reading) for file, name, kind in boostcamp.SIDE if file in names
    ]
    films, people = movielens.side(folder, reading)
    items += [*films, *uplus.item_side(folder, reading)]
    users = [*people, *uplus.user_side(folder, reading)]
    for name in sorted(names):
        if name.endswith(".item"):
            items += recbole.side(folder / name, "item", reading)
        elif name.endswith(".user"):
            users += recbole.side(folder / name, "user", reading)
    taken = {file for file, _, _ in boostcamp.SIDE} | {uplus.HISTORY, *uplus.OTHERS} | set(movielens.csv_files(folder))
    rest = [folder / name for name in sorted(names - taken) if _separator(folder / name)]
    more_items, more_users = _of_files(rest, reading)
    return [*items, *more_items], [*users, *more_users]


def _of_files(paths: Sequence[Path], reading: Reading) -> Sides:
    found: Sides = ([], [])
    for path in paths:
        whose = _whose(path, reading)
        if whose is not None:
            table = read_text(path, separator=_separator(path) or ",", header=None, encoding=None, reading=reading)
            found[0 if whose[0] == "item" else 1].extend(_of_table(table, *whose))
    return found


def _whose(path: Path, reading: Reading) -> tuple[str, str] | None:
    """`item` or `user`, and the column with its id; None for a table of events or of something else."""
    form = Format(_separator(path) or ",", True, reading.encoding)
    first = next(records(path, form, None), None)
    header = [] if first is None else first.fields
    found = [(whose, name) for whose in ("item", "user") for name in header if name.strip().lower() in ALIASES[whose]]
    return found[0] if len({whose for whose, _ in found}) == 1 else None


def _separator(path: Path) -> str:
    """By the suffix; empty for a file that is neither CSV nor TSV."""
    return SEPARATORS.get(Path(path.name.lower().removesuffix(".gz")).suffix, "")


def _of_table(table: TextTable, whose: str, key: str) -> Iterator[SideTable]:
    """Each column by its name and its values: labels, numbers or text."""
    names = [name for name in table.frame.columns if name != key]
    ids = table.ids(key)
    if names[1:] == ["weight"]:
        kept, values, weights = table.kept(ids, table.column(names[0]), table.numbers("weight", least=0))
        yield weighted(standard(names[0]), kept, values, weights)
        return
    for name in names:
        (kept, text) = table.kept(ids, table.column(name))
        own_file = len(names) == 1 and table.path.stem.startswith(f"{whose}_")
        yield _guessed(standard(name), kept, text, own_file)


def _guessed(name: str, ids: pl.Series, text: pl.Series, labelled: bool) -> SideTable:
    if labelled:
        return labels(name, ids, [text])
    if name == "title":
        return texts(name, ids, text)
    known = text.filter(text != "")
    values = np.array(text.cast(pl.Float64, strict=False).fill_null(np.nan).to_numpy())
    if name not in LABELS and np.isfinite(values).sum() == len(known) and ids.is_unique().all():
        return numbers(name, ids, values)
    if name in LABELS or known.str.contains(BAR, literal=True).any():
        return lists(name, ids, text, BAR)
    if ids.n_unique() < len(ids) or known.n_unique() <= len(known) // 2:
        return labels(name, ids, [text])
    return texts(name, ids, text)


def merged(own: Sequence[SideTable], found: Sequence[SideTable]) -> tuple[SideTable, ...]:
    """All tables by name; a later one of the same name and kind adds what it says of ids that the earlier lacks."""
    by_name = {table.name: table for table in own}
    for table in found:
        earlier = by_name.get(table.name)
        if earlier is None:
            by_name[table.name] = table
        elif earlier.kind == table.kind:
            by_name[table.name] = _completed(earlier, table)
    return tuple(by_name.values())


def _completed(earlier: SideTable, later: SideTable) -> SideTable:
    new = ~later.ids.is_in(earlier.ids.unique().implode())
    weights = None
    if earlier.weights is not None or later.weights is not None:
        parts = [np.ones(len(table.ids), np.float32) if table.weights is None else table.weights
                 for table in (earlier, later)]  # fmt: skip
        weights = np.concatenate([parts[0], parts[1][new.to_numpy()]])
    return replace(
        earlier,
        ids=pl.concat([earlier.ids.alias("id"), later.ids.filter(new).alias("id")]),
        values=pl.concat([earlier.values.alias("value"), later.values.filter(new).alias("value")]),
        weights=weights,
    )


def coverage(log_ids: pl.Series, found: Sequence[SideTable], own: Sequence[SideTable]) -> dict[str, Any]:
    """How many of the log's ids (E,) the tables know, by ids and by events, together and column by column."""
    counts = pl.DataFrame({"id": log_ids}).group_by("id").len("events")
    everything = pl.concat([table.ids.alias("id") for table in found])
    facts: dict[str, Any] = {"in_log": len(counts), **_covered(counts, everything, "shared")}
    facts["columns"] = {table.name: _covered(counts, table.ids, "known") for table in found}
    own_titles, titles = (next((t for t in side if t.name == "title"), None) for side in (own, found))
    if own_titles is not None and titles is not None:
        facts |= _titles_apart(counts["id"], own_titles, titles)
    return facts


def _covered(counts: pl.DataFrame, ids: pl.Series, name: str) -> dict[str, Any]:
    known = counts.filter(pl.col("id").is_in(ids.unique().implode()))
    return {name: len(known), "share": len(known) / max(1, len(counts)),
            "event_share": int(known["events"].sum()) / max(1, int(counts["events"].sum()))}  # fmt: skip


def _titles_apart(known: pl.Series, own: SideTable, other: SideTable) -> dict[str, Any]:
    """Shared ids whose titles begin differently: a few are another spelling, many are another numbering."""
    theirs = pl.DataFrame({"id": other.ids, "theirs": other.values}).unique("id", keep="first")
    pairs = pl.DataFrame({"id": own.ids, "ours": own.values}).join(theirs, on="id", maintain_order="left")
    pairs = pairs.filter(pl.col("id").is_in(known.implode()))
    name = pl.col("ours", "theirs").str.replace(r"\(\d{4}\)\s*$", "").str.to_lowercase()
    begins = pairs.select(name.str.replace_all(r"[^\pL\pN]", "").str.slice(0, 4))
    apart = pairs.filter(begins["ours"] != begins["theirs"])
    examples = apart.head(3).to_dicts()
    return {"titles_compared": len(pairs), "titles_apart": len(apart), "titles_apart_examples": examples}
