"""EASE that sees pairs: an item is predicted from all other items and from the most frequent pairs of them.

Steck, Liang, "Negative interactions for improved collaborative filtering: don't go deeper, go higher", RecSys 2021.

    min_B,C |X - XB - ZC|^2 + l2 |B|^2 + l2_pairs |C|^2,   Z_up = 1 where user u has both items of pair p
    where B_ii = 0, and C_pi = 0 where p holds i         score = history . B + (its pairs) . C

With P = ([X Z]'[X Z] + diag(l2 .. l2_pairs))^-1 and S(i) = i and the pairs that hold it, column i of [B C] is
-P[:, S] (P[S, S])^-1 e_i outside of S(i), and 0 in it: regression on all other features.

Differs: that closed form is exact, where the paper iterates by ADMM; pairs are the `pairs` most frequent, not all
above a threshold. A pair is as sure as the less sure of its items (the paper has no confidences).
Cost: F^3 multiplications with F = I + pairs, the sum over users of their items' and pairs' number squared, and the
sum over items of F times the pairs that hold it; at peak 4 F^2 + 4 F I bytes (float64: 16 F^2 + 4 F I) + 20 bytes an
item or pair of a history; 4 F I once fitted. Scoring costs as much more as histories have pairs.
Shines, by the paper, where users are very many; on six thousand of them pairs add nothing (`bench`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
from annotated_types import Ge, Gt, Le
from numpy.typing import NDArray

from matinee.contract import FusedScorer, Recommender, Run
from matinee.data.dataset import Dataset
from matinee.numerics.gram import mirror, upper_gram
from matinee.numerics.inverse import others_than, sweep
from matinee.numerics.pairs import most_frequent, with_pairs
from matinee.numerics.threads import limited
from matinee.scoring.item_pairs import DensePairs
from matinee.scoring.weighted_history import newest_first


@dataclass(frozen=True, kw_only=True)
class EASEPairs(Recommender):
    family: ClassVar[str] = "linear"

    l2: Annotated[float, Gt(0), Le(1e9)] = 500.0
    """Strength of the ridge on items, in units of squared confidence. Source of the defaults: `bench` in
    ease_pairs.yaml."""
    l2_pairs: Annotated[float, Gt(0), Le(1e9)] = 5000.0
    """Strength of the ridge on pairs."""
    pairs: Annotated[int, Ge(1), Le(50_000)] = 2000
    """So many pairs of items, those that most users have both of."""
    precision: Literal["float32", "float64"] = "float32"
    """What to compute in. float64 takes twice the time and four times the memory."""
    query_decay: Annotated[float, Gt(0), Le(1)] = 1.0
    """An event that has n later ones is asked with at this to the power of n. The fit is not decayed."""
    query_length: Annotated[int, Ge(1), Le(1_000_000)] | None = None
    """Only so many newest events are asked with; None: all."""

    def fit(self, train: Dataset, run: Run = Run()) -> FusedScorer:
        """Raises ModelError (`singular`) where a ridge is too small for the precision."""
        matrix, n = train.log.matrix(), train.n_items
        with limited(run.threads):
            pairs = most_frequent(upper_gram(matrix), self.pairs)
            inverse = upper_gram(with_pairs(matrix, pairs), self.precision)  # (F, F), and so on in place
            inverse[np.diag_indices_from(inverse)] += np.repeat([self.l2, self.l2_pairs], [n, len(pairs)])
            sweep(inverse)
            mirror(inverse)  # -P, which serves as well: the sign goes out
            weights = others_than(inverse, _left_out(pairs, n))
        return newest_first(DensePairs(pairs, weights), self.query_decay, self.query_length)


def _left_out(pairs: NDArray[np.int32], n_items: int) -> list[NDArray[np.int64]]:
    """S(i) of each item: itself, then the features that are pairs with it."""
    places = np.arange(len(pairs)) + n_items
    order = np.argsort(pairs.T.ravel(), kind="stable")
    ends = np.searchsorted(pairs.T.ravel()[order], np.arange(n_items + 1))
    by_item = np.tile(places, 2)[order]
    return [np.append(i, np.sort(by_item[ends[i] : ends[i + 1]])) for i in range(n_items)]
