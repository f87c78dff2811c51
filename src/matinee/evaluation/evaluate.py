"""Lists and a truth in, rows of figures out: each metric, overall and by segment, with its interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matinee.data.columns import Categories, Features
from matinee.data.interactions import Interactions
from matinee.errors import ConfigError
from matinee.evaluation import accuracy, beyond_accuracy
from matinee.evaluation.names import BEYOND_OVERALL, BEYOND_PER_USER, parse, require_depth, require_per_user
from matinee.evaluation.segments import masks, narrow, require
from matinee.evaluation.uncertainty import RESAMPLES, intervals, mean
from matinee.ranking.lists import Lists
from matinee.split.parts import Truth


@dataclass(frozen=True)
class Row:
    segment: str | None  # such as `hidden_part=tail`; None: everybody
    metric: str
    value: float
    low: float | None  # 95 % interval; None where a figure is not a mean over users, or there is but one user
    high: float | None
    users: int  # how many the mean is over


@dataclass(frozen=True, eq=False)
class _Slice:
    label: str | None
    truth: Truth
    rows: NDArray[np.int64]  # (v,)  positions of its users in the whole truth


def evaluate(
    lists: Lists,
    truth: Truth,
    *,
    metrics: Sequence[str],
    segments: Sequence[str],
    given: Interactions,
    fit: Interactions,
    item_features: Features,
    seed: int,
    resamples: int = RESAMPLES,
) -> list[Row]:
    """Every metric for everybody, then for each label of each segment, in the order asked.

    given: the histories that the model was asked with; fit: the events it learned from; both U users by row.
    The same seed and truth give the same resamples, whatever the lists. Raises ConfigError as `check` does.
    """
    check(metrics, segments, lists.depth, item_features)
    item_counts = np.bincount(fit.items, minlength=fit.n_items)
    genres = _genres(item_features)
    slices = _slices(truth, segments, given, item_counts)
    measured = [_per_user(lists, part.truth, metrics, item_counts, genres, given) for part in slices]
    groups = [(part.rows, np.stack(list(values.values()), axis=1) if values else np.empty((len(part.rows), 0)))
              for part, values in zip(slices, measured, strict=True)]
    rows = []
    for part, values, ends in zip(slices, measured, intervals(groups, len(truth), seed, resamples), strict=True):
        figures: dict[str, tuple[float, float | None, float | None]] = {
            name: (value, None, None) for name, value in _overall(lists, part.truth, metrics, fit.n_items).items()}
        for at, (name, column) in enumerate(values.items()):
            low, high = (None, None) if ends is None else (float(ends[at, 0]), float(ends[at, 1]))
            figures[name] = (mean(column), low, high)
        rows += [Row(part.label, name, *figures[name], len(part.truth)) for name in metrics]
    return rows


def values(
    lists: Lists, truth: Truth, metric: str, *, given: Interactions, fit: Interactions, item_features: Features
) -> NDArray[np.float64]:
    """(V,) one metric of each user of the truth, as `evaluate` takes its mean. Raises ConfigError for a metric of which
    no user has a value, and as `check` does."""
    check([metric], [], lists.depth, item_features)
    require_per_user(parse(metric))
    item_counts = np.bincount(fit.items, minlength=fit.n_items)
    return _per_user(lists, truth, [metric], item_counts, _genres(item_features), given)[metric]


def check(metrics: Sequence[str], segments: Sequence[str], depth: int, item_features: Features) -> None:
    """Could these be computed from lists of `depth`? Nothing is fitted or read.

    Raises ConfigError for an unknown name, a name given twice, a K over the depth, and diversity without genres.
    """
    for names in (metrics, segments):
        twice = [name for name in dict.fromkeys(names) if list(names).count(name) > 1]
        if twice:
            raise ConfigError("given-twice", f"{twice[0]!r} is asked for twice", "name it once")
    parsed = [parse(name) for name in metrics]
    require_depth(parsed, depth)
    for name in segments:
        require(name)
    for metric in parsed:
        if metric.name == "diversity":
            beyond_accuracy.require_genres(_genres(item_features), str(metric))


def _genres(item_features: Features) -> Categories | None:
    return item_features.categories("genre") if "genre" in item_features else None


def _slices(
    truth: Truth, segments: Sequence[str], given: Interactions, item_counts: NDArray[np.int64]
) -> list[_Slice]:
    slices = [_Slice(None, truth, np.arange(len(truth)))]
    for name in segments:
        for label, hidden in masks(name, truth, given, item_counts).items():
            slices.append(_Slice(f"{name}={label}", *narrow(truth, hidden)))
    return slices


def _per_user(
    lists: Lists, truth: Truth, metrics: Sequence[str], item_counts: NDArray[np.int64], genres: Categories | None,
    given: Interactions,
) -> dict[str, NDArray[np.float64]]:
    beyond = _named(metrics, BEYOND_PER_USER)
    own = [name for name in metrics if accuracy.is_accuracy(parse(name))]
    return {**accuracy.per_user(lists, truth, own),
            **beyond_accuracy.per_user(lists, truth.users, beyond, item_counts, genres, given)}


def _overall(lists: Lists, truth: Truth, metrics: Sequence[str], n_items: int) -> dict[str, float]:
    return beyond_accuracy.overall(lists, truth.users, _named(metrics, BEYOND_OVERALL), n_items)


def _named(metrics: Sequence[str], measures: Mapping[str, str]) -> list[str]:
    return [name for name in metrics if parse(name).name in measures]
