"""Segments: a smaller truth each, so that every metric works on it unchanged, with its own normaliser.

The lists stay the same. Letters: V users of the truth, H hidden items, I items.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from matinee.data.interactions import Interactions
from matinee.errors import ConfigError
from matinee.split.parts import PARTS, Truth

_DAY = 86_400
_QUINTILES = ("lowest fifth", "second fifth", "third fifth", "fourth fifth", "highest fifth")

Labelled = tuple[Sequence[str], NDArray[np.integer]]
"""The labels, and (H,) which of them each hidden item has; -1 is none."""


def segment(
    name: str, truth: Truth, given: Interactions, item_counts: NDArray[np.int64]
) -> dict[str, Truth]:
    """label -> what of the truth has it, for the segment called `name`; a label that nothing has is absent.

    given: the histories asked with, U users by row; item_counts (I,): events learned from. Raises ConfigError for an
    unknown name. The segments: `KNOWN`.
    """
    return {label: narrow(truth, hidden)[0] for label, hidden in masks(name, truth, given, item_counts).items()}


def masks(
    name: str, truth: Truth, given: Interactions, item_counts: NDArray[np.int64]
) -> dict[str, NDArray[np.bool_]]:
    """As `segment`, as masks (H,) over the hidden items."""
    require(name)
    labels, which = _SEGMENTS[name](truth, given, item_counts)
    found = {label: which == at for at, label in enumerate(labels)}
    return {label: mask for label, mask in found.items() if mask.any()}


def narrow(truth: Truth, hidden: NDArray[np.bool_]) -> tuple[Truth, NDArray[np.int64]]:
    """The truth with only the items of a mask (H,), and (v,) the positions of the users who keep any."""
    counts = np.bincount(_owners(truth)[hidden], minlength=len(truth))
    kept = np.flatnonzero(counts)
    indptr = np.concatenate((np.zeros(1, np.int64), np.cumsum(counts[kept], dtype=np.int64)))
    return Truth(truth.users[kept], indptr, truth.items[hidden], truth.parts[hidden]), kept


def active_spans(given: Interactions) -> NDArray[np.int64]:
    """(U,) seconds from each user's oldest to the newest event; 0 for a user without events."""
    spans = np.zeros(given.n_users, np.int64)
    active = given.counts > 0
    spans[active] = given.last_times()[active] - given.times[given.indptr[:-1][active]]
    return spans


def require(name: str) -> None:
    """Raises ConfigError where no segment is called `name`."""
    if name not in _SEGMENTS:
        near = difflib.get_close_matches(name, _SEGMENTS, n=1)
        raise ConfigError("unknown-segment", f"no segment is called {name!r}",
                          f"did you mean {near[0]}?" if near else f"known: {', '.join(_SEGMENTS)}")


def _hidden_part(truth: Truth, given: Interactions, item_counts: NDArray[np.int64]) -> Labelled:
    """tail: taken from the end of a history; gap: from its middle"""
    labels = ("tail", "gap")
    which = np.full(len(PARTS), -1)
    which[[PARTS.index(label) for label in labels]] = range(len(labels))
    return labels, which[truth.parts]


def _history_length(truth: Truth, given: Interactions, item_counts: NDArray[np.int64]) -> Labelled:
    """events in the history that the model is asked with: up to 50, up to 200, over 200"""
    return ("up to 50", "up to 200", "over 200"), _by_user(truth, np.searchsorted([50, 200], given.counts))


def _short_history(truth: Truth, given: Interactions, item_counts: NDArray[np.int64]) -> Labelled:
    """events in that history, where they are few: 0, 1, 2 to 5, over 5"""
    return ("0", "1", "2 to 5", "over 5"), _by_user(truth, np.searchsorted([0, 1, 5], given.counts))


def _seen_before(truth: Truth, given: Interactions, item_counts: NDArray[np.int64]) -> Labelled:
    """seen: the hidden item is in that history already; new: it is not"""
    return ("seen", "new"), np.where(_in_history(truth, given), 0, 1)


def _active_span(truth: Truth, given: Interactions, item_counts: NDArray[np.int64]) -> Labelled:
    """time from the oldest to the newest event of that history: up to 1 day, up to 30 days, over 30 days"""
    places = np.searchsorted([_DAY, 30 * _DAY], active_spans(given))
    return ("up to 1 day", "up to 30 days", "over 30 days"), _by_user(truth, places)


def _item_popularity(truth: Truth, given: Interactions, item_counts: NDArray[np.int64]) -> Labelled:
    """fifths of the hidden items by the events learned from: lowest fifth to highest fifth

    Items with equally many events are never parted, so fifths may differ in size.
    """
    known = np.maximum(truth.items, 0)
    popularity = np.where(truth.items >= 0, item_counts[known], 0)
    return _QUINTILES, np.searchsorted(np.quantile(popularity, [0.2, 0.4, 0.6, 0.8]), popularity)


def seen_share(truth: Truth, given: Interactions) -> NDArray[np.float64]:
    """(V,) the share of each user's hidden items that the history has already."""
    return np.bincount(_owners(truth), _in_history(truth, given), len(truth)) / truth.counts


def _in_history(truth: Truth, given: Interactions) -> NDArray[np.bool_]:
    """(H,) has its user had the hidden item before?"""
    users = truth.users[_owners(truth)]
    known = (users >= 0) & (truth.items >= 0)
    had = np.isin(users * given.n_items + truth.items, given.users * given.n_items + given.items)
    return np.asarray(known & had)


def _by_user(truth: Truth, of_user: NDArray[np.integer]) -> NDArray[np.integer]:
    """(U,) labels of users -> (H,) of hidden items; somebody unknown has done nothing: the first label."""
    users = truth.users[_owners(truth)]
    return np.where(users < 0, 0, of_user[np.maximum(users, 0)])


def _owners(truth: Truth) -> NDArray[np.int64]:
    return np.repeat(np.arange(len(truth)), truth.counts)


_SEGMENTS: Mapping[str, Callable[[Truth, Interactions, NDArray[np.int64]], Labelled]] = {
    "hidden_part": _hidden_part,
    "history_length": _history_length,
    "active_span": _active_span,
    "item_popularity": _item_popularity,
    "short_history": _short_history,
    "seen_before": _seen_before,
}
KNOWN: Mapping[str, str] = {name: (function.__doc__ or "").split("\n")[0] for name, function in _SEGMENTS.items()}
"""Every segment and what it means."""
