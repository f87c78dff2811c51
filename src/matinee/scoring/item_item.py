"""A history times an items-by-items matrix of weights: EASE and SLIM (dense), item kNN and rules (sparse)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from matinee.contract import AdditiveScorer, FusedScorer, Masks, Queries
from matinee.errors import ModelError
from matinee.numerics import item_item
from matinee.numerics.topk import first_bad
from matinee.scoring.checks import check_catalogue


@dataclass(frozen=True, eq=False)
class DenseItemItem(FusedScorer, AdditiveScorer):
    """score(u, i) = sum over the history's items j of value_j x weights[j, i]. 4 I^2 bytes."""

    block: ClassVar[int] = 16_384  # the weights are laid out anew for each block
    weights: NDArray[np.float32]  # (I, I)  row: item of the history, column: item scored

    def __post_init__(self) -> None:
        rows, columns = self.weights.shape
        if rows != columns:
            raise ModelError("bad-form", f"item-item weights have shape ({rows}, {columns})", "fit the model again")
        _check_finite(self.weights)

    @property
    def n_items(self) -> int:
        return len(self.weights)

    def score(self, queries: Queries) -> NDArray[np.float32]:
        check_catalogue(self, queries)
        return item_item.dense_scores(self.weights, queries.history.matrix())

    def top_block(self, queries: Queries, k: int, masks: Masks) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        check_catalogue(self, queries)
        return item_item.dense_top(self.weights, queries.history.matrix(), k, masks)

    def parts(self, query: Queries, items: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
        check_catalogue(self, query)
        history = query.history.matrix()
        return history.indices, history.data[:, None].astype(np.float64) * self.weights[np.ix_(history.indices, items)]


@dataclass(frozen=True, eq=False)
class SparseItemItem(FusedScorer, AdditiveScorer):
    """As `DenseItemItem`, where most weights are zero and not stored. 8 bytes a weight."""

    indptr: NDArray[np.int64]  # (I + 1,)  item j of a history speaks for targets[indptr[j]:indptr[j + 1]]
    targets: NDArray[np.int32]  # (n,)
    weights: NDArray[np.float32]  # (n,)

    def __post_init__(self) -> None:
        n, n_items = len(self.targets), self.n_items
        ends_fit = n_items > 0 and self.indptr[0] == 0 and self.indptr[-1] == n == len(self.weights)
        if not ends_fit or bool(np.any(np.diff(self.indptr) < 0)):
            raise ModelError("bad-form", f"{n} targets and {len(self.weights)} weights do not fit their indptr",
                             "fit the model again")
        if n and not 0 <= self.targets.min() <= self.targets.max() < n_items:
            raise ModelError("bad-form", f"targets must lie in [0, {n_items}); got [{self.targets.min()}, "
                                         f"{self.targets.max()}]", "fit the model again")
        _check_finite(self.weights)

    @property
    def n_items(self) -> int:
        return len(self.indptr) - 1

    def score(self, queries: Queries) -> NDArray[np.float32]:
        check_catalogue(self, queries)
        return item_item.sparse_scores(self.rows(), queries.history.matrix())

    def top_block(self, queries: Queries, k: int, masks: Masks) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        check_catalogue(self, queries)
        return item_item.sparse_top(self.rows(), queries.history.matrix(), k, masks)

    def parts(self, query: Queries, items: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
        check_catalogue(self, query)
        history = query.history.matrix()
        weights = csr_array((self.weights, self.targets, self.indptr), shape=(self.n_items, self.n_items))
        mine = weights[history.indices].toarray()[:, items]  # (n, K)
        return history.indices, history.data[:, None].astype(np.float64) * mine

    def rows(self) -> item_item.Rows:
        return self.indptr, self.targets, self.weights


POOLS = ("max", "mean")


@dataclass(frozen=True, eq=False)
class PooledItemItem(FusedScorer):
    """As `SparseItemItem`, but not the sum: of all value x weight stored for an item the largest, or their mean."""

    summed: SparseItemItem
    """The weights."""
    pool: str
    """One of POOLS."""

    def __post_init__(self) -> None:
        if self.pool not in POOLS:
            raise ModelError("bad-form", f"no pool is called {self.pool!r}", f"known: {', '.join(POOLS)}")

    @property
    def n_items(self) -> int:
        return self.summed.n_items

    def score(self, queries: Queries) -> NDArray[np.float32]:
        check_catalogue(self, queries)
        return item_item.pooled_scores(self.summed.rows(), queries.history.matrix(), self.pool == "max")

    def top_block(self, queries: Queries, k: int, masks: Masks) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        check_catalogue(self, queries)
        return item_item.pooled_top(self.summed.rows(), queries.history.matrix(), self.pool == "max", k, masks)


def _check_finite(weights: NDArray[np.float32]) -> None:
    at = first_bad(weights.reshape(-1))
    if at >= 0:
        raise ModelError("bad-form", f"weight {at} is {weights.reshape(-1)[at]}", "fit the model again")
