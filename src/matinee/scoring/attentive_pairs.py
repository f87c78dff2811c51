"""Attention among the fields of a user and an item: the fitted form of AutoInt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from matinee.contract import Queries
from matinee.errors import ModelError
from matinee.numerics import dense, factors
from matinee.numerics.pair_attention import Attention, attention, attentive_scores
from matinee.scoring.feature_pairs import FeaturePairs, Floats


@dataclass(frozen=True, eq=False, kw_only=True)
class AttentivePairs(FeaturePairs):
    """score(u, i) = own_u + own_i + the last layer's vectors of all fields times `last`, as `numerics.pair_attention`
    has these.

    16 I F' H bytes once asked, for F' fields of items; a pair takes about 8 M H^2 + 4 M^2 H operations a layer.
    """

    item_fields: NDArray[np.float32]  # (I, F', T) each field's vector
    number_vectors: NDArray[np.float32]  # (N, T) of a number that is 1, those of a first stage last
    layers: Mapping[str, NDArray[np.float32]]
    """`0` (4 H, T), and `1`, `2` ... (4 H, H): to what is asked, to keys, to what is said, and to what passes by."""
    last: NDArray[np.float32]  # (M, H)
    heads: int

    def __post_init__(self) -> None:
        super().__post_init__()
        fields, width = self.last.shape
        length = next(iter(self.tables.values())).shape[1] - 1
        looks = {name: array.shape for name, array in self.layers.items()}
        due = {str(n): (4 * width, width if n else length) for n in range(len(looks))}
        n_items, n_fields, wide = self.item_fields.shape
        numbers = len(self.numbers) + self.told
        whole = len(self.order) + n_fields + numbers
        if looks != due or (n_items, wide) != (self.n_items, length) or fields != whole or width % self.heads or (
                self.number_vectors.shape != (numbers, length)):
            raise ModelError("bad-form", f"layers {looks} of {self.heads} heads do not fit {fields} fields, "
                             f"{n_fields} of them of {n_items} items", "fit the model again")

    def _scored(self, queries: Queries, numbers: Floats, candidates: NDArray[np.int32]) -> Floats:
        sides = self.sides(queries)
        own = np.ascontiguousarray(sides[:, :, -1]).sum(axis=1, dtype=np.float32) + np.float32(self.bias)
        left = np.column_stack([own, np.ones(len(own), np.float32)])
        right = np.column_stack([np.ones(self.n_items, np.float32), self.item_biases])
        return attentive_scores(left, right, self._mixed(sides[:, :, :-1]), numbers, candidates, self._attention)

    def _mixed(self, vectors: Floats) -> Floats:
        """(N, F, T) -> (N, F, 4 H)"""
        n, fields, length = vectors.shape
        first = self.layers["0"]
        flat = np.ascontiguousarray(vectors).reshape(n * fields, length)
        return dense.layer(flat, factors.tiled(first), np.zeros(len(first), np.float32)).reshape(n, fields, len(first))

    @cached_property
    def _attention(self) -> Attention:
        numbers = self._mixed(self.number_vectors[:, None])[:, 0]
        deeper = [self.layers[str(n)] for n in range(1, len(self.layers))]
        return attention(self._mixed(self.item_fields), np.ascontiguousarray(numbers), deeper, self.last, self.heads)
