"""A file of user ids to write lists for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from matinee.data.aliases import column_of
from matinee.data.dataset import Dataset
from matinee.data.reading import read_text
from matinee.data.source import Reading
from matinee.errors import DataError


def read_users(path: Path, dataset: Dataset) -> NDArray[np.int64]:
    """Rows of the users in the file, in its order, each once: the column that is called as users are, or the only one.

    Raises DataError where a user is not in the data (a list for somebody unknown needs his history: say
    `min_user_events: 0` and give a user file, or ask with a typed history).
    """
    table = read_text(path, separator=",", header=None, encoding=None, reading=Reading())
    column = column_of(table, "user") if len(table.frame.columns) > 1 else table.frame.columns[0]
    return rows_of_users(table.ids(column).unique(maintain_order=True), dataset, path)


def rows_of_users(raw: pl.Series | Sequence[str], dataset: Dataset, path: Path | None = None) -> NDArray[np.int64]:
    """Rows of these raw ids. Raises DataError where one is not in the data."""
    series = pl.Series("user", raw, dtype=pl.String)
    rows = dataset.users.encode(series)
    if (rows < 0).any():
        unknown = series[int(np.flatnonzero(rows < 0)[0])]
        raise DataError(
            "unknown-user",
            f"{int((rows < 0).sum())} users are not in the data, such as {unknown!r}",
            "leave them out, or give the data a user file that names them and set min_user_events: 0",
            path,
        )
    return rows.astype(np.int64)
