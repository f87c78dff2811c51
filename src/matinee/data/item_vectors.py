"""Vectors of items that were made elsewhere: a file with one for each raw id, and their place beside a data set.

Written is Parquet, the columns `item` (text) and `vector` (a list of float32). Read is that, Parquet by anybody else,
and a CSV or TSV with a header: a column for the item, then either a column for each number or one column with all of
them, such as `0.1 -0.2` or `[0.1, -0.2]`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from matinee import durable
from matinee.data.aliases import ALIASES, column_of
from matinee.data.blocks import regular_file
from matinee.data.dataset import Dataset
from matinee.data.ids import Vocabulary
from matinee.data.reading import TextTable, read_text
from matinee.data.source import Reading
from matinee.errors import DataError, Place

NATIVE = ".parquet"
SUFFIXES = {NATIVE: "", ".csv": ",", ".tsv": "\t", ".tab": "\t"}
"""What a file of vectors may be called, `.gz` behind text included, and what parts its fields."""
LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True, eq=False)
class ItemVectors:
    items: Vocabulary  # N
    values: NDArray[np.float32]  # (N, D) finite

    @classmethod
    def of(cls, ids: pl.Series, values: NDArray[np.floating]) -> ItemVectors:
        """From distinct raw ids (N,) in any order, and their vectors (N, D)."""
        items = Vocabulary.of(ids)
        out = np.empty(values.shape, np.float32)
        out[items.encode(ids)] = values
        return cls(items, out)

    @cached_property
    def hash(self) -> str:
        """SHA-256 of ids and vectors, whatever the file they came in."""
        return hashlib.sha256(f"{self.items.hash} {self.values.shape}".encode() + self.values.tobytes()).hexdigest()

    def aligned(self, items: Vocabulary) -> NDArray[np.float32]:
        """(I, D) in the order of `items`; NaN for an item that has no vector, or one of zeros, which says nothing.

        Raises DataError (`nothing-in-common`) where none has one.
        """
        at = items.encode(self.items.series)
        out = np.full((len(items), self.values.shape[1]), np.nan, np.float32)
        out[at[at >= 0]] = self.values[at >= 0]
        out[~out.any(axis=1)] = np.nan
        if np.isnan(out).all():
            raise DataError("nothing-in-common", f"of {len(self.items)} items with a vector none is in the data",
                            "see that both use the same ids")
        return out


def known(vectors: NDArray[np.float32]) -> NDArray[np.bool_]:
    """(I,) which rows of aligned vectors (I, D) are there."""
    return np.asarray(~np.isnan(vectors).any(axis=1))


def with_vectors(dataset: Dataset, name: str, vectors: ItemVectors | str | Path) -> Dataset:
    """The data with vectors, or those in a file, beside it: what a recipe then asks for by `name`.

    Raises what `read` and `ItemVectors.aligned` do.
    """
    found = vectors if isinstance(vectors, ItemVectors) else read(vectors)
    return replace(dataset, item_vectors={**dataset.item_vectors, name: found.aligned(dataset.items)})


def is_file(name: str) -> bool:
    """Is it called as files of vectors are?"""
    return _suffix(Path(name)) in SUFFIXES


def write(path: Path, vectors: ItemVectors) -> None:
    """Parquet, whole or not at all. Raises ResourceError."""
    frame = pl.DataFrame({"item": vectors.items.series, "vector": vectors.values})
    with durable.replacing(path) as file:
        frame.write_parquet(file)


def read(path: str | Path) -> ItemVectors:
    """Raises DataError, with line and column where the file has them, for anything that is no finite vector of a
    distinct id, of the same length as the others."""
    path = Path(path)
    separator = SUFFIXES.get(_suffix(path))
    if separator is None:
        raise DataError("unknown-format", f"{path.name!r} is no file of vectors", f"one of {', '.join(SUFFIXES)}", path)
    if not separator:
        return _of_parquet(path)
    table = read_text(path, separator=separator, header=None, encoding=None, reading=Reading())
    key = column_of(table, "item")
    ids = table.ids(key)
    if not len(ids):
        raise DataError("empty-file", "there is no vector in it", "write a row for each item", path)
    table.refuse(~ids.is_first_distinct().to_numpy(), key, "double-id", "this item has a vector already",
                 "keep one row for each item")
    return ItemVectors.of(ids, _numbers(table, [name for name in table.frame.columns if name != key]))


def _numbers(table: TextTable, names: list[str]) -> NDArray[np.float64]:
    """(N, D) of columns with a number each, or of one with all of them."""
    if not names:
        raise DataError("no-vectors", "there are ids and no numbers in it", "see that the separator is right",
                        table.path)
    first = table.column(names[0])
    if len(names) > 1 or first.head(1).cast(pl.Float64, strict=False).null_count() == 0:
        columns = [table.numbers(name) for name in names]
        for name, column in zip(names, columns, strict=True):
            table.refuse(np.abs(column) > LARGEST, name, "too-large", "more than float32 holds", "scale the vectors")
        return np.column_stack(columns)
    parts = first.str.strip_chars("[]() ").str.replace_all(r"[,;\s]+", " ").str.split(" ")
    dim = int(parts.list.len()[0])
    uneven = (parts.list.len() != dim).to_numpy()
    table.refuse(uneven, names[0], "uneven-vectors", f"not the {dim} numbers that the first row has", "mend this row")
    values = parts.explode().cast(pl.Float64, strict=False).fill_null(np.nan).to_numpy().reshape(-1, dim)
    bad = ~(np.abs(values) <= LARGEST).all(axis=1)
    table.refuse(bad, names[0], "bad-number", "not finite numbers", "write them like [0.25, -1e-3]")
    return values


def _of_parquet(path: Path) -> ItemVectors:
    regular_file(path)
    try:
        frame = pl.read_parquet(path)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError("bad-parquet", f"not a Parquet file ({error})", "write it again", path) from None
    by_name = {name.strip().lower(): name for name in reversed(frame.columns)}
    key = next((by_name[name] for name in ALIASES["item"] if name in by_name), None)
    if key is None or not (frame[key].dtype == pl.String or frame[key].dtype.is_integer()):
        shown = ", ".join(f"{name!r} ({kind})" for name, kind in list(frame.schema.items())[:12])
        raise DataError("no-column", f"no column 'item' of text or whole numbers; found {shown}", "name it so", path)
    ids = frame[key].cast(pl.String)
    if not len(ids):
        raise DataError("empty-file", "there is no vector in it", "write a row for each item", path)
    _refuse_row(path, ids.is_null() | (ids == ""), ids, "empty-id", "it has no id")
    _refuse_row(path, ~ids.is_first_distinct(), ids, "double-id", "it has a vector already")
    values = _cells(frame.drop(key), path, ids)
    _refuse_row(path, pl.Series(~(np.abs(values) <= LARGEST).all(axis=1)), ids, "bad-number", "no finite vector")
    return ItemVectors.of(ids, values)


def _cells(frame: pl.DataFrame, path: Path, ids: pl.Series) -> NDArray[np.float64]:
    """(N, D) of one column of lists, or of columns of numbers; NaN where there is none."""
    nested = [name for name, kind in frame.schema.items() if kind in (pl.List, pl.Array)]
    numbers = [name for name, kind in frame.schema.items() if kind.is_numeric()]
    if len(nested) == 1:
        cells = frame[nested[0]].cast(pl.List(pl.Float64), strict=False)
        dim = int(cells.list.len().fill_null(0)[0])
        _refuse_row(path, (cells.list.len() != dim).fill_null(True), ids, "uneven-vectors", f"not {dim} numbers")
        if dim:
            return cells.explode().fill_null(np.nan).to_numpy().reshape(-1, dim)
    elif numbers and not nested:
        return frame.select(numbers).cast(pl.Float64).fill_null(np.nan).to_numpy()
    raise DataError("no-vectors", f"beside the ids there are {', '.join(frame.columns) or 'no columns'}",
                    "give one column of lists of numbers, or columns of numbers", path)


def _refuse_row(path: Path, bad: pl.Series, ids: pl.Series, code: str, what: str) -> None:
    rows = bad.arg_true()
    if len(rows):
        row, more = int(rows[0]), f" ({len(rows)} such rows)" if len(rows) > 1 else ""
        raise DataError(code, f"item {ids[row]!r}: {what}{more}", "mend this row", Place(str(path), row + 1))


def _suffix(path: Path) -> str:
    return Path(path.name.lower().removesuffix(".gz")).suffix
