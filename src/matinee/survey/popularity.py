"""How unevenly events are spread over items: the long tail, its curve, and the heads by name."""

from __future__ import annotations

import numpy as np

from matinee.data.columns import Texts
from matinee.data.dataset import Dataset
from matinee.survey.figures import NO_EVENTS, Figures, absent, share

POINTS = 101
HEADS = 10
TOPS = (1, 5, 10, 20)


def popularity(dataset: Dataset) -> Figures:
    """Lorenz curve, Gini coefficient, shares of the most popular 1, 5, 10 and 20 %, and how few hold the half.

    The curve: the least popular share x of all items (those without events too) holds the share y of the events.
    """
    log = dataset.log
    if not len(log):
        return absent(NO_EVENTS)
    counts, people = np.bincount(log.items, minlength=log.n_items), log.item_counts()
    order = np.argsort(-counts, kind="stable")
    falling = counts[order]
    held, rising = np.cumsum(falling), np.concatenate([[0], np.cumsum(falling[::-1])])
    n, total = len(counts), int(held[-1])
    half = int(np.searchsorted(held, total / 2)) + 1
    at = np.unique(np.linspace(0, n, POINTS).round().astype(np.int64))
    ranks = np.unique(np.geomspace(1, n, POINTS).round().astype(np.int64))
    return {
        "items": n,
        "items_without_events": int((counts == 0).sum()),
        "median": float(np.median(counts)),
        "gini": (n + 1 - 2 * float(rising.sum()) / total) / n,
        "top": {str(top): share(held[-(-n * top // 100) - 1], total) for top in TOPS},
        "half_held_by": half,
        "half_held_by_share": share(half, n),
        "lorenz": {"items": (at / n).tolist(), "events": (rising[at] / total).tolist()},
        "ranks": {"rank": ranks.tolist(), "events": falling[ranks - 1].tolist()},
        "heads": [{"item": dataset.items[item], "title": title_of(dataset, item), "events": int(counts[item]),
                   "users_share": share(people[item], (log.counts > 0).sum())}
                  for item in order[:HEADS].tolist() if counts[item]],
    }


def title_of(dataset: Dataset, item: int) -> str:
    """Its title, or its id where it has none."""
    titles = dataset.item_features.columns.get("title")
    return (titles.values[item] if isinstance(titles, Texts) else "") or dataset.items[item]
