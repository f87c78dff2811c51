"""What a synthetic source says of its items and users: titles, years, genres, people; profiles, watch time.

Labels follow the tastes that the events were drawn from, so that side information is worth something.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray

from matinee.data.source import SideTable

GENRES = ("Action", "Adventure", "Animation", "Children", "Comedy", "Crime", "Documentary", "Drama", "Fantasy",
          "Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller", "War", "Western")
SHELVES = ("TV만화", "책", "놀이학습", "영어", "생활습관", "동요", "자연탐구", "다큐")


def films(
    ids: pl.Series, tastes: NDArray[np.int32], years: NDArray[np.int64], rng: np.random.Generator
) -> tuple[SideTable, ...]:
    """Title, year, genre (1 to 3 of 18), director (four films of five) and writer. Shapes (I,), (I, 2), (I,)."""
    n = len(ids)
    titles = [f"Film {at + 1} ({year})" for at, year in enumerate(years.tolist())]
    chance = np.where(rng.random(n) < 0.3, rng.integers(0, len(GENRES), n), tastes[:, 0])
    genres = np.stack([tastes[:, 0], tastes[:, 1], chance], 1) % len(GENRES)
    return (
        SideTable(name="title", kind="texts", ids=ids, values=pl.Series(titles, dtype=pl.String)),
        SideTable(name="year", kind="numbers", ids=ids, values=pl.Series(years.astype(np.float64))),
        _labels("genre", ids, genres, np.array(GENRES)),
        _people("director", ids, tastes[:, 0], 0.8, 1, rng),
        _people("writer", ids, tastes[:, 0], 0.8, 2, rng),
    )


def episodes(
    ids: pl.Series, tastes: NDArray[np.int32], years: NDArray[np.int64], rng: np.random.Generator
) -> tuple[SideTable, ...]:
    """Title of series and episode in Korean, year, genre, and keywords with weights."""
    n = len(ids)
    titles = [f"이야기 {at // 10 + 1} {at % 10 + 1}화" for at in range(n)]
    keywords = np.array([f"주제 {at:02d}" for at in range(int(tastes.max(initial=0)) + 1)])
    keyword = _labels("keyword", ids, tastes, keywords)
    weights = rng.beta(2.0, 2.0, len(keyword.ids)).astype(np.float32)
    return (
        SideTable(name="title", kind="texts", ids=ids, values=pl.Series(titles, dtype=pl.String)),
        SideTable(name="year", kind="numbers", ids=ids, values=pl.Series(years.astype(np.float64))),
        _labels("genre", ids, tastes[:, :1] % len(SHELVES), np.array(SHELVES)),
        SideTable(name="keyword", kind="categories", ids=keyword.ids, values=keyword.values, weights=weights),
    )


def profiles(ids: pl.Series, rng: np.random.Generator) -> tuple[SideTable, ...]:
    """Gender and age of most profiles, and up to three interests, often fewer. (U,) ids."""
    n = len(ids)
    told = np.flatnonzero(rng.random(n) < 0.97)
    tables = [
        SideTable(name="gender", kind="categories", ids=ids.gather(told),
                  values=pl.Series(np.where(rng.random(len(told)) < 0.5, "F", "M"), dtype=pl.String)),
        SideTable(name="age", kind="numbers", ids=ids.gather(told),
                  values=pl.Series(rng.integers(1, 14, len(told)).astype(np.float64))),
    ]
    for name, letter, many in (("parent_keyword", "P", 8), ("child_keyword", "K", 9)):
        codes = np.array([f"{letter}{at:02d}" for at in range(1, many + 1)])
        chosen = rng.integers(0, many, (n, 3))
        chosen[rng.random((n, 3)) < np.array([0.1, 0.5, 0.7])] = -1
        tables.append(_labels(name, ids, chosen, codes))
    return tuple(tables)


def watching(
    items: NDArray[np.int32], sessions: NDArray[np.int64], n_items: int, rng: np.random.Generator
) -> Mapping[str, NDArray[np.generic]]:
    """Event columns (E,): session, seconds watched and in all; one view of nine has no end and so no seconds."""
    total = rng.integers(60, 1500, n_items)[items].astype(np.float32)
    watched = np.floor(total * rng.beta(2.0, 1.0, len(items)).astype(np.float32))
    lost = rng.random(len(items)) < 0.11
    watched[lost] = total[lost] = np.nan
    return {"session": sessions, "watch_seconds": watched, "total_seconds": total}


def _labels(name: str, ids: pl.Series, codes: NDArray[np.integer], names: NDArray[np.str_]) -> SideTable:
    """Up to C labels a row from codes (n, C): -1 is none, and a label counts once a row."""
    keep = codes >= 0
    for later in range(1, codes.shape[1]):
        keep[:, later] &= (codes[:, :later] != codes[:, later : later + 1]).all(1)
    rows, columns = np.nonzero(keep)
    values = pl.Series(names[codes[rows, columns]], dtype=pl.String)
    return SideTable(name=name, kind="categories", ids=ids.gather(rows.astype(np.uint32)), values=values)


def _people(
    name: str, ids: pl.Series, taste: NDArray[np.int32], covered: float, most: int, rng: np.random.Generator
) -> SideTable:
    """Persons who each work within one taste, on about four items."""
    n, groups = len(ids), int(taste.max(initial=0)) + 1
    pool = max(1, n * most // (4 * groups))
    persons = taste[:, None] * pool + rng.integers(0, pool, (n, most))
    persons[rng.random((n, most)) >= np.array([covered, 0.5][:most])] = -1
    names = np.char.add("nm", np.char.zfill(np.arange(groups * pool).astype(str), 7))
    return _labels(name, ids, persons, names)
