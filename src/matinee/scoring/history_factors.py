"""A history as the sum of its items' vectors, times the vectors of the items scored: PureSVD, FISM."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from matinee.contract import AdditiveScorer, FusedScorer, ItemVectorScorer, Masks, Queries, VectorScorer
from matinee.errors import ModelError
from matinee.numerics import factors
from matinee.numerics.products import product
from matinee.numerics.topk import first_bad
from matinee.scoring.checks import check_catalogue


@dataclass(frozen=True, eq=False)
class HistoryFactors(FusedScorer, VectorScorer, AdditiveScorer, ItemVectorScorer):
    """score(u, i) = z_u . decode_i + bias_i, where for the history's n_u distinct items j with confidence c_j

        z_u = n_u^-exponent x sum_j c_j encode_j.

    An items-by-items matrix of rank D that is never formed: 8 I D bytes, and 4 I D more once asked. Nobody's history
    is zeros, so the bias alone ranks for it.
    """

    encode: NDArray[np.float32]  # (I, D)  what an item in the history says
    decode: NDArray[np.float32]  # (I, D)  what an item that is scored listens to
    bias: NDArray[np.float32]  # (I,)
    exponent: float
    """0: a long history speaks louder, 1: all speak alike. It hardly moves a list, only what the bias counts in it."""

    def __post_init__(self) -> None:
        shapes = self.encode.shape, self.decode.shape, self.bias.shape
        if self.encode.ndim != 2 or shapes[0] != shapes[1] or shapes[2] != shapes[0][:1]:
            raise ModelError("bad-form", "encode, decode and bias have shapes {}, {} and {}".format(*shapes),
                             "fit the model again")
        if not 0 <= self.exponent <= 1:
            raise ModelError("bad-form", f"exponent {self.exponent} is not in [0, 1]", "fit the model again")
        for name, array in (("encode", self.encode), ("decode", self.decode), ("bias", self.bias)):
            at = first_bad(array.reshape(-1))
            if at >= 0:
                raise ModelError("bad-form", f"{name} {at} is {array.reshape(-1)[at]}", "fit the model again")

    @property
    def n_items(self) -> int:
        return len(self.encode)

    def item_vectors(self) -> NDArray[np.float32]:
        return self.encode

    def score(self, queries: Queries) -> NDArray[np.float32]:
        return factors.scores(self._asked(queries), self._tiles, self.n_items)

    def top_block(self, queries: Queries, k: int, masks: Masks) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        return factors.top(self._asked(queries), self._tiles, self.n_items, k, masks)

    def vectors(self, queries: Queries) -> NDArray[np.float32]:
        """(B, D) the z above. Raises DataError for histories over another catalogue."""
        check_catalogue(self, queries)
        history = queries.history.matrix()
        sums = product(history, self.encode)
        sums *= (np.maximum(np.diff(history.indptr), 1) ** -self.exponent)[:, None].astype(np.float32)
        return sums

    def parts(self, query: Queries, items: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
        check_catalogue(self, query)
        history = query.history.matrix()
        said = self.encode[history.indices].astype(np.float64) * history.data[:, None]  # (n, D)
        return history.indices, said @ self.decode[items].T * max(1, history.nnz) ** -self.exponent

    def _asked(self, queries: Queries) -> NDArray[np.float32]:
        """(B, D + 1) vectors that the bias is one more factor for."""
        return np.pad(self.vectors(queries), ((0, 0), (0, 1)), constant_values=1)

    @cached_property
    def _tiles(self) -> NDArray[np.float32]:
        return factors.tiled(np.column_stack([self.decode, self.bias]))
