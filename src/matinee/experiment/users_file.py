"""A file of user ids to write lists for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from matinee.data.dataset import Dataset
from matinee.data.reading import read_text
from matinee.data.source import Reading
from matinee.errors import DataError


def read_users(path: Path, dataset: Dataset) -> NDArray[np.int64]:
    """Rows of the users in the file, in its order, each once: the column `user`, or the only or first column.

    Raises DataError where a user is not in the data (a list for somebody unknown needs his history: say
    `min_user_events: 0` and give a user file, or ask with a typed history).
    """
    table = read_text(path, separator=",", header=None, encoding=None, reading=Reading())
    names = table.frame.columns
    column = next((name for name in ("user", "user_id", "userId", "profile_id") if name in names), names[0])
    raw = table.ids(column).unique(maintain_order=True)
    rows = dataset.users.encode(raw)
    if (rows < 0).any():
        unknown = raw.to_list()[int(np.flatnonzero(rows < 0)[0])]
        raise DataError("unknown-user", f"{int((rows < 0).sum())} users of the file are not in the data, such as {unknown!r}",
                        "leave them out, or give the data a user file that names them and set min_user_events: 0", path)
    return rows.astype(np.int64)
