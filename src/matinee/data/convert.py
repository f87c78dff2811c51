"""A data set written in the layout of another program, and what that layout cannot carry.

Ids stand in the files byte for byte. Reading what was written gives the same data set again, as far as the layout
can carry it; `losses` says in words where it cannot.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from matinee import durable
from matinee.data import frames
from matinee.data.columns import Categories, Column, Features, Numbers, Texts
from matinee.data.dataset import Dataset
from matinee.data.ids import Vocabulary
from matinee.data.layouts import boostcamp, movielens, recbole
from matinee.data.source import SideTable
from matinee.errors import DataError, UsageError, nearest

Kinds = Mapping[str, type[Categories] | type[Numbers] | type[Texts]]


@dataclass(frozen=True)
class Target:
    """A layout that can be written, and what it has a place for; None: for everything."""

    write: Callable[[Dataset, Path, str], None]
    events: frozenset[str] | None = None
    items: Kinds | None = None
    users: Kinds | None = None
    weights: bool = True  # of labels
    forbidden: str = r"[\x00\r]"  # what no id may hold
    repeats: bool = False


def write(dataset: Dataset, folder: Path, layout: str) -> list[Path]:
    """The files of `layout` in `folder`, which appears whole or not at all and replaces an older one.

    Raises UsageError for a layout that cannot be written, DataError where an id cannot stand in it, ResourceError
    where the disk refuses.
    """
    chosen = target(layout)
    for whose, vocabulary in (("user", dataset.users), ("item", dataset.items)):
        _check_ids(whose, vocabulary, chosen, layout)
    with durable.publishing(folder) as temporary:
        chosen.write(dataset, temporary, folder.name)
        names = sorted(path.name for path in temporary.iterdir())
    return [folder / name for name in names]


def losses(dataset: Dataset, layout: str) -> list[str]:
    """What of this data set the layout cannot carry, one line each; empty where nothing is lost."""
    chosen = target(layout)
    lost = [f"event column {name!r} is left out" for name in dataset.log.columns
            if chosen.events is not None and name not in chosen.events]  # fmt: skip
    for whose, features, kinds in (
        ("item", dataset.item_features, chosen.items),
        ("user", dataset.user_features, chosen.users),
    ):
        lost += _side_losses(whose, features, kinds, chosen)
    if dataset.facts.repeats != chosen.repeats:
        lost.append("that items may be recommended again is not written: set `repeats: true` when you read it")
    if layout == "movielens" and "rating" not in dataset.log.columns:
        lost.append("there are no ratings: every event is written with a rating of 1")
    if layout == "table" and "session" in dataset.log.columns:
        lost.append("sessions are numbered anew when the table is read")
    if layout == "recbole":
        lost += _blanks(dataset.item_features) + _blanks(dataset.user_features)
    return lost


def target(layout: str) -> Target:
    """The layout called so. Raises UsageError for one that cannot be written."""
    if layout not in TARGETS:
        raise UsageError("unknown-layout", f"cannot write {layout!r}", nearest(layout, TARGETS))
    return TARGETS[layout]


def _check_ids(whose: str, vocabulary: Vocabulary, target: Target, layout: str) -> None:
    bad = vocabulary.series.str.contains(target.forbidden)
    if bad.any():
        example = vocabulary.series.filter(bad)[0]
        raise DataError("cannot-carry-id", f"{int(bad.sum())} {whose} ids cannot stand in the {layout} layout, "
                        f"such as {example!r}", "write another layout")  # fmt: skip


def _side_losses(whose: str, features: Features, kinds: Kinds | None, target: Target) -> list[str]:
    lost = []
    for name, column in features.columns.items():
        if kinds is not None and not isinstance(column, kinds.get(name, ())):
            again = "; it is found again where titles end with it" if name == "year" and "title" in kinds else ""
            lost.append(f"{whose} column {name!r} is left out{again}")
        elif isinstance(column, Categories) and column.weights is not None and not target.weights:
            lost.append(f"the weights of {whose} column {name!r} are left out")
    return lost


def _blanks(features: Features) -> list[str]:
    return [
        f"blanks in labels of {name!r} become underscores, because a blank parts two labels there"
        for name, column in features.columns.items()
        if isinstance(column, Categories)
        and (column.weights is not None or int(np.diff(column.indptr).max(initial=0)) > 1)
        and any(" " in label for label in column.names)
    ]


def _boostcamp(dataset: Dataset, folder: Path, name: str) -> None:
    frames.write_csv(folder / boostcamp.RATINGS, (part["user", "item", "time"] for part in frames.events(dataset)))
    for file, column_name, _ in boostcamp.SIDE:
        column = dataset.item_features.columns.get(column_name)
        if not isinstance(column, BOOSTCAMP_ITEMS[column_name]):
            continue
        side = frames.side(dataset.items, column)
        frames.write_csv(folder / file, [side.select(item="id", **{column_name: "value"})], "\t")
        if column_name == "genre":
            genres = SideTable(name="genre", kind="categories", ids=side["id"], values=side["value"])
            text = json.dumps(boostcamp.attributes(genres), ensure_ascii=False)
            (folder / boostcamp.ATTRIBUTES).write_text(text, encoding="utf-8")


def _table(dataset: Dataset, folder: Path, name: str) -> None:
    """interactions.csv; for texts and numbers items.csv and users.csv; for labels a file each, a row for each label."""
    timed = frames.has_times(dataset)
    parts = frames.events(dataset)
    frames.write_csv(folder / "interactions.csv", (part if timed else part.drop("time") for part in parts))
    for whose, vocabulary, features in (
        ("item", dataset.items, dataset.item_features),
        ("user", dataset.users, dataset.user_features),
    ):
        wide = pl.DataFrame({whose: vocabulary.series})
        for column_name, column in features.columns.items():
            side = frames.side(vocabulary, column).rename({"id": whose, "value": column_name})
            if isinstance(column, Categories):
                plain = re.sub(r"\W", "_", column_name)  # a column may be called ../x
                frames.write_csv(folder / f"{whose}_{plain}.csv", [side])
            else:
                wide = wide.join(side, on=whose, how="left", maintain_order="left")
        if wide.width > 1:
            frames.write_csv(folder / f"{whose}s.csv", [wide])


def _movielens(dataset: Dataset, folder: Path, name: str) -> None:
    _write_lines(folder / "ratings.dat", _ratings(dataset))
    items, users = dataset.item_features.columns, dataset.user_features.columns
    if "title" in items or "genre" in items:
        cells = [_cells(dataset.items, items.get("title")), _cells(dataset.items, items.get("genre"), "|")]
        cells[1] = cells[1].replace("", movielens.NO_GENRES)
        _write_lines(folder / "movies.dat", [_joined([dataset.items.series, *cells])])
    if any(isinstance(users.get(column), Categories) for column in MOVIELENS_USERS):
        people = [_cells(dataset.users, users.get(column), "|") for column in MOVIELENS_USERS]
        zips = pl.repeat("", dataset.n_users, dtype=pl.String, eager=True)
        _write_lines(folder / "users.dat", [_joined([dataset.users.series, *people, zips])])


def _ratings(dataset: Dataset) -> Iterator[pl.Series]:
    for part in frames.events(dataset):
        ones = pl.repeat("1", len(part), dtype=pl.String, eager=True)
        rating = frames.whole(part["rating"]).cast(pl.String) if "rating" in part.columns else ones
        yield _joined([part["user"], part["item"], rating, part["time"].cast(pl.String)])


def _cells(vocabulary: Vocabulary, column: Column | None, separator: str = "") -> pl.Series:
    """(N,) one text for each id, empty where unknown; what would part fields or labels is taken out of values."""
    if column is None or isinstance(column, Numbers) or (isinstance(column, Texts) and separator):
        return pl.repeat("", len(vocabulary), dtype=pl.String, eager=True)
    side = frames.side(vocabulary, column)
    value = pl.col("value").str.replace_all(r"[\r\n]+", " ").str.replace_all(r"::+", ":").str.strip_chars(":")
    if separator:
        value = value.str.replace_all(separator, "/", literal=True)
    cells = side.group_by("id", maintain_order=True).agg(value.str.join(separator))
    all_ids = pl.DataFrame({"id": vocabulary.series})
    return all_ids.join(cells, on="id", how="left", maintain_order="left")["value"].fill_null("")


def _joined(columns: list[pl.Series]) -> pl.Series:
    named = pl.DataFrame({str(at): column for at, column in enumerate(columns)})
    return named.select(pl.concat_str(pl.all(), separator="::").alias("line"))["line"]


def _write_lines(path: Path, parts: Iterator[pl.Series] | list[pl.Series]) -> None:
    with path.open("wb") as file:
        for lines in parts:
            file.write("".join(line + "\n" for line in lines.to_list()).encode())


BOOSTCAMP_ITEMS: Kinds = {"title": Texts, "year": Numbers, "genre": Categories, "director": Categories,
                          "writer": Categories}  # fmt: skip
MOVIELENS_USERS: Kinds = {"gender": Categories, "age": Categories, "occupation": Categories}
TARGETS: Mapping[str, Target] = {
    "boostcamp": Target(_boostcamp, frozenset(), BOOSTCAMP_ITEMS, {}, weights=False),
    "movielens": Target(_movielens, frozenset({"rating"}), {"title": Texts, "genre": Categories}, MOVIELENS_USERS,
                        weights=False, forbidden=r"::|^:|:$|[\x00\r\n]"),
    "recbole": Target(recbole.write),
    "table": Target(_table),
}  # fmt: skip
"""The layouts that can be written."""
