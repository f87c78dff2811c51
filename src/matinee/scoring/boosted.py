"""Boosted trees over what first-stage models found: the fitted form of a second stage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matinee.contract import Queries, Scorer, SecondStage
from matinee.data.columns import Known
from matinee.data.dataset import Dataset
from matinee.errors import ModelError
from matinee.features.fitted import learn, packed, unpacked
from matinee.features.pair_matrix import columns_of, rows
from matinee.numerics.trees import Trees
from matinee.scoring.first_stage import OverFirstStage, below, found_by


@dataclass(frozen=True, eq=False)
class BoostedCandidates(OverFirstStage, SecondStage):
    """Candidates in the order of the trees' sums; below them everything else in the order of the first model.

    A row of the trees: of each first-stage model its score and its place, NaN where its list has the item not; in how
    many lists it is; then the columns of the features. Scoring fills the whole row of a user, as every scorer does, and
    the first-stage models cost what they cost; the trees see the candidates alone.
    """

    text: NDArray[np.uint8]
    """The trees, as LightGBM writes them."""
    known: Mapping[str, NDArray[np.generic]]
    """What the features have learnt, see `features.fitted`."""
    features: tuple[str, ...]
    names: tuple[str, ...]
    """Of the first-stage models, of which there are none before `over`."""
    catalogue: int
    """I"""
    chosen: Mapping[str, Any]

    def __post_init__(self) -> None:
        if len(self.sources) not in (0, len(self.names)) or any(s.n_items != self.catalogue for s in self.sources):
            raise ModelError("bad-form", f"{len(self.sources)} first-stage models of "
                             f"{[one.n_items for one in self.sources]} items for {len(self.names)} of {self.catalogue}",
                             "fit the model again")

    @property
    def n_items(self) -> int:
        return self.catalogue

    @property
    def found(self) -> Mapping[str, Any]:  # type: ignore[override]
        return self.chosen

    @cached_property
    def trees(self) -> Trees:
        return Trees(self.text.tobytes().decode())

    @cached_property
    def learnt(self) -> Mapping[str, Known]:
        return unpacked(self.known, self.features)

    def over(self, sources: tuple[Scorer, ...], train: Dataset) -> BoostedCandidates:
        """Raises ModelError where a feature has other labels there."""
        known = {name: learn(name, train) for name in self.features}
        if columns_of(known, train.n_items) != columns_of(self.learnt, train.n_items):
            raise ModelError("other-columns", "the features' columns are not those that the trees were taught on",
                             "leave out features whose labels hang on who is in the log")
        return replace(self, sources=sources, known=packed(known))

    def score(self, queries: Queries) -> NDArray[np.float32]:
        items, scores, ranks, first = found_by(self.sources, queries, self.depth, repeats=self.repeats)
        values = np.zeros(items.shape, np.float32)
        there = items >= 0
        values[there] = self.trees.sums(table(items, scores, ranks, self.learnt, queries))
        return below(first, values, items)

    @property
    def columns(self) -> list[str]:
        """F names of what a row holds."""
        return [*first_columns(self.names), *columns_of(self.learnt, self.catalogue)[0]]

    def parts(
        self, query: Queries, items: NDArray[np.int32]
    ) -> tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.float64]]:
        """Of one history, those of `items` that are candidates (K,), their rows (K, F), and what each column of a row
        adds to the score, the mean score last (K, F + 1): Shapley values of the trees."""
        found, scores, ranks, _ = found_by(self.sources, query, self.depth, repeats=self.repeats)
        places = [int(at[0]) for item in items.tolist() if len(at := np.flatnonzero(found[0] == item))]
        rows_ = table(found[:, places], scores[:, places], ranks[:, places], self.learnt, query)
        return found[0, places], rows_, self.trees.parts(rows_)


def table(
    items: NDArray[np.int32], scores: NDArray[np.float32], ranks: NDArray[np.int32], known: Mapping[str, Known],
    queries: Queries,
) -> NDArray[np.float32]:
    """(N, F) of the candidates that are there, user by user: what the trees read, in the order of `columns`."""
    there = items >= 0
    places = ranks[there].astype(np.float32)
    lists = (places > 0).sum(axis=1, keepdims=True).astype(np.float32)
    places[places == 0] = np.nan
    return np.concatenate([scores[there], places, lists, rows(known, queries, items)], axis=1)


def first_columns(names: tuple[str, ...]) -> list[str]:
    """What the columns that come from the first stage are called."""
    return [*(f"{name}: score" for name in names), *(f"{name}: place" for name in names), "lists that have it"]
