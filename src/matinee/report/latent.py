"""Where a model has its items: the most popular of them on a page, those near that it takes for alike.

An item stands where a history of it alone would: its code in an autoencoder, its factors elsewhere.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matinee.contract import Queries, Scorer, VectorScorer
from matinee.data.dataset import Dataset
from matinee.data.interactions import Interactions
from matinee.numerics.embedding import on_a_page, widest
from matinee.scoring.reweighted import Reweighted

MOST, LEAST = 400, 12
"""Items on a page, and so few that a page says nothing."""
WIDTH, HEIGHT, EDGE = 920, 560, 16
COLOURS = ("#2f6fa8", "#e08a1e", "#3c9d5d", "#c8402f", "#8a63b0", "#3fb5c4", "#d06ba4", "#8a6a3b")
OTHER, ONLY = "#b9c2cb", "#2f6fa8"
LABELS, LONGEST, COVERED = 26, 32, 1
"""Titles written at most, letters of one, and other items that one may lie on."""
LETTER, LINE = 5.6, 12
"""How wide and how high a letter is, about."""
NEAR = 10
"""Neighbours by which the page is judged."""


Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""


@dataclass(frozen=True)
class Dot:
    x: float
    y: float
    size: float
    colour: str
    title: str


@dataclass(frozen=True)
class Label:
    x: float
    y: float
    text: str


@dataclass(frozen=True)
class Map:
    dots: Sequence[Dot]
    labels: Sequence[Label]
    straight: float
    """Of the variance: what the two widest directions hold."""
    kept: float
    """Of the nearest in the model: how many are among the nearest on the page."""
    alike: float | None
    """Of the nearest in the model: how many share the first genre; None without genres."""
    chance: float | None
    """Of any two items."""


def item_vectors(scorer: Scorer, items: NDArray[np.int64]) -> NDArray[np.float64] | None:
    """(n, D) where histories of one of `items` (n,) alone stand; None for a model that puts histories nowhere."""
    while isinstance(scorer, Reweighted):
        scorer = scorer.inner
    if not isinstance(scorer, VectorScorer):
        return None
    alone = Interactions.from_events(np.arange(len(items)), items, n_users=len(items), n_items=scorer.n_items)
    return scorer.vectors(Queries.of(alone)).astype(np.float64)


@dataclass(frozen=True, eq=False)
class Catalogue:
    """The items that are drawn, the same for every model."""

    items: NDArray[np.int64]  # (n,)  most popular first
    titles: Sequence[str]
    users: NDArray[np.int64]  # (n,)
    genre: NDArray[np.int64]  # (n,)  place in `genres`, -1 for another or none
    genres: Sequence[str]

    @classmethod
    def of(cls, dataset: Dataset) -> Catalogue:
        counts, features = dataset.log.item_counts(), dataset.item_features
        items = np.argsort(-counts, kind="stable")[:MOST]
        items = items[counts[items] > 0]
        titles = features.texts("title").values if "title" in features else ()
        first = [""] * len(items)
        if "genre" in features:
            genres = features.categories("genre")
            first = [next(iter(genres.labels(item)), "") for item in items.tolist()]
        names, often = np.unique([name for name in first if name], return_counts=True)
        shown = names[np.argsort(-often, kind="stable")][: len(COLOURS)].tolist()
        return cls(
            items,
            [(titles[item] if titles else "") or dataset.items[item] for item in items.tolist()],
            counts[items],
            np.array([shown.index(name) if name in shown else -1 for name in first], np.int64),
            shown,
        )

    @property
    def legend(self) -> list[tuple[str, str]]:
        """Genres and their colours; empty where no item has one."""
        named = list(zip(self.genres, COLOURS, strict=False))
        return [*named, ("other", OTHER)] if named and bool((self.genre < 0).any()) else named

    def map(self, scorer: Scorer) -> Map | None:
        """None where the model puts its items nowhere, or too few of them."""
        vectors = item_vectors(scorer, self.items)
        if vectors is None or vectors.shape[1] < 2:
            return None
        there = np.flatnonzero(vectors.any(axis=1))
        if len(there) < LEAST:
            return None
        points = vectors[there] - vectors[there].mean(axis=0)
        points /= np.maximum(np.linalg.norm(points, axis=1), 1e-12)[:, None]
        page = on_a_page(points)
        near = _nearest(points)
        kept = (near[:, :, None] == _nearest(page)[:, None, :]).any(axis=2).mean()
        return self._drawn(there, page, widest(points)[1], float(kept), near)

    def _drawn(
        self, there: NDArray[np.int64], page: NDArray[np.float64], straight: float, kept: float, near: NDArray[np.int64]
    ) -> Map:
        xy = _on_canvas(page)
        genre, users = self.genre[there], self.users[there]
        sizes = 2.4 + 3.6 * np.sqrt(users / users.max())
        colours = [OTHER if code < 0 else COLOURS[code] for code in genre] if self.genres else [ONLY] * len(there)
        titles = [self.titles[at] for at in there.tolist()]
        dots = [Dot(round(x, 1), round(y, 1), round(size, 1), colour, title)
                for (x, y), size, colour, title in zip(xy.tolist(), sizes.tolist(), colours, titles, strict=True)]
        alike = chance = None
        if self.genres:
            alike = float((genre[near] == genre[:, None]).mean())
            shares = np.unique(genre, return_counts=True)[1] / len(genre)
            chance = float(np.square(shares).sum())
        return Map(dots[::-1], _labels(dots), straight, kept, alike, chance)


def _nearest(points: NDArray[np.float64]) -> NDArray[np.int64]:
    """(N, NEAR)"""
    lengths = np.square(points).sum(axis=1)
    away = lengths[:, None] + lengths - 2 * points @ points.T
    np.fill_diagonal(away, np.inf)
    return np.argsort(away, axis=1, kind="stable")[:, :NEAR]


def _on_canvas(page: NDArray[np.float64]) -> NDArray[np.float64]:
    """One scale for both directions, the picture in the middle."""
    low, high = page.min(axis=0), page.max(axis=0)
    room = np.array([WIDTH, HEIGHT]) - 2 * EDGE
    scale = float((room / np.maximum(high - low, 1e-12)).min())
    xy: NDArray[np.float64] = (page - (low + high) / 2) * [scale, -scale] + np.array([WIDTH, HEIGHT]) / 2
    return xy


def _labels(dots: Sequence[Dot]) -> list[Label]:
    """The most popular and the outermost titles, turn by turn, as far as there is room for them."""
    places = np.array([(dot.x, dot.y) for dot in dots])
    angles = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    ahead = (places - np.array([WIDTH, HEIGHT]) / 2) @ np.stack([np.cos(angles), np.sin(angles)])
    outermost = ahead.argmax(axis=0).tolist()
    wanted = [at for pair in zip(range(len(dots)), [*outermost, *range(len(dots))], strict=False) for at in pair]
    boxes: list[Box] = []
    found: list[Label] = []
    for at in dict.fromkeys(wanted):
        text = _short(dots[at].title)
        free = [box for box in _beside(dots[at], text) if not any(_meet(box, other) for other in boxes)]
        covered = [int(np.all((places > box[:2]) & (places < box[2:]), axis=1).sum()) for box in free]
        if free and min(covered) <= COVERED:
            left, _, _, bottom = box = free[covered.index(min(covered))]
            boxes += [box, (dots[at].x - 4, dots[at].y - 4, dots[at].x + 4, dots[at].y + 4)]
            found.append(Label(round(left + 2, 1), round(bottom - 3, 1), text))
        if len(found) == LABELS:
            break
    return found


def _beside(dot: Dot, text: str) -> list[Box]:
    """Right of it, left, above and below, as far as that is on the canvas."""
    width = 4 + sum(LETTER * (1 + (unicodedata.east_asian_width(letter) in "WF")) for letter in text)
    gap = dot.size + 1
    corners = [(dot.x + gap, dot.y - LINE / 2 - 1), (dot.x - gap - width, dot.y - LINE / 2 - 1),
               (dot.x - width / 2, dot.y - gap - LINE - 2), (dot.x - width / 2, dot.y + gap)]
    return [(x, y, x + width, y + LINE + 2) for x, y in corners
            if 0 <= x <= WIDTH - width and 0 <= y <= HEIGHT - LINE - 2]


def _meet(one: Box, two: Box) -> bool:
    return one[0] < two[2] and two[0] < one[2] and one[1] < two[3] and two[1] < one[3]


def _short(title: str) -> str:
    return title if len(title) <= LONGEST else title[: LONGEST - 1].rstrip() + "…"
