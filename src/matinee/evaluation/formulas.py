"""The accuracy metrics, one short function each: hits and K in, one value for each user out.

V users; h hits; n hidden items of a user; ranks start at 1. All values lie in [0, 1]. Sums run in the order of the
ranks, so a perfect list scores exactly 1, and a hit that moves up never lowers a value, not even by a rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Hits:
    """Hits by user and then by rank. A repeated item hits at its first place only; its other places are misses."""

    users: NDArray[np.int64]  # (h,)  position of the user in the truth
    ranks: NDArray[np.int64]  # (h,)  place in the list, from 1
    nth: NDArray[np.int64]  # (h,)  1 for the user's first hit, 2 for the second ...
    hidden: NDArray[np.int64]  # (V,)  distinct hidden items, at least 1

    def __len__(self) -> int:
        """V, the number of users that every mean is over."""
        return len(self.hidden)

    def within(self, k: int) -> Hits:
        """The hits among the first k places."""
        kept = self.ranks <= k
        return Hits(self.users[kept], self.ranks[kept], self.nth[kept], self.hidden)

    def total(self, amounts: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
        """(V,) the number of hits, or the sum of `amounts` (h,), added in the order of the ranks."""
        return np.bincount(self.users, amounts, minlength=len(self)).astype(np.float64, copy=False)


Formula = Callable[[Hits, int], NDArray[np.float64]]


def recall(hits: Hits, k: int) -> NDArray[np.float64]:
    """hits / min(K, n)

    A user with more than K hidden items can still reach 1 (Liang et al. 2018).
    """
    return hits.within(k).total() / np.minimum(k, hits.hidden)


def recall_all(hits: Hits, k: int) -> NDArray[np.float64]:
    """hits / n

    The textbook's recall; with more than K hidden items nobody reaches 1.
    """
    return hits.within(k).total() / hits.hidden


def precision(hits: Hits, k: int) -> NDArray[np.float64]:
    """hits / K, also for lists shorter than K"""
    return hits.within(k).total() / k


def hit_rate(hits: Hits, k: int) -> NDArray[np.float64]:
    """1 where there is any hit, else 0"""
    return (hits.within(k).total() > 0).astype(np.float64)


def ndcg(hits: Hits, k: int) -> NDArray[np.float64]:
    """sum of 1 / log2(rank + 1) over the hits / the same sum for min(K, n) hits at the top

    Järvelin and Kekäläinen 2002, with binary relevance.
    """
    return gain_over_ideal(hits.within(k), 1 / np.log2(np.arange(2, k + 2)), np.minimum(k, hits.hidden))


def average_precision(hits: Hits, k: int) -> NDArray[np.float64]:
    """sum over the hits of the precision at their rank / min(K, n)

    Buckley and Voorhees 2000; named map@K after its mean over users.
    """
    near = hits.within(k)
    return near.total(near.nth / near.ranks) / np.minimum(k, hits.hidden)


def reciprocal_rank(hits: Hits, k: int) -> NDArray[np.float64]:
    """1 / rank of the first hit, 0 without one

    Voorhees 1999; named mrr@K after its mean over users.
    """
    near = hits.within(k)
    return near.total(np.where(near.nth == 1, 1 / near.ranks, 0.0))


def uplus_score(hits: Hits, k: int) -> NDArray[np.float64]:
    """0.75 recall@25 + 0.25 ndcg@25, the score of the U+ competition of 2022"""
    return 0.75 * recall(hits, k) + 0.25 * ndcg(hits, k)


def gain_over_ideal(
    hits: Hits, discounts: NDArray[np.float64], ideal_hits: NDArray[np.int64]
) -> NDArray[np.float64]:
    """(V,) sum of `discounts` (K,) at the hits / their sum over the first `ideal_hits` (V,) places."""
    ideal = np.concatenate(([0.0], np.cumsum(discounts)))
    return hits.total(discounts[hits.ranks - 1]) / ideal[ideal_hits]


MEASURES: Mapping[str, Formula] = {
    "recall": recall,
    "recall_all": recall_all,
    "precision": precision,
    "hit_rate": hit_rate,
    "ndcg": ndcg,
    "map": average_precision,
    "mrr": reciprocal_rank,
    "uplus_score": uplus_score,
}
