"""A history, and the pairs of items in it, times a matrix of weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from matinee.contract import FusedScorer, Masks, Queries
from matinee.errors import ModelError
from matinee.numerics import item_item
from matinee.numerics.pairs import with_pairs
from matinee.numerics.topk import first_bad
from matinee.scoring.checks import check_catalogue


@dataclass(frozen=True, eq=False)
class DensePairs(FusedScorer):
    """score(u, i) = sum over the history's items j of value_j weights[j, i] + sum over its pairs p of value_p
    weights[I + p, i], where the value of a pair is the smaller of its items'. 4 I (I + M) bytes."""

    block: ClassVar[int] = 8192
    pairs: NDArray[np.int32]  # (M, 2) ascending, the smaller item of each first
    weights: NDArray[np.float32]  # (I + M, I)  row: item or pair of the history, column: item scored

    def __post_init__(self) -> None:
        rows, columns = self.weights.shape
        if self.pairs.ndim != 2 or rows != columns + len(self.pairs):
            raise ModelError("bad-form", f"{self.pairs.shape} pairs for weights of shape ({rows}, {columns})",
                             "fit the model again")
        places = self.pairs[:, 0].astype(np.int64) * columns + self.pairs[:, 1]
        inside = not len(places) or 0 <= self.pairs.min() <= self.pairs.max() < columns
        if not inside or bool((self.pairs[:, 0] >= self.pairs[:, 1]).any()) or bool((np.diff(places) <= 0).any()):
            raise ModelError("bad-form", f"pairs must ascend, each of two of {columns} items, the smaller first",
                             "fit the model again")
        at = first_bad(self.weights.reshape(-1))
        if at >= 0:
            raise ModelError("bad-form", f"weight {at} is {self.weights.reshape(-1)[at]}", "fit the model again")

    @property
    def n_items(self) -> int:
        return int(self.weights.shape[1])

    def score(self, queries: Queries) -> NDArray[np.float32]:
        return item_item.dense_scores(self.weights, self._features(queries))

    def top_block(self, queries: Queries, k: int, masks: Masks) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        return item_item.dense_top(self.weights, self._features(queries), k, masks)

    def _features(self, queries: Queries) -> csr_array:
        check_catalogue(self, queries)
        return with_pairs(queries.history.matrix(), self.pairs)
