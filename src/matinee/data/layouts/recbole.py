"""RecBole's atomic files: NAME.inter, NAME.user, NAME.item; tab-separated, with a typed header.

    user_id:token  item_id:token  rating:float  timestamp:float

`token` is one label, `token_seq` several with blanks between, `float` a number, `float_seq` several. Titles are a
token_seq there and one text here. What is ours alone goes in columns of their own, which RecBole can load or leave:
`session:token`, and `keyword_weight:float_seq` beside `keyword:token_seq` for graded labels.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from matinee.data import frames
from matinee.data.aliases import ALIASES
from matinee.data.columns import Categories, Features, Texts
from matinee.data.dataset import Dataset
from matinee.data.ids import Vocabulary
from matinee.data.reading import TextTable, read_text
from matinee.data.side_tables import labels, lists, numbers, standard, texts
from matinee.data.source import Reading, SideTable, Source
from matinee.errors import DataError

TYPES = ("token", "token_seq", "float", "float_seq")
EVENT_NUMBERS = ("rating", "weight", "watch_seconds", "total_seconds")
WEIGHT = "_weight"


@dataclass(frozen=True)
class Typed:
    """A file whose columns are found by name and type."""

    table: TextTable
    types: dict[str, str]  # plain name -> type

    def full(self, name: str) -> str:
        return f"{name}:{self.types[name]}"

    def role(self, role: str, *, needed: bool = False) -> str | None:
        """The plain name of the column with this role. Raises DataError where it is needed and missing."""
        plain = {name.lower(): name for name in reversed(list(self.types))}
        for alias in ALIASES[role]:
            if alias in plain:
                return plain[alias]
        if needed:
            self.table.column(f"{role}_id:token")  # raises, with the names there are
        return None


def detect(path: Path) -> bool:
    """A .inter file, or a folder with one."""
    return path.suffix == ".inter" or (path.is_dir() and any(path.glob("*.inter")))


def read(path: Path, reading: Reading) -> Source:
    """Raises DataError where a header has no types, where a folder has several data sets, and as `read_text` does."""
    inter = _inter(path)
    typed = _typed(inter, reading)
    user, item = (typed.full(typed.role(role, needed=True) or "") for role in ("user", "item"))
    roles = {role: name for role in EVENT_NUMBERS if (name := typed.role(role)) and typed.types[name] == "float"}
    columns: dict[str, NDArray[np.generic]] = {
        role: typed.table.numbers(typed.full(name), missing=True).astype(np.float32) for role, name in roles.items()
    }
    time, session = typed.role("time"), typed.role("session")
    times = None if time is None else typed.table.times(typed.full(time))
    if session is not None:
        columns["session"] = _sessions(typed.table, typed.full(session))
    users, items, times, *values = typed.table.kept(
        typed.table.ids(user), typed.table.ids(item), times, *columns.values()
    )
    used = {*roles.values(), time, session, typed.role("user"), typed.role("item")}
    left = sorted(set(typed.types) - used)
    return Source(
        name=inter.stem,
        layout="recbole",
        users=users,
        items=items,
        times=times,
        columns=dict(zip(columns, values, strict=True)),
        item_side=side(inter.with_suffix(".item"), "item", reading),
        user_side=side(inter.with_suffix(".user"), "user", reading),
        notes={"columns_left_out": left} if left else {},
    )


def side(path: Path, whose: str, reading: Reading) -> tuple[SideTable, ...]:
    """The columns of a .item or .user file; empty where there is none. Vectors (`float_seq`) are left out."""
    if not path.is_file():
        return ()
    typed = _typed(path, reading)
    key = typed.role(whose, needed=True)
    ids = typed.table.ids(typed.full(key or ""))
    return tuple(
        _side_table(typed, ids, name)
        for name, kind in typed.types.items()
        if name != key and kind != "float_seq"
    )  # fmt: skip


def _side_table(typed: Typed, ids: pl.Series, name: str) -> SideTable:
    kind, full, ours = typed.types[name], typed.full(name), standard(name)
    text = typed.table.column(full)
    if kind == "float" or (ours == "year" and text.str.contains(r"^\d*$").all()):
        kept, values = typed.table.kept(ids, typed.table.numbers(full, missing=True))
        return numbers(ours, kept, values)
    weights = typed.table.column(typed.full(name + WEIGHT)) if typed.types.get(name + WEIGHT) == "float_seq" else None
    kept, text, weights = typed.table.kept(ids, text, weights)
    if ours == "title":
        return texts(ours, kept, text)
    if kind == "token":
        return labels(ours, kept, [text])
    return lists(ours, kept, text, " ", weights)


def _typed(path: Path, reading: Reading) -> Typed:
    table = read_text(path, separator="\t", header=None, encoding=None, reading=reading)
    types: dict[str, str] = {}
    for full in table.frame.columns:
        name, _, kind = full.rpartition(":")
        if kind not in TYPES or not name:
            raise DataError("untyped-column", f"column {full!r} has no type",
                            "write NAME:TYPE, where TYPE is token, token_seq, float or float_seq", path)  # fmt: skip
        types[name] = kind
    return Typed(table, types)


def _inter(path: Path) -> Path:
    if not path.is_dir():
        return path
    found = sorted(path.glob("*.inter"))
    if len(found) > 1:
        same = [file for file in found if file.stem == path.resolve().name]
        if not same:
            names = ", ".join(file.name for file in found)
            raise DataError("several-logs", f"several data sets in one folder: {names}", "name one of the files", path)
        return same[0]
    return found[0] if found else path / f"{path.name}.inter"


def _sessions(table: TextTable, name: str) -> NDArray[np.int64]:
    """(n,) whole numbers as they stand; anything else numbered in the order of first appearance."""
    text = table.column(name)
    if text.str.contains(r"^\d{1,18}$").all():
        return text.cast(pl.Int64).to_numpy()
    return text.rank("dense").to_numpy().astype(np.int64)


def write(dataset: Dataset, folder: Path, name: str) -> None:
    """NAME.inter, and NAME.user and NAME.item where something is known of users and items."""
    frames.write_csv(folder / f"{name}.inter", _events(dataset), "\t")
    for suffix, vocabulary, features in (
        ("user", dataset.users, dataset.user_features),
        ("item", dataset.items, dataset.item_features),
    ):
        if features.columns:
            frame = _wide(vocabulary, features, f"{suffix}_id:token")
            frames.write_csv(folder / f"{name}.{suffix}", [frame], "\t")


def _events(dataset: Dataset) -> Iterator[pl.DataFrame]:
    names = {"user": "user_id:token", "item": "item_id:token", "time": "timestamp:float", "session": "session:token"}
    for frame in frames.events(dataset):
        frame = frame if frames.has_times(dataset) else frame.drop("time")
        yield frame.rename({column: names.get(column, f"{column}:float") for column in frame.columns})


def _wide(vocabulary: Vocabulary, features: Features, key: str) -> pl.DataFrame:
    """One row for each id, one cell for each column; unknown is empty."""
    table = pl.DataFrame({key: vocabulary.series})
    for name, column in features.columns.items():
        frame = frames.side(vocabulary, column).rename({"id": key})
        if isinstance(column, Categories):
            cells = _cells(frame, key, name, column)
        else:
            cells = frame.rename({"value": f"{name}:{'token_seq' if isinstance(column, Texts) else 'float'}"})
        table = table.join(cells, on=key, how="left", maintain_order="left")
    return table


def _cells(frame: pl.DataFrame, key: str, name: str, column: Categories) -> pl.DataFrame:
    """Labels of an id in one cell. One label at most keeps its blanks; in lists a blank becomes an underscore."""
    if column.weights is None and int(np.diff(column.indptr).max(initial=0)) < 2:
        return frame.rename({"value": f"{name}:token"})
    joined = [pl.col("value").str.replace_all(" ", "_", literal=True).str.join(" ").alias(f"{name}:token_seq")]
    if column.weights is not None:
        joined.append(pl.col("weight").cast(pl.String).str.join(" ").alias(f"{name}{WEIGHT}:float_seq"))
    return frame.group_by(key, maintain_order=True).agg(joined)
