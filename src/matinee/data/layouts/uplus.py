"""LG U+ AI Ground 2022, a media service for children: the seven CSV files of the competition.

Needed is `history_data.csv`; `profile_data.csv` should be there; the others are read where they are. Watching again is
normal, so lists may hold what was seen. Three traits of the files are handled and counted, and nothing is dropped:

- Times are local, YYYYMMDDHHMMSS, and some have 60 to 99 seconds (masked): these carry over into the next minute.
  They are taken as UTC, so that hours of the day stay those of the place.
- Some rows of the history stand there twice.
- A view's end is a row of another file: it belongs to the latest start, at or before it, of the same profile, session
  and album. About one start in nine has no end; its watch time is NaN.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from matinee.data.reading import TextTable, read_text
from matinee.data.side_tables import labels, numbers, texts, weighted
from matinee.data.source import Reading, SideTable, Source

HISTORY = "history_data.csv"
OTHERS = ("profile_data.csv", "watch_e_data.csv", "meta_data.csv", "meta_data_plus.csv", "buy_data.csv",
          "search_data.csv")  # fmt: skip


def detect(path: Path) -> bool:
    """Is this the folder of the competition's files, or its history?"""
    return (path / HISTORY).is_file() or path.name == HISTORY


def read(path: Path, reading: Reading) -> Source:
    """All files of the folder. Raises DataError where one is not as described, with line and column."""
    folder = path.parent if path.name == HISTORY else path
    history = _table(folder, HISTORY, reading)
    users, items, sessions, times, notes = _views(history)
    watched, total = np.full((2, len(users)), np.nan, np.float32)
    missing = [name for name in OTHERS if not (folder / name).is_file()]
    if "watch_e_data.csv" not in missing:
        ends = _table(folder, "watch_e_data.csv", reading)
        starts = pl.DataFrame({"user": users, "item": items, "session": sessions, "time": times})
        watched, total, more = _watch_time(starts, ends)
        notes |= more
    for name, what in (("buy_data.csv", "purchases"), ("search_data.csv", "searches")):
        if name not in missing:
            notes[what] = len(_table(folder, name, reading))
    if missing:
        notes["missing_files"] = missing
    return Source(
        name=folder.resolve().name,
        layout="uplus",
        users=users,
        items=items,
        times=times,
        columns={"session": sessions, "watch_seconds": watched, "total_seconds": total},
        item_side=item_side(folder, reading),
        user_side=user_side(folder, reading),
        repeats=True,
        notes=notes,
    )


def item_side(folder: Path, reading: Reading) -> tuple[SideTable, ...]:
    """Albums: title, genre, cast, country, year, run_time; keyword and keyword_type, both with weights."""
    tables: list[SideTable] = []
    if (folder / "meta_data.csv").is_file():
        tables += _albums(_table(folder, "meta_data.csv", reading))
    if (folder / "meta_data_plus.csv").is_file():
        table = _table(folder, "meta_data_plus.csv", reading)
        ids, kinds, names = table.ids("album_id"), table.column("keyword_type"), table.column("keyword_name")
        ids, kinds, names, values = table.kept(ids, kinds, names, table.numbers("keyword_value"))
        tables += [weighted("keyword", ids, names, values), weighted("keyword_type", ids, kinds, values)]
    return tuple(tables)


def user_side(folder: Path, reading: Reading) -> tuple[SideTable, ...]:
    """Profiles: gender, age, and the interests of the parents and of the child; empty where there is no such file."""
    if not (folder / "profile_data.csv").is_file():
        return ()
    table = _table(folder, "profile_data.csv", reading)
    interests = {name: [f"{code}_interest_keyword_cd_{at}" for at in (1, 2, 3)]
                 for name, code in (("parent_keyword", "pr"), ("child_keyword", "ch"))}  # fmt: skip
    names = ["sex", *interests["parent_keyword"], *interests["child_keyword"]]
    ids, age, *columns = table.kept(
        table.ids("profile_id"), table.numbers("age", missing=True), *(table.column(name) for name in names)
    )
    named = dict(zip(names, columns, strict=True))
    return (
        labels("gender", ids, [named["sex"]]),
        numbers("age", ids, age),
        *(labels(name, ids, [named[column] for column in of]) for name, of in interests.items()),
    )


def _table(folder: Path, name: str, reading: Reading) -> TextTable:
    return read_text(folder / name, separator=",", header=None, encoding=None, reading=reading)


def _views(table: TextTable) -> tuple[pl.Series, pl.Series, NDArray[np.int64], NDArray[np.int64], dict[str, Any]]:
    """Users, items, sessions and times (E,), and what was noticed."""
    suspects = table.frame.filter(table.frame.hash_rows().is_duplicated())  # far fewer rows to compare in full
    doubled = len(suspects) - suspects.n_unique()
    times, carried = stamps(table, "log_time")
    users, items, sessions, times, carried = table.kept(
        table.ids("profile_id"), table.ids("album_id"), table.numbers("ss_id").astype(np.int64), times, carried
    )
    notes = {"doubled_rows": doubled, "seconds_carried_over": int(carried.sum())}
    return users, items, sessions, times, notes


def stamps(table: TextTable, name: str) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """(n,) seconds since 1970 of YYYYMMDDHHMMSS, and a mask of those with more than 59 seconds."""
    text = table.column(name)
    number = text.cast(pl.Int64, strict=False).fill_null(0).to_numpy()
    number, second = np.divmod(number, 100)
    number, minute = np.divmod(number, 100)
    number, hour = np.divmod(number, 100)
    number, day = np.divmod(number, 100)
    year, month = np.divmod(number, 100)
    months = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    first, after = (m.astype("datetime64[D]").astype(np.int64) for m in (months, months + 1))
    bad = (text.str.len_bytes() != 14).to_numpy() | (year < 1970) | (month < 1) | (month > 12)
    bad |= (day < 1) | (day > after - first) | (hour > 23) | (minute > 59)
    table.refuse(bad, name, "bad-time", "not a time like 20220301160059", "write YYYYMMDDHHMMSS")
    seconds = (((first + day - 1) * 24 + hour) * 60 + minute) * 60 + second
    return np.where(bad, 0, seconds), ~bad & (second > 59)


def _watch_time(
    starts: pl.DataFrame, table: TextTable
) -> tuple[NDArray[np.float32], NDArray[np.float32], dict[str, Any]]:
    """Seconds watched and seconds in all (E,) for each start; where several ends fit, the one that watched most."""
    times, carried = stamps(table, "log_time")
    columns = (table.ids("profile_id"), table.ids("album_id"), table.numbers("ss_id").astype(np.int64), times, carried,
               table.numbers("watch_time", least=0, missing=True), table.numbers("total_time", least=0, missing=True))
    users, items, sessions, times, carried, seconds, whole = table.kept(*columns)
    ends = pl.DataFrame({"user": users, "item": items, "session": sessions, "time": times, "seconds": seconds,
                         "whole": whole}).sort("time", maintain_order=True)  # fmt: skip
    begun = starts.with_row_index("start").sort("time", maintain_order=True)
    known = {name: begun[name].unique(maintain_order=True) for name in ("user", "item")}
    begun, ends = (  # joining by small integers is several times faster than by text; an unknown id becomes null
        frame.with_columns(pl.col(name).cast(pl.Enum(ids), strict=False).to_physical() for name, ids in known.items())
        for frame in (begun, ends)
    )
    found = ends.join_asof(begun, on="time", by=["user", "item", "session"], strategy="backward",
                           check_sortedness=False)  # fmt: skip
    matched = found.drop_nulls("start").sort(pl.col("seconds").fill_nan(-1.0), maintain_order=True)
    watched, total = np.full((2, len(starts)), np.nan, np.float32)
    at = matched["start"].to_numpy()
    watched[at], total[at] = matched["seconds"].to_numpy(), matched["whole"].to_numpy()
    notes = {
        "ends": len(ends),
        "ends_without_start": len(ends) - len(matched),
        "end_seconds_carried_over": int(carried.sum()),
        "views_without_end": len(starts) - matched["start"].n_unique(),
    }
    return watched, total, notes


def _albums(table: TextTable) -> list[SideTable]:
    """Several rows an album are normal: texts and numbers are the first row's, labels those of all rows."""
    names = ["title", "sub_title", "genre_large", "genre_mid", "genre_small", "country", "onair_date",
             *(f"cast_{at}" for at in range(1, 8))]  # fmt: skip
    ids, run_time, *columns = table.kept(
        table.ids("album_id"), table.numbers("run_time", missing=True), *(table.column(name) for name in names)
    )
    named = dict(zip(names, columns, strict=True))
    whole = pl.DataFrame({"title": named["title"], "sub": named["sub_title"]}).select(
        pl.concat_str("title", "sub", separator=" ").str.strip_chars()
    )["title"]
    year = named["onair_date"].str.extract(r"^(\d{4})").cast(pl.Float64).fill_null(np.nan).to_numpy()
    return [
        texts("title", ids, whole),
        labels("genre", ids, [named[name] for name in ("genre_large", "genre_mid", "genre_small")]),
        labels("cast", ids, [named[f"cast_{at}"] for at in range(1, 8)]),
        labels("country", ids, [named["country"]]),
        numbers("year", ids, year),
        numbers("run_time", ids, run_time),
    ]
