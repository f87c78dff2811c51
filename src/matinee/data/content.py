"""What an item is made of, as sparse vectors: genres, directors, writers, decade of release, words of the title.

A block is one such kind of feature. Its entries are tf-idf and each item's are scaled to length 1, so that three
genres do not outweigh one director; an item of which the block knows nothing has none.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, hstack

from matinee.data.columns import Categories, Features
from matinee.errors import DataError

COLUMNS = {"genre": "genre", "director": "director", "writer": "writer", "era": "year", "title": "title"}
"""Every block, and the column that it is made of."""

_WORDS = re.compile(r"[^\W\d_]+|\d+")
_YEAR = re.compile(r"\((\d{4})\)\s*$")


def block(items: Features, name: str) -> csr_array:
    """(I, F) float32. Raises DataError (`no-feature`) where there is no such column."""
    return tf_idf(_labels(items, name))


def tf_idf(labels: Categories) -> csr_array:
    """(I, F) float32, each row of length 1: what an item has, times how rare it is.

    idf is log((1 + n) / (1 + n_f)) + 1, for n items with any label and n_f with this one.
    """
    shape = (len(labels), len(labels.names))
    often = np.ones(len(labels.codes)) if labels.weights is None else labels.weights.astype(np.float64)
    out = csr_array((often, labels.codes, labels.indptr), shape=shape)
    out.sum_duplicates()
    known = np.count_nonzero(np.diff(out.indptr))
    idf = np.log((1 + known) / (1 + np.bincount(out.indices, minlength=shape[1]))) + 1
    out.data *= idf[out.indices]
    rows = np.repeat(np.arange(shape[0]), np.diff(out.indptr))
    lengths = np.sqrt(np.bincount(rows, out.data**2, minlength=shape[0]))
    out.data /= np.where(lengths > 0, lengths, 1)[rows]
    return out.astype(np.float32)


def require(items: Features, weights: Mapping[str, float], model: str) -> None:
    """Raises DataError (`no-feature`) where `model` is to weigh a block whose column no item has."""
    for name, weight in weights.items():
        if weight and COLUMNS[name] not in items:
            raise DataError("no-feature", f"{model} is to weigh {name} by {weight:g}, and no item of the data has a "
                            f"{COLUMNS[name]}", f"join item files by `side`, or leave {name} out")


def side_by_side(items: Features, weights: Mapping[str, float]) -> csr_array:
    """(I, F) float32, columns ascending: the blocks of a weight above 0, each times its weight."""
    blocks = [block(items, name) * np.float32(weight) for name, weight in weights.items() if weight > 0]
    return csr_array(hstack([csr_array((items.n, 0), dtype=np.float32), *blocks], format="csr"))


def words(title: str) -> list[str]:
    """Words and numbers of a title in any script; case and composition do not matter, nor does a year in brackets last.

    A number ends a word, so that 어벤져스2 speaks of 어벤져스.
    """
    plain = _YEAR.sub("", unicodedata.normalize("NFKC", title))
    return _WORDS.findall(unicodedata.normalize("NFKC", plain.casefold()))


def years(items: Features) -> NDArray[np.float64]:
    """(I,) of release: from the column `year`, else in brackets at the end of the title; NaN where neither says."""
    found = items.numbers("year").values.copy() if "year" in items else np.full(items.n, np.nan)
    for row in np.flatnonzero(np.isnan(found)) if "title" in items else ():
        match = _YEAR.search(items.texts("title").values[row])
        found[row] = float(match[1]) if match else np.nan
    return found


def _labels(items: Features, name: str) -> Categories:
    if name == "era":
        years = items.numbers(COLUMNS[name]).values
        known = np.flatnonzero(~np.isnan(years))
        return Categories.from_pairs(known, [f"{int(year) // 10 * 10}" for year in years[known]], items.n)
    if name == "title":
        found = [words(title) for title in items.texts(COLUMNS[name]).values]
        rows = np.repeat(np.arange(items.n), [len(one) for one in found])
        return Categories.from_pairs(rows, [word for one in found for word in one], items.n)
    return items.categories(COLUMNS[name])
