"""What lists are like, whoever likes them: how new, varied, popular, and how evenly spread over the catalogue.

All look at the first K places; a repeated item counts once. Letters: V users, I items, K list length.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numba import njit
from numpy.typing import NDArray

from matinee.data.columns import Categories
from matinee.data.interactions import Interactions
from matinee.errors import ConfigError
from matinee.evaluation.hits import first_showings
from matinee.evaluation.names import BEYOND_OVERALL, BEYOND_PER_USER, Metric, parse, require_depth
from matinee.ranking.lists import Lists


def per_user(
    lists: Lists,
    users: NDArray[np.int64],
    metrics: Sequence[str],
    item_counts: NDArray[np.int64],
    genres: Categories | None = None,
    given: Interactions | None = None,
) -> dict[str, NDArray[np.float64]]:
    """`novelty@K`, `popularity@K`, `diversity@K` and `seen@K` for each of `users` (V,): (V,) each; 0 without a list.

    item_counts (I,) are the events learned from; genres (I rows) are needed for diversity alone, and for seen the
    histories that were asked with. Raises ConfigError for other names, for a K over the lists' depth, and for
    diversity without genres.
    """
    values = {}
    parsed = _parse(metrics, BEYOND_PER_USER, lists.depth)
    for name, metric, (shown, first) in zip(metrics, parsed, _shown(lists, users, parsed), strict=True):
        if metric.name == "diversity":
            values[name] = _diversity(shown, first, require_genres(genres, name))
        elif metric.name == "seen":
            assert given is not None
            values[name] = _seen(shown, first, users, given)
        else:
            amounts = _self_information(item_counts) if metric.name == "novelty" else item_counts.astype(np.float64)
            values[name] = _mean_over_list(shown, first, amounts)
    return values


def overall(lists: Lists, users: NDArray[np.int64], metrics: Sequence[str], n_items: int) -> dict[str, float]:
    """`coverage@K` and `gini@K` of the lists of `users` (V,) over a catalogue of `n_items`.

    coverage: items in any list / n_items (catalogue coverage, Ge et al. 2010).
    gini: sum over items, by rising exposure x, of (2 i - I - 1) x_i / (I sum of x), i from 1: 0 where all are shown
    equally often, 1 - 1/I where one item is all that is shown (Fleder and Hosanagar 2009). Items never shown count.
    """
    values = {}
    parsed = _parse(metrics, BEYOND_OVERALL, lists.depth)
    for name, metric, (shown, first) in zip(metrics, parsed, _shown(lists, users, parsed), strict=True):
        exposure = np.bincount(shown[first], minlength=n_items)
        values[name] = np.count_nonzero(exposure) / n_items if metric.name == "coverage" else _gini(exposure)
    return values


def require_genres(genres: Categories | None, metric: str) -> Categories:
    """The genres. Raises ConfigError where there are none, naming the metric that wants them."""
    if genres is None:
        raise ConfigError("no-genres", f"{metric} compares genres, and the items have none",
                          "leave the metric out, or join a file with genres through data.side")
    return genres


def _parse(metrics: Sequence[str], known: Mapping[str, str], depth: int) -> list[Metric]:
    parsed = [parse(name) for name in metrics]
    for metric in parsed:
        if metric.name not in known:
            raise ConfigError("other-metric", f"{metric} is not computed here", f"known here: {', '.join(known)}")
    require_depth(parsed, depth)
    return parsed


def _shown(
    lists: Lists, users: NDArray[np.int64], metrics: list[Metric]
) -> Iterator[tuple[NDArray[np.int32], NDArray[np.bool_]]]:
    """For each metric the lists of `users` (V, K), and (V, K) true where an item stands for the first time."""
    ready: dict[int, tuple[NDArray[np.int32], NDArray[np.bool_]]] = {}
    for metric in metrics:
        if metric.k not in ready:
            shown = lists.top(metric.k).of(users).items
            ready[metric.k] = shown, first_showings(shown)
        yield ready[metric.k]


def _self_information(item_counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """(I,) -log2(events of the item / all events), in bits; an item without events counts as having one.

    Zhou et al. 2010 take the share of users; the share of events also holds where an item is met again.
    """
    return np.asarray(np.log2(max(int(item_counts.sum()), 1)) - np.log2(np.maximum(item_counts, 1)))


def _mean_over_list(
    shown: NDArray[np.int32], first: NDArray[np.bool_], amounts: NDArray[np.float64]
) -> NDArray[np.float64]:
    sums = np.where(first, amounts[shown], 0.0).sum(axis=1)
    return np.asarray(sums / np.maximum(first.sum(axis=1), 1))


def _seen(
    shown: NDArray[np.int32], first: NDArray[np.bool_], users: NDArray[np.int64], given: Interactions
) -> NDArray[np.float64]:
    known = first & (users >= 0)[:, None]
    had = np.isin(users[:, None] * given.n_items + shown, given.users * given.n_items + given.items)
    return np.asarray((had & known).sum(axis=1) / np.maximum(first.sum(axis=1), 1))


def _diversity(shown: NDArray[np.int32], first: NDArray[np.bool_], genres: Categories) -> NDArray[np.float64]:
    """(V,) intra-list diversity (Smyth and McClave 2001) with Jaccard distances.

    A pair with an item of unknown genres says nothing and is left out; a list without a pair scores 0.
    Time: V K^2 / 2 pairs.
    """
    items = np.repeat(np.arange(len(genres)), np.diff(genres.indptr))
    n_names = max(len(genres.names), 1)
    pairs = np.unique(items * n_names + genres.codes)  # a label given twice is given once
    indptr = np.searchsorted(pairs, np.arange(len(genres) + 1) * n_names)
    return np.asarray(_mean_distances(shown, first, indptr, pairs % n_names, n_names))


@njit(cache=True, nogil=True)
def _mean_distances(
    shown: NDArray[np.int32],
    first: NDArray[np.bool_],
    indptr: NDArray[np.int64],
    codes: NDArray[np.int64],
    n_names: int,
) -> NDArray[np.float64]:
    means = np.zeros(len(shown))
    has = np.full(n_names, -1, np.int64)  # the last place whose item has the label, counted through all lists
    for user in range(shown.shape[0]):
        total, pairs = 0.0, 0
        for i in range(shown.shape[1]):
            item, place = shown[user, i], user * shown.shape[1] + i
            if not first[user, i] or indptr[item] == indptr[item + 1]:
                continue
            for at in range(indptr[item], indptr[item + 1]):
                has[codes[at]] = place
            for j in range(i + 1, shown.shape[1]):
                other = shown[user, j]
                if not first[user, j] or indptr[other] == indptr[other + 1]:
                    continue
                shared = 0
                for at in range(indptr[other], indptr[other + 1]):
                    shared += has[codes[at]] == place
                union = indptr[item + 1] - indptr[item] + indptr[other + 1] - indptr[other] - shared
                total += 1 - shared / union
                pairs += 1
        if pairs:
            means[user] = total / pairs
    return means


def _gini(exposure: NDArray[np.int64]) -> float:
    total, n_items = int(exposure.sum()), len(exposure)
    weights = 2 * np.arange(1, n_items + 1) - n_items - 1
    return int((weights * np.sort(exposure)).sum()) / (n_items * total) if total else 0.0
