"""What first-stage models find: the union of their lists, with the score and the place that each gives each item."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matinee.contract import Masks, PairScorer, Queries, Scorer
from matinee.numerics import normalise
from matinee.numerics.topk import select
from matinee.numerics.unions import union


@dataclass(frozen=True, eq=False)
class OverFirstStage(PairScorer):
    """A scorer that puts the best `depth` of each first-stage model into order, and everything else below them."""

    sources: tuple[Scorer, ...]  # S
    depth: int
    repeats: bool
    """May what a history holds be a candidate?"""

    @property
    def serves_empty(self) -> bool:  # type: ignore[override]
        return all(source.serves_empty for source in self.sources)

    def score_pairs(self, queries: Queries, candidates: NDArray[np.int32]) -> NDArray[np.float32]:
        """Whatever is asked for: what is a candidate hangs on the whole catalogue."""
        found = np.take_along_axis(self.score(queries), np.maximum(candidates, 0).astype(np.int64), axis=1)
        return np.where(candidates >= 0, found, np.float32(-np.inf))


@dataclass(frozen=True, eq=False)
class OrderedBy(OverFirstStage):
    """The order is that of another scorer, which is asked for the candidates alone."""

    inner: Scorer

    @property
    def n_items(self) -> int:
        return self.inner.n_items

    @property
    def found(self) -> Mapping[str, Any]:  # type: ignore[override]
        return self.inner.found


def found_by(
    sources: Sequence[Scorer], queries: Queries, depth: int, *, repeats: bool
) -> tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.int32], NDArray[np.float32]]:
    """The best `depth` of each of S models for B queries: items (B, C), -1 at the end of a row; scores (B, C, S), each
    less the mean of the model's row by its standard deviation; ranks (B, C, S), 0 where a model's list has it not; and
    the first model's scores of all items (B, I).

    What a history holds is no candidate, unless items may come again (`repeats`). Raises ScoreError for NaN.
    """
    masks = Masks.none(len(queries)) if repeats else Masks(queries.history.indptr, queries.history.items)
    depth = min(depth, sources[0].n_items)
    lists, all_scores = [], []
    for source in sources:
        scores = source.score(queries)
        lists.append(select(scores, depth, masks)[0])
        all_scores.append(normalise.z_scores(scores))
    items, ranks = union(np.stack(lists), sources[0].n_items)
    longest = int((items >= 0).sum(axis=1).max(initial=0))
    items, ranks = np.ascontiguousarray(items[:, :longest]), np.ascontiguousarray(ranks[:, :longest])
    there = np.maximum(items, 0).astype(np.int64)
    scores = np.stack([np.take_along_axis(one, there, axis=1) for one in all_scores], axis=2)
    return items, scores, ranks, all_scores[0]


def told(
    scores: NDArray[np.float32], ranks: NDArray[np.int32], spreads: NDArray[np.float32]
) -> NDArray[np.float32]:
    """(B, C, S) of both -> (B, C, 2 S) numbers for a network: each model's score, less the mean by the deviation of
    `spreads` (2, S), and what its place counts in NDCG, 0 where its list has the item not."""
    places = np.where(ranks > 0, 1 / np.log2(1 + np.maximum(ranks, 1)), 0)
    return np.concatenate([(scores - spreads[0]) / spreads[1], places], axis=-1).astype(np.float32)


def below(first: NDArray[np.float32], values: NDArray[np.float32], items: NDArray[np.int32]) -> NDArray[np.float32]:
    """(B, I): candidates `items` (B, C) have their `values` (B, C), finite; everything else is under the least of them,
    in the order of `first` (B, I)."""
    there = items >= 0
    least = np.where(there, values, np.inf).min(axis=1, initial=np.inf)
    least = np.where(np.isfinite(least), least, 0).astype(np.float32)
    high, low = first.max(axis=1), first.min(axis=1)
    span = np.where(high > low, high - low, 1)
    out: NDArray[np.float32] = (least[:, None] - 1 - (high[:, None] - first) / span[:, None]).astype(np.float32)
    rows, places = np.nonzero(there)
    out[rows, items[rows, places]] = values[rows, places]
    return out
