"""One table of events: CSV, TSV or Parquet, plain or gzipped, with the columns named or guessed from the usual names.

`columns` of an experiment says which column is what: `{user: customer, item: product, time: at}`. Roles: user, item,
time, rating, weight, session, watch_seconds, total_seconds; and `time_unit`, which is s, ms, us, ns or iso.

A folder with `interactions.csv` is read too, with what its other CSVs say of items and users (see `data/side.py`).
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from matinee.data.aliases import ALIASES
from matinee.data.blocks import regular_file
from matinee.data.reading import TextTable, read_text
from matinee.data.records import Format, records
from matinee.data.source import Reading, Source
from matinee.data.times import UNITS
from matinee.errors import ConfigError, DataError

NUMBERS = {"rating": False, "weight": False, "watch_seconds": True, "total_seconds": True}
"""Number roles; true where a value may be missing."""
SUFFIXES = {".csv": ",", ".tsv": "\t", ".tab": "\t"}
"""Suffix: its separator; elsewhere the header tells."""
SEPARATORS = (",", "\t", ";", "|")
IN_FOLDER = "interactions.csv"


def detect(path: Path) -> bool:
    """By names alone: what a header lacks is told when it is read."""
    if path.is_dir():
        return (path / IN_FOLDER).is_file()
    return path.is_file() and _suffix(path) in (".csv", ".tsv", ".tab", ".txt", ".parquet")


def read(path: Path, reading: Reading) -> Source:
    if path.is_dir():
        from matinee.data import side  # which itself reads the other layouts

        source = read(path / IN_FOLDER, reading)
        items, users = side.tables(path, reading)
        name = path.resolve().name
        return replace(source, name=name, item_side=side.merged((), items), user_side=side.merged((), users))
    table = _read_parquet(path, reading) if _suffix(path) == ".parquet" else _read_delimited(path, reading)
    roles = _roles(table, reading.columns)
    unit = reading.columns.get("time_unit")
    columns: dict[str, Any] = {
        role: table.numbers(roles[role], least=0.0, missing=missing).astype(np.float32)
        for role, missing in NUMBERS.items()
        if role in roles
    }
    if "session" in roles:
        columns["session"] = _sessions(table, roles["session"])
    times = table.times(roles["time"], unit) if "time" in roles else None
    users, items, times, *values = table.kept(table.ids(roles["user"]), table.ids(roles["item"]), times,
                                              *columns.values())  # fmt: skip
    name = path.name.split(".")[0] or "table"
    return Source(name=name, layout="table", users=users, items=items, times=times,
                  columns=dict(zip(columns, values, strict=True)), notes={"columns": dict(roles)})  # fmt: skip


def _roles(table: TextTable, asked: Mapping[str, str]) -> dict[str, str]:
    """Which column is what: as asked, and elsewhere by the usual names. Users and items must be found."""
    known = [*ALIASES, "time_unit"]
    for role in asked:
        if role not in known:
            close = difflib.get_close_matches(role, known, 1)
            way = f"did you mean {close[0]!r}?" if close else f"one of {', '.join(known)}"
            raise ConfigError("unknown-key", f"columns has no role {role!r}", way)
    if asked.get("time_unit", "s") not in (*UNITS, "iso"):
        raise ConfigError("bad-value", f"time_unit is {asked['time_unit']!r}", f"one of {', '.join(UNITS)}, iso")
    named = {role: column for role, column in asked.items() if role != "time_unit"}
    for column in named.values():
        table.column(column)
    left = [name for name in table.frame.columns if name not in named.values()]
    roles = {role: column for role, column in _guessed(left).items() if role not in named} | named
    for role in ("user", "item"):
        if role not in roles:
            table.column(role)  # raises, with the names there are
    return roles


def _guessed(names: list[str]) -> dict[str, str]:
    plain = {name.strip().lower(): name for name in reversed(names)}
    found = {role: [plain[alias] for alias in aliases if alias in plain] for role, aliases in ALIASES.items()}
    return {role: names[0] for role, names in found.items() if names}


def _sessions(table: TextTable, name: str) -> np.ndarray[Any, np.dtype[np.int64]]:
    """(n,) sessions numbered in the order of first appearance, whatever their names look like."""
    names = table.column(name)
    first = names.unique(maintain_order=True)
    numbers = pl.DataFrame({"name": first, "number": np.arange(len(first))})
    joined = pl.DataFrame({"name": names}).join(numbers, on="name", how="left", maintain_order="left")
    return joined["number"].to_numpy().astype(np.int64)


def _read_delimited(path: Path, reading: Reading) -> TextTable:
    separator = _separator(path, reading.encoding)
    return read_text(path, separator=separator, header=None, encoding=None, reading=reading, numbers=True)


def _separator(path: Path, encoding: str | None) -> str:
    """By the suffix, unless the header does not have it at all and has another."""
    first = next(records(path, Format(",", False, encoding), None), None)
    line = "" if first is None else first.raw
    usual = SUFFIXES.get(_suffix(path), "")
    if usual and usual in line:
        return usual
    best = max(SEPARATORS, key=line.count)
    return best if best in line else usual or ","


def _suffix(path: Path) -> str:
    name = path.name.lower().removesuffix(".gz")
    return Path(name).suffix


def _parquet(path: Path) -> pl.LazyFrame:
    regular_file(path)
    try:
        frame = pl.scan_parquet(path)
        frame.collect_schema()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError("bad-parquet", f"not a Parquet file ({error})", "write it again", path) from None
    return frame


def _read_parquet(path: Path, reading: Reading) -> TextTable:
    """The columns that have a role, as text; missing values are empty."""
    lazy = _parquet(path)
    schema = dict(lazy.collect_schema())
    wanted = set(_guessed(list(schema)).values()) | (set(reading.columns.values()) & set(schema))
    for name in wanted:
        if schema[name].is_nested() or schema[name] == pl.Binary:
            raise DataError("bad-column", f"column {name!r} holds {schema[name]}", "give text or numbers", path)
    columns = [_as_text(name, schema[name]) for name in schema if name in wanted] or [pl.lit("").alias("none")]
    try:
        frame = lazy.select(columns).collect()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError("bad-parquet", f"cannot be read ({error})", "write it again", path) from None
    reading.progress(f"reading {path.name}", 1, 1)
    return TextTable(path, frame, reading)


def _as_text(name: str, kind: pl.DataType) -> pl.Expr:
    column = pl.col(name)
    if isinstance(kind, pl.Datetime | pl.Date):
        column = column.cast(pl.Datetime("ms")).dt.epoch("s")
    return column.cast(pl.String).fill_null("")
