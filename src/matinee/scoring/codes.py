"""Items' codes, and somebody folded in among them by the ridge regression of his history on the codes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from threadpoolctl import threadpool_limits

from matinee.contract import FusedScorer, ItemVectorScorer, Masks, Queries, VectorScorer
from matinee.errors import ModelError
from matinee.numerics import factors
from matinee.numerics.products import product
from matinee.numerics.threads import in_pieces
from matinee.numerics.topk import first_bad
from matinee.scoring.autoencoder import inputs
from matinee.scoring.checks import check_catalogue
from matinee.scoring.ratings import centred

ROWS_A_PIECE = 16


@dataclass(frozen=True, eq=False)
class FoldedCodes(FusedScorer, VectorScorer, ItemVectorScorer):
    """score(u, i) = x_u . h_i, and `centre` more where ratings are read; x_u minimises over the history

        sum over all items i of (x.h_i - [i is in it])^2 + l2 |x|^2        or, of ratings r,
        sum over rated items j of (x.h_j + centre - r_j)^2 + l2 |x|^2.

    No user's vector is kept: somebody known, somebody new and somebody who went on watching are solved alike. Of
    choices all share one system, so x_u is a sum over the history: 2 n D operations. Ratings are a system each, of the
    smaller of n and D: about 2 n D min(n, D). Nobody's history is zeros. 4 I D bytes, thrice that once asked.
    """

    codes: NDArray[np.float32]  # (I, D)  zeros for an item that nobody had
    l2: float
    centre: float | None = None
    """Ratings are read, less this; None: what was chosen is read."""
    chosen: Mapping[str, Any] = field(default_factory=dict)
    """What validation found."""

    def __post_init__(self) -> None:
        if self.codes.ndim != 2 or not self.l2 > 0:
            raise ModelError("bad-form", f"codes of shape {self.codes.shape}, l2 {self.l2}", "fit the model again")
        if (at := first_bad(self.codes.reshape(-1))) >= 0:
            raise ModelError("bad-form", f"code {at} is {self.codes.reshape(-1)[at]}", "fit the model again")

    @property
    def found(self) -> Mapping[str, Any]:  # type: ignore[override]
        return self.chosen

    @property
    def n_items(self) -> int:
        return len(self.codes)

    def item_vectors(self) -> NDArray[np.float32]:
        return self.codes

    def score(self, queries: Queries) -> NDArray[np.float32]:
        return factors.scores(self._asked(queries), self._tiles, self.n_items)

    def top_block(self, queries: Queries, k: int, masks: Masks) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        return factors.top(self._asked(queries), self._tiles, self.n_items, k, masks)

    def vectors(self, queries: Queries) -> NDArray[np.float32]:
        """(B, D) the x above. Raises DataError for histories over another catalogue."""
        check_catalogue(self, queries)
        if self.centre is None:
            return product(inputs(queries.history.matrix(), "none"), self._sums)
        rated = centred(queries.history, self.centre)
        out = np.zeros((len(queries), self.codes.shape[1]), np.float32)

        def some(start: int, stop: int) -> None:
            for row in range(start, stop):
                out[row] = self._folded(rated, row)

        with threadpool_limits(1, "blas"):  # more threads would part the sums, and so the bits, in another way
            in_pieces(some, len(out), ROWS_A_PIECE)
        return out

    def _folded(self, rated: csr_array, row: int) -> NDArray[np.float64]:
        entries = slice(rated.indptr[row], rated.indptr[row + 1])
        own = self.codes[rated.indices[entries]].astype(np.float64)  # (n, D)
        wanted = rated.data[entries].astype(np.float64)
        wide = len(own) < own.shape[1]  # the same by the smaller system
        system = (own @ own.T if wide else own.T @ own) + self.l2 * np.eye(min(own.shape))
        x: NDArray[np.float64] = np.linalg.solve(system, wanted if wide else own.T @ wanted)
        return own.T @ x if wide else x

    def _asked(self, queries: Queries) -> NDArray[np.float32]:
        """(B, D + 1) vectors that the centre is one more factor for."""
        return np.pad(self.vectors(queries), ((0, 0), (0, 1)), constant_values=1)

    @cached_property
    def _sums(self) -> NDArray[np.float32]:
        """(I, D) what an item in the history adds to x."""
        codes = self.codes.astype(np.float64)
        with threadpool_limits(1, "blas"):
            system = codes.T @ codes + self.l2 * np.eye(codes.shape[1])
            return np.linalg.solve(system, codes.T).T.astype(np.float32)

    @cached_property
    def _tiles(self) -> NDArray[np.float32]:
        centre = np.full((self.n_items, 1), self.centre or 0, np.float32)
        return factors.tiled(np.hstack([self.codes, centre]))
