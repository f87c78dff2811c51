"""The genres that a history holds most of, and then the most popular items that have them: two rules.

What a history holds of each genre is compared in float32: in float64 its last bits hang on the order of sums.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from matinee.contract import FusedScorer, Masks, Queries, Scorer
from matinee.data.dataset import Dataset
from matinee.data.interactions import Interactions
from matinee.errors import DataError, ModelError
from matinee.numerics import shelves
from matinee.scoring.checks import check_catalogue

Weighting = Literal["normalised", "counts", "tf_idf"]
Table = tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float64], NDArray[np.float32]]


@dataclass(frozen=True, eq=False)
class _GenreRule(Scorer):
    indptr: NDArray[np.int64]  # (I + 1,)  item i has the genres codes[indptr[i]:indptr[i + 1]]
    codes: NDArray[np.int32]  # (n,)
    worth: NDArray[np.float64]  # (n,)  what an item of a history adds to its genre, times its confidence
    popularity: NDArray[np.float32]  # (I,)  at least 0

    def __post_init__(self) -> None:
        n, n_items = len(self.codes), self.n_items
        ends_fit = len(self.indptr) == n_items + 1 and self.indptr[0] == 0 and self.indptr[-1] == n == len(self.worth)
        if not ends_fit or bool(np.any(np.diff(self.indptr) < 0)):
            raise ModelError("bad-form", f"{n} genres with {len(self.worth)} weights do not fit {n_items} items",
                             "fit the model again")
        if not (np.isfinite(self.popularity) & (self.popularity >= 0)).all():
            raise ModelError("bad-form", "an item's popularity is below 0 or not finite", "fit the model again")
        if n and self.codes.min() < 0:
            raise ModelError("bad-form", f"there is no genre {self.codes.min()}", "fit the model again")

    @property
    def n_items(self) -> int:
        return len(self.popularity)

    @property
    def n_genres(self) -> int:
        return int(self.codes.max(initial=-1)) + 1

    def of_items(self, values: NDArray[np.float64]) -> csr_array:
        """(I, G) the genres of all items, each entry one of `values` (n,)."""
        return csr_array((values, self.codes, self.indptr), shape=(self.n_items, self.n_genres))

    def favourites(self, history: Interactions, n: int) -> NDArray[np.int64]:
        """(B, n) the genres that most of a history is of, most first, equal ones by name; -1 where it has fewer."""
        held = (history.matrix() @ self.of_items(self.worth)).toarray().astype(np.float32)  # (B, G)
        best = np.argsort(-held, axis=1, kind="stable")[:, :n]
        out = np.full((len(held), n), -1, np.int64)
        out[:, : best.shape[1]] = np.where(np.take_along_axis(held, best, axis=1) > 0, best, -1)
        return out


@dataclass(frozen=True, eq=False)
class TopGenres(_GenreRule):
    """Items that have one of the history's first `genres` genres, the most popular first; then the others likewise."""

    genres: int

    def score(self, queries: Queries) -> NDArray[np.float32]:
        check_catalogue(self, queries)
        chosen = np.sort(self.favourites(queries.history, self.genres), axis=1)
        sets, which = np.unique(chosen, axis=0, return_inverse=True)  # (S, genres): many users, few sets
        wanted = np.zeros((len(sets), self.n_genres + 1))  # the last column takes the -1
        wanted[np.arange(len(sets))[:, None], sets] = 1
        has_one = (self.of_items(np.ones(len(self.codes))) @ wanted[:, :-1].T).T > 0  # (S, I)
        above_all = float(self.popularity.max(initial=0)) + 1
        scores: NDArray[np.float32] = (self.popularity + above_all * has_one).astype(np.float32)  # (S, I)
        return scores[which.reshape(-1)]


@dataclass(frozen=True, eq=False)
class GenreQuotas(_GenreRule, FusedScorer):
    """So many items of the first genre, so many of the second ...; see `numerics.shelves`."""

    quotas: tuple[int, ...]
    repeats: bool
    """May a list hold what the history holds? Then that counts in the quotas; otherwise it stands at the end."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.quotas or min(self.quotas) < 1:
            raise ModelError("bad-form", f"quotas must be at least 1 each; got {self.quotas}", "fit the model again")

    def score(self, queries: Queries) -> NDArray[np.float32]:
        return shelves.scores(*self._parts(queries))

    def top_block(self, queries: Queries, k: int, masks: Masks) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        return shelves.top(*self._parts(queries), k, masks)

    def _parts(self, queries: Queries) -> tuple[shelves.Shelves, NDArray[np.int64], NDArray[np.int64], shelves.Seen]:
        check_catalogue(self, queries)
        chosen = self.favourites(queries.history, len(self.quotas))
        seen = Interactions.empty(len(queries), self.n_items) if self.repeats else queries.history
        return self._shelves(), chosen, np.array(self.quotas), (seen.indptr, seen.items)

    def _shelves(self) -> shelves.Shelves:
        """The items of each genre, and after them all items: the most popular first, equal ones in order."""
        order = np.argsort(-self.popularity, kind="stable").astype(np.int32)
        by_genre = self.of_items(np.ones(len(self.codes)))[order].T.tocsr()  # (G, I) columns: places in `order`
        items = np.concatenate([order[by_genre.indices], order])
        return np.append(by_genre.indptr, len(items)).astype(np.int64), items


def genre_table(train: Dataset, weighting: Weighting) -> Table:
    """What both rules begin with: indptr, codes, worth and popularity.

    An item's genres are worth 1 each (`counts`), together 1 (`normalised`), or that times log(1 + all / the genre's)
    (`tf_idf`), both in popularity shared out among an item's genres. Popularity is the sum of the confidences of an
    item's users.
    Raises DataError (`no-genres`) where the items have no column `genre`.
    """
    if "genre" not in train.item_features:
        raise DataError("no-genres", "a rule by genre is asked of items without a column 'genre'",
                        "give the data a side file with genres, or choose another model")
    genres = train.item_features.categories("genre")
    pairs = train.log.matrix()
    popularity = np.bincount(pairs.indices, pairs.data, train.n_items)
    counts = np.diff(genres.indptr)
    worth = np.ones(len(genres.codes)) if weighting == "counts" else 1 / np.repeat(counts, counts)
    if weighting == "tf_idf":
        of_genre = np.bincount(genres.codes, worth * np.repeat(popularity, counts), len(genres.names))
        worth *= np.log1p(of_genre.sum() / np.maximum(of_genre, 1))[genres.codes]
    return genres.indptr, genres.codes, worth, popularity.astype(np.float32)
