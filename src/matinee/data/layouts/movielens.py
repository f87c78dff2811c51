"""MovieLens in its three shapes, and data sets in its style such as MovieTweetings.

    100K               u.data (tab), u.item and u.user (bars)           no headers, films in Latin-1
    1M, 10M            ratings.dat, movies.dat, users.dat, tags.dat     `::`, no headers, Latin-1 or UTF-8
    20M, 25M, latest   ratings.csv, movies.csv, tags.csv                CSV with headers, UTF-8

Only the ratings are needed; every file may be gzipped (ratings.dat.gz). Genres are split at their bars; tags become
weighted categories `tag`, the weight being how often an item was given the tag.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from matinee.data import side_tables
from matinee.data.blocks import blocks
from matinee.data.reading import TextTable, read_text
from matinee.data.records import Format, records
from matinee.data.source import Reading, SideTable, Source

NO_GENRES = "(no genres listed)"
GENRES_100K = ("unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime", "Documentary", "Drama",
               "Fantasy", "Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller", "War",
               "Western")  # fmt: skip
RATING_COLUMNS = ("user", "item", "rating", "timestamp")
CSV_COLUMNS = ("userId", "movieId", "rating", "timestamp")


def detect(path: Path) -> bool:
    ratings = _ratings(path)
    if ratings is None or not ratings.is_file():
        return False
    if ".csv" not in ratings.name:
        return True
    header = next(records(ratings, Format(","), None), None)
    return header is not None and tuple(header.fields) == CSV_COLUMNS


def read(path: Path, reading: Reading) -> Source:
    ratings = _ratings(path) or path
    shape = next((shape for suffix, shape in SHAPES.items() if suffix in ratings.suffixes), SHAPES[".data"])
    if shape.separator == ",":
        table = read_text(ratings, separator=",", header=None, encoding=None, reading=reading, numbers=True)
    else:
        table = _plain(ratings, shape.separator, RATING_COLUMNS, reading, numbers=True)
    side = shape.side(ratings.parent, reading)
    user, item, rating, time = CSV_COLUMNS if shape.separator == "," else RATING_COLUMNS
    users, items, ratings_of, times = table.kept(
        table.ids(user), table.ids(item), table.numbers(rating, least=0.0).astype(np.float32), table.times(time)
    )
    return Source(name=ratings.resolve().parent.name or "movielens", layout="movielens", users=users, items=items,
                  times=times, columns={"rating": ratings_of}, item_side=side[0], user_side=side[1])  # fmt: skip


Side = tuple[tuple[SideTable, ...], tuple[SideTable, ...]]

CSV_FILES = ("movies.csv", "tags.csv", "links.csv", "ratings.csv", "genome-scores.csv", "genome-tags.csv")


def side(folder: Path, reading: Reading) -> Side:
    """What a folder says of films and people, in whichever of the three shapes; empty where there is nothing."""
    parts = [_dat_side(folder, reading), _100k_side(folder, reading)]
    if csv_files(folder):
        parts.append(_csv_side(folder, reading))
    return tuple(table for part in parts for table in part[0]), tuple(table for part in parts for table in part[1])


def csv_files(folder: Path) -> tuple[str, ...]:
    """The names that MovieLens gives to its CSV files, where this folder's films are a file of that kind."""
    films = _existing(folder, "movies.csv")
    first = next(records(films, Format(","), None), None) if films else None
    return CSV_FILES if first and first.fields == ["movieId", "title", "genres"] else ()


def _csv_side(folder: Path, reading: Reading) -> Side:
    items = list[SideTable]()
    if films := _existing(folder, "movies.csv"):
        table = read_text(films, separator=",", header=None, encoding=None, reading=reading)
        items += _films(table, "movieId", "title", "genres")
    if tags := _existing(folder, "tags.csv"):
        table = read_text(tags, separator=",", header=None, encoding=None, reading=reading)
        items += _tags(table, "movieId", "tag")
    return tuple(items), ()


def _dat_side(folder: Path, reading: Reading) -> Side:
    items, users = list[SideTable](), tuple[SideTable, ...]()
    if films := _existing(folder, "movies.dat"):
        items += _films(_plain(films, "::", ("item", "title", "genres"), reading), "item", "title", "genres")
    if tags := _existing(folder, "tags.dat"):
        items += _tags(_plain(tags, "::", ("user", "item", "tag", "timestamp"), reading), "item", "tag")
    people = _existing(folder, "users.dat")
    first = next(records(people, Format("::", quotes=False), None), None) if people else None
    if people and first and len(first.fields) == 5:
        table = _plain(people, "::", ("user", "gender", "age", "occupation", "zip"), reading)
        users = _people(table, categories=("gender", "age", "occupation"))
    return tuple(items), users


def _100k_side(folder: Path, reading: Reading) -> Side:
    items, users = tuple[SideTable, ...](), tuple[SideTable, ...]()
    if films := _existing(folder, "u.item"):
        items = _flagged_films(_plain(films, "|", ("item", "title", "released", "video", "url", *GENRES_100K), reading))
    if people := _existing(folder, "u.user"):
        table = _plain(people, "|", ("user", "age", "gender", "occupation", "zip"), reading)
        users = _people(table, categories=("gender", "occupation"), numbers=("age",))
    return items, users


@dataclass(frozen=True)
class _Shape:
    separator: str
    side: Callable[[Path, Reading], Side]


SHAPES = {".csv": _Shape(",", _csv_side), ".dat": _Shape("::", _dat_side), ".data": _Shape("\t", _100k_side)}


def _flagged_films(table: TextTable) -> tuple[SideTable, ...]:
    """Films with a column of 0 or 1 for each genre."""
    ids, titles, *flags = table.kept(table.ids("item"), table.column("title"), *map(table.column, GENRES_100K))
    films = [np.flatnonzero((flag == "1").to_numpy()) for flag in flags]
    rows = np.concatenate(films)
    codes = np.repeat(np.arange(len(flags)), [len(of_genre) for of_genre in films])
    order = np.argsort(rows, kind="stable")
    genres = pl.Series(GENRES_100K).gather(codes[order].astype(np.uint32))
    of = ids.gather(rows[order].astype(np.uint32))
    return (SideTable(name="title", kind="texts", ids=ids, values=titles),
            SideTable(name="genre", kind="categories", ids=of, values=genres))  # fmt: skip


def _films(table: TextTable, item: str, title: str, genres: str) -> list[SideTable]:
    ids, titles, listed = table.kept(table.ids(item), table.column(title), table.column(genres))
    each = pl.DataFrame({"id": ids, "genre": listed.str.split("|")}).explode("genre")
    each = each.filter((pl.col("genre") != "") & (pl.col("genre") != NO_GENRES))
    return [SideTable(name="title", kind="texts", ids=ids, values=titles),
            SideTable(name="genre", kind="categories", ids=each["id"], values=each["genre"])]  # fmt: skip


def _tags(table: TextTable, item: str, tag: str) -> list[SideTable]:
    ids, tags = table.kept(table.ids(item), table.column(tag))
    pairs = pl.DataFrame({"id": ids, "tag": tags}).filter(pl.col("tag") != "")
    pairs = pairs.group_by("id", "tag", maintain_order=True).len()
    return [SideTable(name="tag", kind="categories", ids=pairs["id"], values=pairs["tag"],
                      weights=pairs["len"].to_numpy().astype(np.float32))]  # fmt: skip


def _people(table: TextTable, categories: Sequence[str], numbers: Sequence[str] = ()) -> tuple[SideTable, ...]:
    """Codes such as ML-1M's ages (1, 18, 25 ...: brackets) and occupations are categories, not numbers."""
    columns: list[Any] = [table.column(name) for name in categories]
    columns += [table.numbers(name, missing=True) for name in numbers]
    ids, *values = table.kept(table.ids("user"), *columns)
    named = dict(zip([*categories, *numbers], values, strict=True))
    return (
        *(side_tables.labels(name, ids, [named[name]]) for name in categories),
        *(side_tables.numbers(name, ids, named[name]) for name in numbers),
    )


def _plain(
    path: Path, separator: str, names: Sequence[str], reading: Reading, *, numbers: bool = False
) -> TextTable:
    """A file without header and quotes."""
    encoding = None if reading.encoding else _encoding(path)
    return read_text(path, separator=separator, header=names, encoding=encoding, reading=reading, quotes=False,
                     numbers=numbers)


def _encoding(path: Path) -> str:
    """UTF-8 where the films' file is UTF-8, else Latin-1, as in the older sets. Logs are ASCII in all of them."""
    if path.name.removesuffix(".gz") not in ("movies.dat", "u.item", "tags.dat"):
        return "utf-8"
    try:
        b"".join(blocks(path, None)).decode()
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8"


def _existing(folder: Path, name: str) -> Path | None:
    """The file, plain or gzipped; a broken link counts, to be refused when it is read."""
    return next((path for path in (folder / name, folder / f"{name}.gz") if os.path.lexists(path)), None)


def _ratings(path: Path) -> Path | None:
    """The ratings file that `path` is or has, None where neither."""
    if path.is_dir():
        found = (_existing(path, name) for name in ("u.data", "ratings.dat", "ratings.csv"))
        return next((file for file in found if file is not None), None)
    name = path.name.removesuffix(".gz")
    of_100k = name[:1] == "u" and name.endswith((".data", ".base", ".test"))
    return path if of_100k or name in ("ratings.dat", "ratings.csv") else None
