"""A small log with planted tastes that a transposed, off-by-one or unshuffled model cannot pass by luck.

150 users and 48 items, three tastes of unequal size on both sides, skewed popularity, raw ids in an order
that says nothing, two held-out items a user. A user has all but six items of his taste, the two held out
among those six and thus, with the four he never had, easily within ten places; and one item of another taste.
Ratings, repeats, times, seconds watched, genres, makers, years and ages are there for what weighs or reads them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from matinee.contract import Queries, Scorer
from matinee.data.columns import Categories, Features, Numbers, Texts
from matinee.data.dataset import Dataset, Facts
from matinee.data.ids import Vocabulary
from matinee.data.interactions import Interactions
from matinee.ranking.recommend import ask_from, recommend

U, I, K = 150, 48, 10
TASTES, GENRES = (70, 50, 30), (20, 16, 12)
LEFT_OUT, STRAYS, HELD = 6, 1, 2
_DAY = 86_400


@dataclass(frozen=True, eq=False)
class Toy:
    data: Dataset  # what may be learnt from
    held: NDArray[np.int32]  # (U, 2) the items to be found again

    def ask(self, known: NDArray[np.int64] | None = None) -> Callable[[NDArray[np.int64]], Queries]:
        """Queries of the toy's users; to a model fitted without them where `known` (U,) counts no events of theirs."""
        log = self.data.log
        return ask_from(log, log.counts if known is None else known, self.data.user_features)

    def queries(self) -> Queries:
        """Everybody's."""
        return self.ask()(np.arange(self.data.n_users))

    def recall(
        self, scorer: Scorer, users: NDArray[np.int64] | None = None, known: NDArray[np.int64] | None = None
    ) -> float:
        """Mean share of the held-out items among the ten best unseen ones."""
        users = np.arange(len(self.held)) if users is None else users
        lists = recommend(scorer, self.ask(known), users, K, repeats=False)
        found = (self.held[users][:, :, None] == lists.items[:, None, :]).any(axis=2)  # (users, HELD)
        return float(found.mean())

    @property
    def chance(self) -> float:
        """The recall of random lists, about."""
        return float(K / (self.data.n_items - self.data.log.matrix().nnz / self.data.n_users))


@cache
def planted(seed: int = 7) -> Toy:
    """Users choose what their taste tells them."""
    rng = np.random.default_rng(seed)
    taste, genre = rng.permutation(np.repeat([0, 1, 2], TASTES)), rng.permutation(np.repeat([0, 1, 2], GENRES))
    appeal = rng.gamma(2.0, 1.0, I)

    def choose(user: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        own = np.flatnonzero(genre == taste[user])
        mine = _draw(rng, own, appeal, len(own) - LEFT_OUT + HELD)
        return mine[HELD:], mine[:HELD]

    def stray(user: int) -> NDArray[np.int64]:
        return _draw(rng, np.flatnonzero(genre != taste[user]), appeal, STRAYS)

    chosen = [choose(user) for user in range(U)]
    picks = [rng.permutation(np.concatenate([mine, stray(user)])) for user, (mine, _) in enumerate(chosen)]
    return _toy(rng, picks, np.array([held for _, held in chosen]), taste, genre)


@cache
def noise(seed: int = 8) -> Toy:
    """Users choose by popularity alone: there is nothing to learn but that."""
    rng = np.random.default_rng(seed)
    appeal = rng.gamma(2.0, 1.0, I)
    picks = [_draw(rng, np.arange(I), appeal, 12) for _ in range(U)]
    nothing = np.zeros(U, np.int64), rng.integers(0, 3, I)
    return _toy(rng, [mine[HELD:] for mine in picks], np.array([mine[:HELD] for mine in picks]), *nothing)


@cache
def wide(seed: int = 9) -> Toy:
    """Nothing but noise, on more items than fit a processor's small tricks."""
    rng = np.random.default_rng(seed)
    n_items, each = 611, 40
    users = np.repeat(np.arange(U), each)
    items = np.concatenate([rng.choice(n_items, each, replace=False) for _ in range(U)])
    log = Interactions.from_events(users, items, np.arange(len(users)) * 3600, n_users=U, n_items=n_items,
                                   columns={"rating": rng.integers(1, 6, len(users)).astype(np.float32)})
    ids = Vocabulary.of(f"u{n:03}" for n in range(U)), Vocabulary.of(f"{n:03}" for n in range(n_items))
    rows = rng.integers(0, I, n_items)
    features = planted().data.item_features.take(rows), planted().data.user_features
    return Toy(Dataset(log, *ids, *features, Facts(name="wide")), rng.integers(0, n_items, (U, HELD)).astype(np.int32))


def without(toy: Toy, users: NDArray[np.int64]) -> Toy:
    """The toy with the events of `users` taken out of what may be learnt from; the same rows."""
    log = toy.data.log
    return Toy(toy.data.with_log(log.select(~np.isin(log.users, users))), toy.held)


def renamed(toy: Toy, users: NDArray[np.int64], items: NDArray[np.int64]) -> Toy:
    """The toy with other ids: user u becomes row users[u], item i becomes row items[i]; both are permutations."""
    data, log = toy.data, toy.data.log
    back_users, back_items = np.argsort(users), np.argsort(items)
    moved = Interactions.from_events(users[log.users], items[log.items], log.times, log.values, n_users=data.n_users,
                                     n_items=data.n_items, columns=log.columns)
    features = data.item_features.take(back_items), data.user_features.take(back_users)
    held = items[toy.held][back_users].astype(np.int32)
    return Toy(Dataset(moved, data.users, data.items, *features, data.facts), held)


def with_bystanders(toy: Toy) -> Toy:
    """The toy with one more user, who did nothing, and one more item, which nobody touched; both have the last row."""
    data, log = toy.data, toy.data.log
    more = Interactions.from_events(log.users, log.items, log.times, log.values, n_users=data.n_users + 1,
                                    n_items=data.n_items + 1, columns=log.columns)
    ids = Vocabulary.of([*data.users.series, "힣"]), Vocabulary.of([*data.items.series, "힣"])
    rows = np.append(np.arange(data.n_items), -1), np.append(np.arange(data.n_users), -1)
    return Toy(Dataset(more, *ids, data.item_features.take(rows[0]), data.user_features.take(rows[1]), data.facts),
               toy.held)


def _draw(rng: np.random.Generator, items: NDArray[np.int64], appeal: NDArray[np.float64], n: int) -> NDArray[np.int64]:
    return rng.choice(items, n, replace=False, p=appeal[items] / appeal[items].sum())


def _toy(
    rng: np.random.Generator,
    picks: list[NDArray[np.int64]],
    held: NDArray[np.int64],
    taste: NDArray[np.int64],
    genre: NDArray[np.int64],
) -> Toy:
    picks = [np.append(mine, mine[:1]) if user % 3 == 0 else mine for user, mine in enumerate(picks)]  # some come again
    users, items = np.repeat(np.arange(U), [len(mine) for mine in picks]), np.concatenate(picks)
    start = rng.integers(1_100_000_000, 1_400_000_000, U)
    gaps = [rng.integers(1, 60 if user % 4 == 0 else 90 * _DAY, len(mine)) for user, mine in enumerate(picks)]
    times = np.concatenate([start[user] + np.cumsum(mine) for user, mine in enumerate(gaps)])
    rating = np.clip(rng.integers(1, 4, len(items)) + 2 * (genre[items] == taste[users]), 1, 5).astype(np.float32)
    watched = np.where(users % 5 == 0, np.nan, rng.uniform(60, 7200, len(items)))
    columns = {"rating": rating, "watch_seconds": watched, "total_seconds": np.full(len(items), 5400.0)}
    log = Interactions.from_events(users, items, times, n_users=U, n_items=I,
                                   columns={name: column.astype(np.float32) for name, column in columns.items()})
    years = np.where(np.arange(I) == 3, np.nan, rng.integers(1950, 2015, I).astype(float))
    rows, labels = np.repeat(np.arange(I), 2), [name for i in range(I) for name in (f"장르{genre[i]}", f"g{i % 5}")]
    director, writer = (Categories.from_pairs(np.arange(I), [f"{word}{i % n}" for i in range(I)], I)
                        for word, n in (("감독", 13), ("작가", 17)))
    item_features = Features(I, {"genre": Categories.from_pairs(rows, labels, I), "year": Numbers(years),
                                 "director": director, "writer": writer,
                                 "title": Texts(tuple(f"영화 {i}" for i in range(I)))})
    user_features = Features(U, {"gender": Categories.from_pairs(np.arange(U), [f"{t % 2}" for t in taste], U),
                                 "age": Numbers(rng.integers(10, 70, U).astype(float))})
    ids = Vocabulary.of(f"사용자{n:03}" for n in range(U)), Vocabulary.of(f"{n:03}" for n in range(I))
    return Toy(Dataset(log, *ids, item_features, user_features, Facts(name="toy")), held.astype(np.int32))
