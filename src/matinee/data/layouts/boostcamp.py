"""The layout of the Naver Boostcamp movie competition: train_ratings.csv, five TSVs beside it, and a derived JSON.

    train_ratings.csv  user,item,time      titles.tsv  item,title      years.tsv    item,year
    genres.tsv         item,genre          directors.tsv  item,director    writers.tsv  item,writer
    Ml_item2attributes.json  {"item": [genre number, ...]}, numbered in the order in which genres.tsv first names them

Only the ratings are needed. The JSON says nothing new: it is made from genres.tsv, and compared where it is present.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Literal

import polars as pl

from matinee.data.blocks import blocks
from matinee.data.reading import read_text
from matinee.data.records import Format, records
from matinee.data.source import Reading, SideTable, Source
from matinee.errors import DataError

RATINGS = "train_ratings.csv"
ATTRIBUTES = "Ml_item2attributes.json"
HEADER = ["user", "item", "time"]
SIDE: tuple[tuple[str, str, Literal["categories", "numbers", "texts"]], ...] = (
    ("titles.tsv", "title", "texts"),
    ("years.tsv", "year", "numbers"),
    ("genres.tsv", "genre", "categories"),
    ("directors.tsv", "director", "categories"),
    ("writers.tsv", "writer", "categories"),
)
"""File, column and kind of each side file."""


def detect(path: Path) -> bool:
    ratings = _ratings(path)
    if not ratings.is_file():
        return False
    if ratings.name == RATINGS:
        return True
    header = next(records(ratings, Format(","), None), None) if ratings.suffix in (".csv", ".gz") else None
    return header is not None and header.fields == HEADER


def read(path: Path, reading: Reading) -> Source:
    ratings = _ratings(path)
    table = read_text(ratings, separator=",", header=None, encoding=None, reading=reading, numbers=True)
    users, items, times = table.kept(table.ids("user"), table.ids("item"), table.times("time"))
    side = tuple(
        read_side(ratings.parent / file, name, kind, reading)
        for file, name, kind in SIDE
        if os.path.lexists(ratings.parent / file)  # a broken link is an error, not a missing file
    )
    notes = {}
    genres = next((column for column in side if column.name == "genre"), None)
    if genres is not None and (ratings.parent / ATTRIBUTES).exists():
        notes["attributes_json"] = _compared(ratings.parent / ATTRIBUTES, attributes(genres))
    folder = ratings.resolve().parent
    name = folder.parent.name if folder.name == "train" else folder.name
    return Source(name=name or "boostcamp", layout="boostcamp", users=users, items=items, times=times,
                  item_side=side, notes=notes)  # fmt: skip


def read_side(
    path: Path, name: str, kind: Literal["categories", "numbers", "texts"], reading: Reading
) -> SideTable:
    """One TSV of (item, value) rows."""
    table = read_text(path, separator="\t", header=None, encoding=None, reading=reading)
    ids = table.ids("item")
    values = pl.Series(table.numbers(name)) if kind == "numbers" else table.column(name)
    ids, values = table.kept(ids, values)
    return SideTable(name=name, kind=kind, ids=ids, values=values)


def attributes(genres: SideTable) -> dict[str, list[int]]:
    """Each item's genre numbers in file order; a genre's number is its place in the order of first appearance."""
    first_seen = genres.values.unique(maintain_order=True)
    number = {genre: position for position, genre in enumerate(first_seen.to_list())}
    out: dict[str, list[int]] = {}
    for item, genre in zip(genres.ids.to_list(), genres.values.to_list(), strict=True):
        out.setdefault(item, []).append(number[genre])
    return out


def _compared(path: Path, derived: dict[str, list[int]]) -> dict[str, Any]:
    """How the JSON beside the TSVs agrees with them; a disagreement is told and the TSV holds."""
    content = b"".join(blocks(path, None))
    try:
        stored = json.loads(content)
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DataError("bad-json", f"not JSON ({error})", "remove it: it is made from genres.tsv", path) from None
    if not isinstance(stored, dict):
        raise DataError("bad-json", f"a {type(stored).__name__}, not an object of items",
                        "remove it: it is made from genres.tsv", path)  # fmt: skip
    other = sorted(item for item in derived.keys() | stored.keys() if derived.get(item) != stored.get(item))
    facts: dict[str, Any] = {"items": len(stored), "disagreeing": len(other)}
    if other:
        facts["warning"] = f"{ATTRIBUTES} differs from genres.tsv on {len(other)} items, such as {other[:3]}"
    return facts


def _ratings(path: Path) -> Path:
    """The ratings file that `path` is, or has, or has under train/."""
    if not path.is_dir():
        return path
    inside = path / RATINGS
    return inside if inside.exists() else path / "train" / RATINGS
