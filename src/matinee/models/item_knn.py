"""Item kNN: an item is as good as it is similar to what is in the history.

Sarwar, Karypis, Konstan, Riedl, "Item-based collaborative filtering recommendation algorithms", WWW 2001;
Deshpande, Karypis, "Item-based top-N recommendation algorithms", TOIS 2004 (the sum over the history, `normalise`);
Aiolli, "Efficient top-N recommendation for very large scale binary rated datasets", RecSys 2013 (asymmetric cosine).

    cosine               s_ij = x_i . x_j / (|x_i| |x_j| + shrink)        x_i: item i's column of confidences
    asymmetric_cosine    s_ij = P(i|j)^alpha P(j|i)^(1-alpha), with shrink below too
    jaccard              s_ij = x_i . x_j / (|x_i|^2 + |x_j|^2 - x_i . x_j + shrink)
    tfidf                the cosine, each user weighted by ln(1 + I / n_u), n_u being how many items he has
    bm25                 x_i . x_j of BM25 weights: users as in tfidf, columns of popular items damped (K1 1.2, B 0.8)
    score_i = sum, mean or maximum over the history's items j, where j is one of i's N nearest, of c_j s_ij

Differs from the papers: by default nothing is divided by a sum, neither a row of s nor a score, as both cost accuracy
on implicit data; the shrinkage of Bell and Koren (KDD Cup 2007), as in Dacrema et al. (RecSys 2019). At the edge of
a neighbourhood the smaller of two equally similar items stays.
Cost: time is half the sum over users of their events squared, plus I^2 cheap steps (0.7 s for 31,000 users x 6,800
items); 20 bytes an event + 8 x neighbours x I bytes a thread to fit, never a matrix of items by items; 8 x neighbours
x I once fitted.
Shines where lists must be explained or a new event must count at once; EASE is better on a catalogue that it can hold.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
from annotated_types import Ge, Gt, Le

from matinee.contract import FusedScorer, Recommender, Run
from matinee.data.dataset import Dataset
from matinee.numerics.similarity import by_speaker, nearest
from matinee.numerics.threads import limited
from matinee.scoring.item_item import PooledItemItem, SparseItemItem
from matinee.scoring.weighted_history import newest_first


@dataclass(frozen=True, kw_only=True)
class ItemKNN(Recommender):
    family: ClassVar[str] = "neighbours"

    neighbours: Annotated[int, Ge(1), Le(10_000)] = 50
    """So many items most similar to an item speak for it. Source of the defaults: `bench` in item_knn.yaml."""
    shrink: Annotated[float, Ge(0), Le(1_000_000)] = 10.0
    """Added to the product of the norms, so that a similarity from few users counts less."""
    similarity: Literal["cosine", "asymmetric_cosine", "jaccard", "tfidf", "bm25"] = "asymmetric_cosine"
    """How alike two items are. tfidf and bm25 let a user count more the fewer items he has; bm25 ignores `shrink`."""
    alpha: Annotated[float, Ge(0), Le(1)] = 0.85
    """Of asymmetric_cosine: at 1 how likely i is given j, at 0 how likely j given i, at 0.5 the cosine."""
    normalise: Literal["none", "row"] = "none"
    """With `row` what an item of a history says sums to 1 over the items that it speaks for."""
    aggregate: Literal["sum", "mean", "max"] = "sum"
    """What becomes of all that a history says for an item. The mean is over those of its items that say something."""
    query_decay: Annotated[float, Gt(0), Le(1)] = 1.0
    """An event that has n later ones is asked with at this to the power of n. The fit is not decayed."""
    query_length: Annotated[int, Ge(1), Le(1_000_000)] | None = None
    """Only so many newest events are asked with; None: all."""

    def fit(self, train: Dataset, run: Run = Run()) -> FusedScorer:
        neighbours = min(self.neighbours, train.n_items)
        with limited(run.threads):
            lists = nearest(train.log.matrix(), neighbours, self.shrink, self.similarity, self.alpha)  # (I, N) each
        indptr, targets, weights = by_speaker(*lists)
        if self.normalise == "row":
            speakers = np.repeat(np.arange(train.n_items), np.diff(indptr))
            weights = (weights / np.bincount(speakers, weights, train.n_items)[speakers]).astype(np.float32)
        form = SparseItemItem(indptr, targets, weights)
        pooled = form if self.aggregate == "sum" else PooledItemItem(form, self.aggregate)
        return newest_first(pooled, self.query_decay, self.query_length)
