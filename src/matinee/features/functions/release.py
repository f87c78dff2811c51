"""When an item was released: from the column `year`, else in brackets at the end of its title; else unknown."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from matinee.data import content
from matinee.data.columns import Categories, Numbers
from matinee.data.dataset import Dataset
from matinee.errors import DataError
from matinee.features.feature import item
from matinee.features.histories import years_of

ERAS = (1920, 1950, 1970, 1980, 2000)
"""Where each era but the first begins."""


@item("categories")
def era(train: Dataset) -> Categories:
    """One of six eras of release: before 1920, 1950, 1970, 1980, 2000, and since; none where the year is unknown."""
    years = release_years(train)
    names = ("1:-1919", *(f"{n}:{a}-{b - 1}" for n, (a, b) in enumerate(pairwise(ERAS), 2)),
             f"6:{ERAS[-1]}-")
    return _labelled(np.searchsorted(ERAS, years, side="right"), ~np.isnan(years), names)


@item("categories")
def decade(train: Dataset) -> Categories:
    """The decade of release; none where the year is unknown."""
    years = release_years(train)
    there = np.flatnonzero(~np.isnan(years))
    return Categories.from_pairs(there, [f"{int(year) // 10 * 10}" for year in years[there]], len(years))


@item("number")
def release_year(train: Dataset) -> Numbers:
    """The year of release; unknown where neither a column nor the title tells."""
    return Numbers(release_years(train))


@item("number")
def release_age(train: Dataset) -> Numbers:
    """Years from the release to the newest event of the training log; unknown where either is."""
    newest = int(train.log.times.max(initial=0))
    now = years_of(np.array([float(newest)]))[0] if newest else np.nan
    return Numbers(now - release_years(train))


def release_years(train: Dataset) -> NDArray[np.float64]:
    """(I,) NaN where unknown. Raises DataError (`no-feature`) where that is everywhere."""
    years = content.years(train.item_features)
    if np.isnan(years).all():
        raise DataError("no-feature", "no item of the data has a year of release, as a column or in its title",
                        "join item files by `data.side`")
    return years


def _labelled(codes: NDArray[np.integer], there: NDArray[np.bool_], names: tuple[str, ...]) -> Categories:
    indptr = np.zeros(len(codes) + 1, np.int64)
    np.cumsum(there, out=indptr[1:])
    return Categories(indptr, codes[there].astype(np.int32), names)
