"""MovieLens in its three shapes, and data sets in its style such as MovieTweetings.

    100K               u.data (tab), u.item and u.user (bars)           no headers, films in Latin-1
    1M, 10M            ratings.dat, movies.dat, users.dat, tags.dat     `::`, no headers, Latin-1 or UTF-8
    20M, 25M, latest   ratings.csv, movies.csv, tags.csv                CSV with headers, UTF-8

Only the ratings are needed. Genres are split at their bars; tags become weighted categories `tag`, the weight being
how often an item was given the tag.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from matinee.data.blocks import blocks
from matinee.data.reading import TextTable, read_text
from matinee.data.source import Reading, SideTable, Source

NO_GENRES = "(no genres listed)"
GENRES_100K = ("unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime", "Documentary", "Drama",
               "Fantasy", "Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller", "War",
               "Western")  # fmt: skip
RATING_COLUMNS = ("user", "item", "rating", "timestamp")
CSV_HEADER = b"userId,movieId,rating,timestamp"


def detect(path: Path) -> bool:
    ratings = _ratings(path)
    if ratings is None or not ratings.is_file():
        return False
    if ratings.suffix != ".csv":
        return True
    with ratings.open("rb") as file:
        return file.read(64).splitlines()[:1] == [CSV_HEADER]


def read(path: Path, reading: Reading) -> Source:
    ratings = _ratings(path) or path
    folder = ratings.parent
    if ratings.suffix == ".csv":
        table = read_text(ratings, separator=",", header=None, encoding=None, reading=reading)
        names: Sequence[str] = ("userId", "movieId", "rating", "timestamp")
        side = _csv_side(folder, reading)
    elif ratings.suffix == ".dat":
        table, names = _plain(ratings, "::", RATING_COLUMNS, reading), RATING_COLUMNS
        side = _dat_side(folder, reading)
    else:
        table, names = _plain(ratings, "\t", RATING_COLUMNS, reading), RATING_COLUMNS
        side = _100k_side(folder, reading)
    user, item, rating, time = names
    users, items, ratings_of, times = table.kept(
        table.ids(user), table.ids(item), table.numbers(rating, least=0.0).astype(np.float32), table.times(time)
    )
    return Source(name=ratings.resolve().parent.name or "movielens", layout="movielens", users=users, items=items,
                  times=times, columns={"rating": ratings_of}, item_side=side[0], user_side=side[1])  # fmt: skip


Side = tuple[tuple[SideTable, ...], tuple[SideTable, ...]]


def _csv_side(folder: Path, reading: Reading) -> Side:
    items = list[SideTable]()
    if (folder / "movies.csv").exists():
        table = read_text(folder / "movies.csv", separator=",", header=None, encoding=None, reading=reading)
        items += _films(table, "movieId", "title", "genres")
    if (folder / "tags.csv").exists():
        table = read_text(folder / "tags.csv", separator=",", header=None, encoding=None, reading=reading)
        items += _tags(table, "movieId", "tag")
    return tuple(items), ()


def _dat_side(folder: Path, reading: Reading) -> Side:
    items, users = list[SideTable](), tuple[SideTable, ...]()
    if (folder / "movies.dat").exists():
        items += _films(_plain(folder / "movies.dat", "::", ("item", "title", "genres"), reading),
                        "item", "title", "genres")  # fmt: skip
    if (folder / "tags.dat").exists():
        items += _tags(_plain(folder / "tags.dat", "::", ("user", "item", "tag", "timestamp"), reading), "item", "tag")
    if (folder / "users.dat").exists() and _fields(folder / "users.dat", "::") == 5:
        table = _plain(folder / "users.dat", "::", ("user", "gender", "age", "occupation", "zip"), reading)
        users = _people(table, categories=("gender", "age", "occupation"))
    return tuple(items), users


def _100k_side(folder: Path, reading: Reading) -> Side:
    items, users = tuple[SideTable, ...](), tuple[SideTable, ...]()
    if (folder / "u.item").exists():
        names = ("item", "title", "released", "video", "url", *GENRES_100K)
        table = _plain(folder / "u.item", "|", names, reading)
        ids, titles, *flags = table.kept(table.ids("item"), table.column("title"), *map(table.column, GENRES_100K))
        rows = np.concatenate([np.flatnonzero((flag == "1").to_numpy()) for flag in flags])
        codes = np.repeat(np.arange(len(flags)), [int((flag == "1").sum()) for flag in flags])
        order = np.argsort(rows, kind="stable")
        genres = pl.Series(GENRES_100K).gather(codes[order].astype(np.uint32))
        of = ids.gather(rows[order].astype(np.uint32))
        items = (SideTable(name="title", kind="texts", ids=ids, values=titles),
                 SideTable(name="genre", kind="categories", ids=of, values=genres))  # fmt: skip
    if (folder / "u.user").exists():
        table = _plain(folder / "u.user", "|", ("user", "age", "gender", "occupation", "zip"), reading)
        users = _people(table, categories=("gender", "occupation"), numbers=("age",))
    return items, users


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
    columns: list[Any] = [table.column(name) for name in categories] + [table.numbers(name) for name in numbers]
    ids, *values = table.kept(table.ids("user"), *columns)
    kinds = ["categories"] * len(categories) + ["numbers"] * len(numbers)
    return tuple(
        SideTable(name=name, kind="numbers" if kind == "numbers" else "categories", ids=ids, values=pl.Series(value))
        for name, kind, value in zip([*categories, *numbers], kinds, values, strict=True)
    )


def _plain(path: Path, separator: str, names: Sequence[str], reading: Reading) -> TextTable:
    """A file without header and quotes."""
    encoding = None if reading.encoding else _encoding(path)
    return read_text(path, separator=separator, header=names, encoding=encoding, reading=reading, quotes=False)


def _encoding(path: Path) -> str:
    """UTF-8 where the films' file is UTF-8, else Latin-1, as in the older sets. Logs are ASCII in all of them."""
    if path.name not in ("movies.dat", "u.item", "tags.dat"):
        return "utf-8"
    try:
        b"".join(blocks(path, None)).decode()
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8"


def _fields(path: Path, separator: str) -> int:
    with path.open("rb") as file:
        return file.readline(4096).count(separator.encode()) + 1


def _ratings(path: Path) -> Path | None:
    """The ratings file that `path` is or has, None where neither."""
    if path.is_dir():
        return next((path / name for name in ("u.data", "ratings.dat", "ratings.csv") if (path / name).exists()), None)
    of_100k = path.name[:1] == "u" and path.suffix in (".data", ".base", ".test")
    return path if of_100k or path.name in ("ratings.dat", "ratings.csv") else None
