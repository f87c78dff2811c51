"""Side tables from columns of text: labels, numbers, texts, weighted labels, and the usual names of columns."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from matinee.data.source import SideTable
from matinee.errors import DataError

NAMES = {
    "movie_title": "title", "name": "title", "titles": "title",
    "release_year": "year", "years": "year",
    "genres": "genre", "class": "genre", "directors": "director", "writers": "writer", "actors": "cast",
    "sex": "gender", "zip_code": "zip", "zipcode": "zip",
    "keywords": "keyword", "tags": "tag",
}  # fmt: skip
"""What other programs call our columns."""


def standard(name: str) -> str:
    """Our name of a column that a file calls `name`."""
    plain = name.strip().lower()
    return NAMES.get(plain, plain)


def labels(name: str, ids: pl.Series, columns: list[pl.Series]) -> SideTable:
    """Categories from columns (n,) side by side: row by row, empty ones left out, each label once an id."""
    rows = np.tile(np.arange(len(ids), dtype=np.uint32), len(columns))
    pairs = pl.DataFrame({"row": rows, "value": pl.concat([column.alias("value") for column in columns])})
    pairs = pairs.filter(pl.col("value") != "").sort("row", maintain_order=True)
    pairs = pairs.with_columns(id=ids.gather(pairs["row"])).unique(["id", "value"], keep="first", maintain_order=True)
    return SideTable(name=name, kind="categories", ids=pairs["id"], values=pairs["value"])


def lists(name: str, ids: pl.Series, cells: pl.Series, separator: str, weights: pl.Series | None = None) -> SideTable:
    """Categories from cells (n,) that hold several labels, in their order; `weights` are cells of as many numbers.

    Raises DataError where labels and weights of a cell differ in number, or a weight is no number.
    """
    pairs = pl.DataFrame({"id": ids, "value": cells.str.split(separator)})
    if weights is None:
        pairs = pairs.explode("value").filter(pl.col("value") != "")
        return SideTable(name=name, kind="categories", ids=pairs["id"], values=pairs["value"])
    pairs = pairs.with_columns(weight=weights.str.split(separator))
    uneven = pairs.filter(pl.col("value").list.len() != pl.col("weight").list.len())
    if len(uneven):
        raise DataError("uneven-weights", f"{name} of {uneven['id'][0]!r} has {len(uneven['value'][0])} labels and "
                        f"{len(uneven['weight'][0])} weights", "give one weight to each label")  # fmt: skip
    pairs = pairs.explode("value", "weight").filter(pl.col("value") != "")
    numbers = pairs["weight"].cast(pl.Float32, strict=False)
    if numbers.null_count():
        wrong = pairs.filter(numbers.is_null())
        raise DataError("bad-number", f"a weight of {name} of {wrong['id'][0]!r} is {wrong['weight'][0]!r}",
                        "write it like 0.5")  # fmt: skip
    return SideTable(name=name, kind="categories", ids=pairs["id"], values=pairs["value"], weights=numbers.to_numpy())


def weighted(name: str, ids: pl.Series, names: pl.Series, weights: NDArray[np.floating]) -> SideTable:
    """Categories with weights (n,); a label that an id has several times counts once, at its largest weight."""
    pairs = pl.DataFrame({"id": ids, "value": names, "weight": weights.astype(np.float32)})
    best = pairs.filter(pl.col("value") != "").group_by("id", "value", maintain_order=True).agg(pl.col("weight").max())
    return SideTable(name=name, kind="categories", ids=best["id"], values=best["value"],
                     weights=best["weight"].to_numpy())  # fmt: skip


def numbers(name: str, ids: pl.Series, values: NDArray[np.float64]) -> SideTable:
    """Numbers (n,): the first known one of each id."""
    pairs = pl.DataFrame({"id": ids, "value": values}).filter(pl.col("value").is_not_nan())
    pairs = pairs.unique("id", keep="first", maintain_order=True)
    return SideTable(name=name, kind="numbers", ids=pairs["id"], values=pairs["value"])


def texts(name: str, ids: pl.Series, values: pl.Series) -> SideTable:
    """Texts (n,): the first of each id that is not empty."""
    pairs = pl.DataFrame({"id": ids, "value": values}).filter(pl.col("value") != "")
    pairs = pairs.unique("id", keep="first", maintain_order=True)
    return SideTable(name=name, kind="texts", ids=pairs["id"], values=pairs["value"])
