"""From which years the items are that people chose, and how old an item was when it was chosen."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from matinee.data.dataset import Dataset
from matinee.survey.figures import NO_EVENTS, Figures, absent, share, without_times, years_of
from matinee.survey.labels import item_events, years

SINCE = (1970, 1980, 1990, 2000, 2010)
AGES = (1, 2, 5, 10, 20, 40)


def eras(dataset: Dataset) -> Figures:
    """Items and events by release year, by decade, and the age of items at their events."""
    log, of_item = dataset.log, years(dataset)
    if not len(log):
        return absent(NO_EVENTS)
    if of_item is None:
        return absent("no release year of the items is known")
    counts = item_events(log)
    chosen = (of_item > 0) & (counts > 0)
    if not chosen.any():
        return absent("no release year of an item with events is known")
    released, events = of_item[chosen], counts[chosen]
    first, n = int(released.min()), int(released.max() - released.min()) + 1
    by_year = np.bincount(released - first, events, n).astype(np.int64)
    items = np.bincount(released - first, minlength=n)
    return {
        "years": list(range(first, first + n)),
        "events": by_year.tolist(),
        "items": items.tolist(),
        "decades": _decades(released, events),
        "known_share": share(events.sum(), len(log)),
        "median_year": _middle(released, events),
        "since": {str(year): share(events[released >= year].sum(), events.sum()) for year in SINCE},
        "items_since": {str(year): share((released >= year).sum(), len(released)) for year in SINCE},
        "age": _ages(dataset, of_item),
    }


def _middle(released: NDArray[np.int64], events: NDArray[np.int64]) -> int:
    """The release year up to which half of the events lie."""
    order = np.argsort(released)
    held = np.cumsum(events[order])
    return int(released[order][np.searchsorted(held, held[-1] / 2)])


def _decades(released: NDArray[np.int64], events: NDArray[np.int64]) -> list[Figures]:
    rows = []
    for decade in np.unique(released // 10).tolist():
        own = released // 10 == decade
        rows.append({"decade": 10 * decade, "items": int(own.sum()), "events": int(events[own].sum()),
                     "events_an_item": share(events[own].sum(), own.sum())})
    return rows


def _ages(dataset: Dataset, of_item: NDArray[np.int64]) -> Figures:
    """Calendar years between release and event; negative ones are counted among the anomalies."""
    log = dataset.log
    why = without_times(log)
    if why:
        return absent(why)
    released = of_item[log.items]
    ages = (years_of(log.times) - released)[released > 0]
    edges = [-(2**31), 0, *AGES, 2**31]
    names = ["before", "same year", *(f"{low} to {high - 1}" if high - low > 1 else str(low)
                                      for low, high in pairwise(AGES)), f"{AGES[-1]} and more"]
    counts = np.histogram(ages, edges)[0]
    return {
        "years": {name: int(count) for name, count in zip(names, counts, strict=True)},
        "median": float(np.median(ages)),
        "within_two_years_share": share(((ages >= 0) & (ages < 2)).sum(), len(ages)),
        "over_twenty_share": share((ages >= 20).sum(), len(ages)),
    }
