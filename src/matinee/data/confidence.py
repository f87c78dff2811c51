"""Confidence: how much each event of a history says, from 1 where nothing is known.

A confidence is fitted on the training log and then applied to any history, also of somebody who was never
in that log. What it learned is a few arrays, stored with the model. The first four and `release_era` are the
weights of a wrap-up report of a film competition (boostcamp AI Tech, 2022), with guards where it divided by zero.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Literal

import numpy as np
from annotated_types import Gt, Le
from numpy.typing import NDArray

from matinee.data.dataset import Dataset
from matinee.data.interactions import Interactions
from matinee.errors import ConfigError, DataError

State = Mapping[str, NDArray[np.generic]]

_DAY = 86_400
_CELLS = 1 << 22


@dataclass(frozen=True, kw_only=True)
class Confidence(ABC):
    """Frozen settings; what is learned comes back from `fit`."""

    @abstractmethod
    def fit(self, train: Dataset) -> State:
        """What to keep of the training log. Raises DataError where the data lacks what is needed."""

    @abstractmethod
    def apply(self, state: State, history: Interactions) -> NDArray[np.float32]:
        """(E,) a positive weight for each event of `history`."""


@dataclass(frozen=True, kw_only=True)
class Time(Confidence):
    """From 1 for the oldest to 2 for the newest event of a user; 1 where all are of one moment."""

    def fit(self, train: Dataset) -> State:
        return {}

    def apply(self, state: State, history: Interactions) -> NDArray[np.float32]:
        return _one_to_two(history.times.astype(np.float64), *_range_by_user(history.times, history))


@dataclass(frozen=True, kw_only=True)
class ItemPopularity(Confidence):
    """From 1 for the least to 2 for the most popular item of the training log."""

    def fit(self, train: Dataset) -> State:
        counts = train.log.item_counts().astype(np.float64)
        return {"weights": _one_to_two(counts, counts.min(), counts.max())}

    def apply(self, state: State, history: Interactions) -> NDArray[np.float32]:
        return _of_items(state, history)


@dataclass(frozen=True, kw_only=True)
class GenrePreference(Confidence):
    """1 + the share of the user's taste that the item's labels make up: the sum of p_u(g) over its labels g."""

    column: str = "genre"
    """The item categories that make up a taste."""

    def fit(self, train: Dataset) -> State:
        labels = train.item_features.categories(self.column)
        return {"indptr": labels.indptr, "codes": labels.codes, "names": np.array([len(labels.names)])}

    def apply(self, state: State, history: Interactions) -> NDArray[np.float32]:
        indptr, codes = _array(state, "indptr"), _array(state, "codes")
        names = int(_array(state, "names")[0])
        counts = np.diff(indptr)[history.items]  # (E,) labels of each event
        events = np.repeat(np.arange(len(history)), counts)  # (n,) one entry a label of an event
        starts = np.cumsum(counts) - counts
        flat = codes[np.arange(len(events)) + np.repeat(indptr[history.items] - starts, counts)]
        out = np.ones(len(history))
        for user in _pieces(history.n_users, names):  # (users, names) at once, in bounded memory
            first, last = history.indptr[user.start], history.indptr[user.stop]
            part = slice(*np.searchsorted(events, [first, last]))
            owners = np.repeat(np.arange(user.stop - user.start), history.counts[user])[events[part] - first]
            cells = owners * names + flat[part]
            taste = np.bincount(cells, minlength=(user.stop - user.start) * names).astype(np.float64)
            total = np.bincount(owners, minlength=user.stop - user.start)
            shares = taste[cells] / total[owners]
            out[first:last] += np.bincount(events[part] - first, weights=shares, minlength=last - first)
        return out.astype(np.float32)


@dataclass(frozen=True, kw_only=True)
class PopularityAndGenre(Confidence):
    """1 + what `item_popularity` adds + what `genre_preference` adds."""

    column: str = "genre"
    """The item categories that make up a taste."""

    def fit(self, train: Dataset) -> State:
        return {**ItemPopularity().fit(train), **GenrePreference(column=self.column).fit(train)}

    def apply(self, state: State, history: Interactions) -> NDArray[np.float32]:
        popularity = ItemPopularity().apply(state, history)
        return popularity + GenrePreference(column=self.column).apply(state, history) - np.float32(1)


@dataclass(frozen=True, kw_only=True)
class RecencyHalfLife(Confidence):
    """0.5^(age / half-life), the age counted back from the user's newest event."""

    half_life_days: Annotated[float, Gt(0), Le(100_000)] = 365.0
    """After so many days an event weighs half."""

    def fit(self, train: Dataset) -> State:
        return {}

    def apply(self, state: State, history: Interactions) -> NDArray[np.float32]:
        age = (np.repeat(history.last_times(), history.counts) - history.times) / _DAY
        least = 2.0**-20  # an event never vanishes, nor gets too small to divide by
        return np.maximum(np.exp2(-age / self.half_life_days), least).astype(np.float32)


@dataclass(frozen=True, kw_only=True)
class Rating(Confidence):
    """From 1 for the lowest to 2 for the highest rating; 1 for an event without one."""

    range: Literal["scale", "user"] = "scale"
    """Lowest and highest of the whole training log, or of the user's own history."""

    def fit(self, train: Dataset) -> State:
        ratings = train.log.columns.get("rating")
        if ratings is None or not bool(np.isfinite(ratings.astype(np.float64)).any()):
            raise DataError("no-ratings", "the confidence 'rating' needs ratings, and the data has none",
                            "choose another confidence")
        known = ratings.astype(np.float64)
        return {"scale": np.array([np.nanmin(known), np.nanmax(known)])}

    def apply(self, state: State, history: Interactions) -> NDArray[np.float32]:
        if "rating" not in history.columns:  # a history typed by hand
            return np.ones(len(history), np.float32)
        ratings = history.columns["rating"].astype(np.float64)
        low, high = _range_by_user(ratings, history) if self.range == "user" else _array(state, "scale")
        return _one_to_two(ratings, low, high)


@dataclass(frozen=True, kw_only=True)
class ViewCount(Confidence):
    """log(1 + n) where the user's history holds the item n times."""

    def fit(self, train: Dataset) -> State:
        return {}

    def apply(self, state: State, history: Interactions) -> NDArray[np.float32]:
        _, pairs, counts = np.unique(history.users * history.n_items + history.items, return_inverse=True,
                                     return_counts=True)
        weights: NDArray[np.float32] = np.log1p(counts).astype(np.float32)
        return weights[pairs]


@dataclass(frozen=True, kw_only=True)
class WatchRatio(Confidence):
    """1 + the share that was watched, from 0 to 1; where it is unknown, the mean share of the training log."""

    def fit(self, train: Dataset) -> State:
        shares = _watched(train.log)
        if np.isnan(shares).all():
            raise DataError("no-watch-time", "the confidence 'watch_ratio' needs the event columns watch_seconds and "
                            "total_seconds, and no event of the data has both", "name them under data.columns, or "
                            "choose another confidence")
        return {"mean": np.array([np.nanmean(shares)])}

    def apply(self, state: State, history: Interactions) -> NDArray[np.float32]:
        shares = _watched(history)
        return (1 + np.where(np.isnan(shares), _array(state, "mean"), shares)).astype(np.float32)


@dataclass(frozen=True, kw_only=True)
class ReleaseEra(Confidence):
    """e^(rate (year - 1980)), kept between 1/most and most; 1 where the year is unknown."""

    rate: Annotated[float, Gt(0), Le(1)] = 0.05
    """Growth a year. The report wrote 1, which makes e^34 of a film of 2014; a tenth to a hundredth is usable."""
    most: Annotated[float, Gt(1), Le(1000)] = 10.0
    """The largest weight; its inverse is the smallest."""

    def fit(self, train: Dataset) -> State:
        years = train.item_features.numbers("year").values
        bound = np.log(self.most)
        exponents = np.clip(self.rate * (years - 1980), -bound, bound)
        return {"weights": np.where(np.isnan(years), 1.0, np.exp(exponents)).astype(np.float32)}

    def apply(self, state: State, history: Interactions) -> NDArray[np.float32]:
        return _of_items(state, history)


CONFIDENCES: dict[str, type[Confidence]] = {
    "time": Time,
    "item_popularity": ItemPopularity,
    "genre_preference": GenrePreference,
    "popularity_and_genre": PopularityAndGenre,
    "release_era": ReleaseEra,
    "recency_half_life": RecencyHalfLife,
    "view_count": ViewCount,
    "watch_ratio": WatchRatio,
    "rating": Rating,
}


def confidence(name: str, settings: Mapping[str, Any]) -> Confidence:
    """The confidence called `name`. Raises ConfigError for a name or a setting that there is not."""
    if name not in CONFIDENCES:
        raise ConfigError("unknown-weights", f"no confidence is called {name!r}", f"known: {', '.join(CONFIDENCES)}")
    kind = CONFIDENCES[name]
    known = set(asdict(kind()))
    if not set(settings) <= known:
        raise ConfigError("unknown-key", f"{name} has no setting {min(set(settings) - known)!r}",
                          f"known: {', '.join(sorted(known)) or 'none'}")
    return kind(**settings)


def name_of(chosen: Confidence) -> str:
    """What `CONFIDENCES` calls it."""
    return next(name for name, kind in CONFIDENCES.items() if kind is type(chosen))


def _one_to_two(values: NDArray[np.float64], low: Any, high: Any) -> NDArray[np.float32]:
    """1 + (values - low) / (high - low), kept in [1, 2]; 1 where the two are equal and where a value is NaN."""
    span = np.asarray(high - low, np.float64)
    share = (values - low) / np.where(span > 0, span, np.inf)
    weights: NDArray[np.float32] = (1 + np.clip(np.nan_to_num(share, nan=0.0), 0, 1)).astype(np.float32)
    return weights


def _range_by_user(
    values: NDArray[np.generic], history: Interactions
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(E,) the smallest and the largest of each event's user; NaN counts as neither."""
    active, counts = history.counts > 0, history.counts
    if not len(history):
        return np.empty(0), np.empty(0)
    starts, numbers = history.indptr[:-1][active], values.astype(np.float64)
    low, high = np.fmin.reduceat(numbers, starts), np.fmax.reduceat(numbers, starts)
    return np.repeat(low, counts[active]), np.repeat(high, counts[active])


def _watched(history: Interactions) -> NDArray[np.float64]:
    """(E,) the share of its length that each event was watched, in [0, 1]; NaN where that is unknown."""
    nothing = np.full(len(history), np.nan)
    watched, whole = (history.columns.get(name, nothing).astype(np.float64)
                      for name in ("watch_seconds", "total_seconds"))
    return np.clip(watched / np.where(whole > 0, whole, np.nan), 0, 1)


def _of_items(state: State, history: Interactions) -> NDArray[np.float32]:
    return np.asarray(_array(state, "weights")[history.items], np.float32)


def _array(state: State, key: str) -> NDArray[Any]:
    return np.asarray(state[key])


def _pieces(n: int, width: int) -> list[slice]:
    """The rows 0..n in pieces of about `_CELLS` cells, `width` a row."""
    size = max(1, _CELLS // max(1, width))
    return [slice(start, min(start + size, n)) for start in range(0, n, size)]
