"""A data set as frames in raw ids, in bounded blocks: what every writer of files starts from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl

from matinee.data.columns import Categories, Column, Texts
from matinee.data.dataset import Dataset
from matinee.data.ids import Vocabulary

BLOCK = 1_000_000  # events in a frame


def has_times(dataset: Dataset) -> bool:
    """Are any times known?"""
    return bool(dataset.log.times.any())


def events(dataset: Dataset, mask: np.ndarray[tuple[int], np.dtype[np.bool_]] | None = None) -> Iterator[pl.DataFrame]:
    """Frames of user, item, time and the event columns, in the order of the log; unknown numbers are null.

    `mask` (E,) picks events; None is all of them. There is one frame, without rows, for an empty log.
    """
    log = dataset.log if mask is None else dataset.log.select(mask)
    users = log.users
    for start in range(0, max(1, len(log)), BLOCK):
        part = slice(start, start + BLOCK)
        frame = pl.DataFrame({
            "user": dataset.users.decode(users[part]),
            "item": dataset.items.decode(log.items[part]),
            "time": log.times[part],
            **{name: column[part] for name, column in log.columns.items()},
        })  # fmt: skip
        yield frame.with_columns(pl.col(pl.Float32, pl.Float64).fill_nan(None))


def side(vocabulary: Vocabulary, column: Column) -> pl.DataFrame:
    """`id`, `value` and, where labels are graded, `weight`: one row for each known value, in the order of ids."""
    if isinstance(column, Categories):
        rows = np.repeat(np.arange(len(column)), np.diff(column.indptr))
        names = pl.Series(column.names, dtype=pl.String)
        frame = pl.DataFrame({"id": vocabulary.decode(rows), "value": names.gather(column.codes.astype(np.uint32))})
        return frame if column.weights is None else frame.with_columns(weight=pl.Series(column.weights))
    rows = np.flatnonzero(~column.missing())
    if isinstance(column, Texts):
        values = pl.Series([column.values[row] for row in rows.tolist()], dtype=pl.String)
    else:
        values = whole(pl.Series(column.values[rows]))
    return pl.DataFrame({"id": vocabulary.decode(rows), "value": values})


def whole(values: pl.Series) -> pl.Series:
    """Numbers as integers where all of them are, so that a year is written 1999 and not 1999.0."""
    known = values.drop_nulls()
    exact = known.is_finite() & (known.abs() < 2**53) & (known == known.floor())
    return values.cast(pl.Int64) if bool(exact.all()) else values


def write_csv(path: Path, frames: Iterator[pl.DataFrame] | list[pl.DataFrame], separator: str = ",") -> None:
    """Frames one after another under one header; fields are quoted where they must be, nulls are empty."""
    with path.open("wb") as file:
        for at, frame in enumerate(frames):
            frame.write_csv(file, separator=separator, include_header=at == 0)
