"""SLIM: every item is predicted from a few others, by a regression that leaves most weights at zero.

Ning, Karypis, "SLIM: Sparse linear methods for top-N recommender systems", ICDM 2011; by ADMM: Steck, Dimakopoulou,
Riabov, Jebara, "ADMM SLIM: Sparse recommendations for many users", WSDM 2020.

    min_W  1/2 |X - XW|^2 + l1 |W|_1 + 1/2 sum_kj l2_k W_kj^2,   diag(W) = 0,   W >= 0 where asked
    l2_k = l2 (n_k / mean n)^nu,   n the diagonal of X'X         score = history . W

Differs: coordinate descent runs on X'X and a growing working set, not on X, and a column ends by its own steps. With
ADMM the rows' penalties need no pass of their own, as l2 and rho stand in one inverse. Candidates of `neighbours`
(fsSLIM) are the nearest by cosine. Both solvers have the same optimum, so `rho` is a matter of pace alone.
Cost: the sum over users of their events squared for X'X; then by coordinate descent a few seconds (6,800 items, 70
weights an item: 5 CPU seconds), the more the more weights; by ADMM I^3 multiplications a pass. Peak bytes: 4 I^2 + 20
an event + 600 I (ADMM: 4,100 I) a thread; 8 a weight once fitted (dense, from half of them on: 4 I^2).
Shines where lists must be explained or the model must be small: level with EASE on MovieLens-1M, at a fiftieth of its
weights. Where many items speak against each other weights of both signs find more, and EASE more still. Blind to order
and time but for a decayed query.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
from annotated_types import Ge, Gt, Le, Lt
from numpy.typing import NDArray
from scipy.sparse import csr_array

from matinee.contract import FusedScorer, Recommender, Run
from matinee.data.dataset import Dataset
from matinee.numerics import admm, elastic_net
from matinee.numerics.gram import mirror, upper_gram
from matinee.numerics.similarity import nearest
from matinee.numerics.threads import limited
from matinee.scoring.item_item import DenseItemItem, SparseItemItem
from matinee.scoring.weighted_history import newest_first


@dataclass(frozen=True, kw_only=True)
class SLIM(Recommender):
    family: ClassVar[str] = "linear"

    l1: Annotated[float, Ge(0), Le(1e9)] = 5.0
    """What a weight costs by its size, in units of squared confidence: the larger, the fewer. Source of the
    defaults: `bench` in slim.yaml."""
    l2: Annotated[float, Gt(0), Le(1e9)] = 200.0
    """Strength of the ridge, in units of squared confidence."""
    regularisation_exponent: Annotated[float, Ge(0), Le(2)] = 0.5
    """nu: 0 gives the weights of all items the same ridge, 1 one in proportion to what an item has."""
    non_negative: bool = True
    """Items may only speak for each other, never against."""
    neighbours: Annotated[int, Ge(1), Le(100_000)] | None = None
    """Only so many nearest items may speak for an item (fsSLIM); None: all."""
    solver: Literal["coordinate_descent", "admm"] = "coordinate_descent"
    """Coordinate descent is faster the fewer weights there are; the time of ADMM does not depend on their number."""
    rho: Annotated[float, Gt(0), Le(1e9)] = 5000.0
    """How closely ADMM holds its two halves together; it changes the pace and not the optimum."""
    passes: Annotated[int, Ge(1), Le(1_000_000)] = 500
    """Over the weights of a column, at most. Lists from ADMM are as good after 30 as after 100."""
    tolerance: Annotated[float, Gt(0), Lt(1)] = 1e-4
    """A column is done when no weight would move so far."""
    query_decay: Annotated[float, Gt(0), Le(1)] = 1.0
    """An event that has n later ones is asked with at this to the power of n. The fit is not decayed."""
    query_length: Annotated[int, Ge(1), Le(1_000_000)] | None = None
    """Only so many newest events are asked with; None: all."""

    def fit(self, train: Dataset, run: Run = Run()) -> FusedScorer:
        n, matrix = train.n_items, train.log.matrix()
        with limited(run.threads):
            candidates = None if self.neighbours is None else nearest(matrix, min(self.neighbours, n), 0.0)[0]
            gram = upper_gram(matrix)  # (I, I)
            penalty = elastic_net.Penalty(self.l1, self._ridge(gram.diagonal()), self.non_negative)
            found = self._solved(gram, penalty, candidates, run)
        if run.journal is not None:
            run.journal({"weights_an_item": found.by_column.nnz / max(1, n), "passes": float(found.passes.mean()),
                         "converged": float(found.converged.mean())})
        return newest_first(_form(found.by_column.T.tocsr()), self.query_decay, self.query_length)

    def _ridge(self, mass: NDArray[np.float32]) -> NDArray[np.float32]:
        """(I,) l2 of each row; the mean is over the items that anybody had."""
        share = mass / mass[mass > 0].mean() if mass.any() else mass
        return (self.l2 * np.where(mass > 0, share, 1) ** self.regularisation_exponent).astype(np.float32)

    def _solved(
        self, gram: NDArray[np.float32], penalty: elastic_net.Penalty, candidates: NDArray[np.int32] | None, run: Run
    ) -> elastic_net.Found:
        effort = elastic_net.Effort(self.passes, self.tolerance)

        def tell(done: int) -> None:
            run.progress("slim", done, len(gram))

        if self.solver == "admm":
            return admm.solve(gram, penalty, effort, self.rho, candidates, tell)
        mirror(gram)
        return elastic_net.solve(gram, penalty, effort, candidates, tell)


def _form(weights: csr_array) -> DenseItemItem | SparseItemItem:
    """weights (I, I), row: item of a history; dense where that is the smaller."""
    if 2 * weights.nnz > weights.shape[0] ** 2:
        return DenseItemItem(weights.toarray())
    weights.sort_indices()
    return SparseItemItem(weights.indptr.astype(np.int64), weights.indices.astype(np.int32), weights.data)
