"""Rules by genre, by year and by forecast as loops over plain numbers: slow and obvious."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from matinee.data.interactions import Interactions
from tests.reference.item_item import distinct

Genres = list[list[str]]


def popularity(log: Interactions) -> list[float]:
    out = [0.0] * log.n_items
    for user in range(log.n_users):
        for item, value in distinct(log, user).items():
            out[item] += value
    return out


def genre_worth(log: Interactions, genres: Genres, weighting: str) -> list[dict[str, float]]:
    """item -> genre -> what the item adds to it."""
    views = popularity(log)
    equal = [{genre: 1 / len(mine) for genre in mine} for mine in genres]
    watched: dict[str, float] = {}
    for item, mine in enumerate(equal):
        for genre, share in mine.items():
            watched[genre] = watched.get(genre, 0) + share * views[item]
    if weighting == "counts":
        return [dict.fromkeys(mine, 1.0) for mine in genres]
    if weighting == "normalised":
        return equal
    rarity = {genre: np.log(1 + sum(watched.values()) / max(mass, 1)) for genre, mass in watched.items()}
    return [{genre: share * rarity[genre] for genre, share in mine.items()} for mine in equal]


def favourites(history: Interactions, user: int, worth: list[dict[str, float]], n: int) -> list[str]:
    held: dict[str, float] = {}
    for item, value in distinct(history, user).items():
        for genre, share in worth[item].items():
            held[genre] = held.get(genre, 0) + value * share
    ranked = sorted(held, key=lambda genre: (-np.float32(held[genre]), genre.encode()))
    return ranked[:n]


def genre_popularity(log: Interactions, genres: Genres, weighting: str, n: int) -> list[list[int]]:
    """Everybody's order of all items, best first."""
    views, worth, out = popularity(log), genre_worth(log, genres, weighting), []
    for user in range(log.n_users):
        mine = set(favourites(log, user, worth, n))
        out.append(sorted(range(log.n_items), key=lambda item: (not mine & set(genres[item]), -views[item], item)))
    return out


def genre_quota(
    log: Interactions, genres: Genres, weighting: str, quotas: tuple[int, ...], *, repeats: bool
) -> list[list[int]]:
    """Everybody's order of all items, best first; what was seen stands at its end unless it may come again."""
    views, worth = popularity(log), genre_worth(log, genres, weighting)
    last = [max((int(t) for i, t in zip(log.items, log.times, strict=True) if i == item), default=0)
            for item in range(log.n_items)]
    ranked = sorted(range(log.n_items), key=lambda item: (-views[item], -last[item], item))
    out = []
    for user in range(log.n_users):
        seen = set() if repeats else set(distinct(log, user))
        names = favourites(log, user, worth, len(quotas))
        left, order = [item for item in ranked if item not in seen], []
        while left:
            due = 0
            for place, quota in enumerate(quotas):
                due += quota
                having = [item for item in left if place < len(names) and names[place] in genres[item]]
                order += having[:due]
                left = [item for item in left if item not in having[:due]]
                due -= len(having[:due])
            order, left = order + left[:due], left[due:]
        out.append(order + [item for item in ranked if item in seen])
    return out


def period_of(time: int, period: str) -> tuple[int, ...]:
    """What two moments of one period have in common."""
    moment = datetime.fromtimestamp(time, UTC)
    match period:
        case "day":
            return moment.year, moment.month, moment.day
        case "week":
            return moment.isocalendar()[:2]
        case "month":
            return moment.year, moment.month
        case "quarter":
            return moment.year, (moment.month - 1) // 3
    return (moment.year,)


def year_popularity(log: Interactions, before: int) -> NDArray[np.float64]:
    """(U, I); an event at time 0 has no time."""
    years = [period_of(int(time), "year")[0] if time else None for time in log.times]
    out = np.zeros((log.n_users, log.n_items))
    for user in range(log.n_users):
        mine = [year for year in years[log.indptr[user] : log.indptr[user + 1]] if year is not None]
        for year, item in zip(years, log.items, strict=True):
            if year is not None and (not mine or min(mine) - before <= year <= max(mine)):
                out[user, item] += 1
    return out


def theta(views: NDArray[np.int64], lags: tuple[int, ...], l2: float) -> NDArray[np.float64]:
    """Intercept and weights: least squares over all items and periods, the ridge as rows added below."""
    rows, targets = [], []
    for t in range(max(lags), len(views)):
        for item in range(views.shape[1]):
            rows.append([float(views[t - lag, item]) for lag in lags])
            targets.append(float(views[t, item]))
    X, y = np.array(rows), np.array(targets)
    ridge = np.sqrt(len(y) * l2 * X.var(axis=0).mean()) * np.eye(len(lags))
    centred = np.vstack([X - X.mean(axis=0), ridge])
    weights = np.linalg.lstsq(centred, np.append(y - y.mean(), np.zeros(len(lags))), rcond=None)[0]
    return np.append(y.mean() - X.mean(axis=0) @ weights, weights)


def one_ahead(views: NDArray[np.int64], t: int, kind: str, n: int, lags: tuple[int, ...], learnt: NDArray[np.float64]
              ) -> list[float]:
    """Each item's forecast of period t."""
    out = []
    for item in range(views.shape[1]):
        def before(lag: int, item: int = item) -> float:
            return float(views[t - lag, item]) if t - lag >= 0 else 0.0

        match kind:
            case "naive":
                said = before(1)
            case "moving_average":
                said = sum(before(k) for k in range(1, n + 1)) / n
            case "weighted_moving_average":
                said = sum((n + 1 - k) * before(k) for k in range(1, n + 1)) / sum(range(1, n + 1))
            case _:
                said = learnt[0] + sum(w * before(lag) for w, lag in zip(learnt[1:], lags, strict=True))
        out.append(max(0.0, said))
    return out


def rolling_error(views: NDArray[np.int64], kind: str, n: int, lags: tuple[int, ...], l2: float) -> float:
    squares = []
    for t in range(max(n, *lags) + 1, len(views)):
        said = one_ahead(views, t, kind, n, lags, theta(views[:t], lags, l2))
        squares += [(forecast - seen) ** 2 for forecast, seen in zip(said, views[t], strict=True)]
    return float(np.mean(squares))
