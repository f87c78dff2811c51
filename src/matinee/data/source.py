"""What a layout hands over: rows as they stand in the files, ids as text, nothing dropped or renumbered yet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class SideTable:
    """One column of side information: (id, value) rows; an id may stand in several rows where `kind` is categories."""

    name: str  # title, year, genre, director, writer; gender, age, occupation ...
    kind: Literal["categories", "numbers", "texts"]
    ids: pl.Series  # (n,) String, raw ids
    values: pl.Series  # (n,) String, or Float64 where kind is numbers
    weights: NDArray[np.float32] | None = None  # (n,) where the source grades its labels


@dataclass(frozen=True, kw_only=True)
class Source:
    name: str
    layout: str
    users: pl.Series  # (E,) raw ids in file order: String, or Int64 where all are the only text of a whole number
    items: pl.Series  # (E,) the same
    times: NDArray[np.int64] | None  # (E,) Unix seconds
    columns: Mapping[str, NDArray[np.generic]] = field(default_factory=dict)
    """(E,) event columns: `rating` float32, `watch_seconds`, `total_seconds` float32 (NaN unknown), `session` int64."""
    item_side: tuple[SideTable, ...] = ()
    user_side: tuple[SideTable, ...] = ()
    repeats: bool = False
    """The layout's own answer to: may an item be recommended again?"""
    notes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Reject:
    """A row that was left out."""

    file: str
    line: int
    column: int
    code: str
    raw: str  # cut at 300 characters


@dataclass(frozen=True)
class Findings:
    """What the readers of one data set noticed on the way; they fill it, `load` tells it."""

    rejects: list[Reject] = field(default_factory=list)
    notes: dict[str, Any] = field(default_factory=dict)  # JSON-able; joins the notes of the data set


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How to read; the same for every layout."""

    columns: Mapping[str, str] = field(default_factory=dict)  # for `table`: user, item, time, rating, ... -> column
    encoding: str | None = None  # None: the layout's own
    bad_rows: Literal["refuse", "skip"] = "refuse"
    max_bad_share: float = 0.01
    rejects: str | None = None  # where skipped rows are written
    progress: Callable[[str, int, int], None] = lambda what, done, total: None
    findings: Findings = field(default_factory=Findings)
