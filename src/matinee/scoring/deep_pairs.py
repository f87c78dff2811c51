"""Layers over the fields of a user and an item, beside what falls into sides: the form of wide & deep and of DeepFM."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import hstack

from matinee.contract import Queries
from matinee.errors import ModelError
from matinee.numerics import dense, factors
from matinee.numerics.field_factors import combined
from matinee.numerics.pair_layers import Layers, layers, pair_scores
from matinee.numerics.products import product
from matinee.scoring.feature_pairs import FeaturePairs, Floats
from matinee.scoring.user_fields import columns_of

USERS, NUMBERS, LAST = "users", "numbers", "last"
"""Layers that are not called by their number."""


@dataclass(frozen=True, eq=False, kw_only=True)
class DeepPairs(FeaturePairs):
    """score(u, i) = x_u . y_i + own_u + own_i + crosses + layers, as `numerics.pair_layers` has these.

    With H first sums, 4 I (H + D) bytes, and 4 C I for C crossed columns; asked, about 2 sum H H' operations a pair.
    """

    item_factors: NDArray[np.float32]  # (I, D)  D = 0 where fields do not meet as in a factorisation machine
    item_first: NDArray[np.float32]  # (I, H)  the items' part of the first layer's sums
    layers: Mapping[str, NDArray[np.float32]]
    """users.weight (H, F T), users.bias (H,), numbers.weight (N, H), 1.weight (H', H), 1.bias ..., last.weight."""
    crossed: tuple[str, ...]
    """Fields of the user whose columns each have a weight with each item."""
    crosses: NDArray[np.float32]  # (C, I)

    def __post_init__(self) -> None:
        super().__post_init__()
        first = self.item_first.shape[1]
        length = len(self.order) * (next(iter(self.tables.values())).shape[1] - 1)
        looks = {name: array.shape for name, array in self.layers.items()}
        due = {f"{USERS}.weight": (first, length), f"{USERS}.bias": (first,),
               f"{NUMBERS}.weight": (len(self.numbers) + self.told, first), f"{LAST}.weight": (first,)}
        for n in range(1, self._depth):
            wide = looks.get(f"{n}.bias", (0,))[0]
            due |= {f"{n}.weight": (wide, first), f"{n}.bias": (wide,), f"{LAST}.weight": (wide,)}
            first = wide
        rows = {len(self.item_first), len(self.item_factors), self.crosses.shape[1]}
        if looks != due or rows != {self.n_items}:
            raise ModelError("bad-form", f"layers {looks} where {due} are due, over {sorted(rows)} items",
                             "fit the model again")

    def _scored(self, queries: Queries, numbers: Floats, candidates: NDArray[np.int32]) -> Floats:
        sides = self.sides(queries)
        vectors, own = combined(sides, 0, apart=False)
        if not self.item_factors.shape[1]:
            vectors, own = vectors[:, :0], np.ascontiguousarray(sides[:, :, -1]).sum(axis=1, dtype=np.float32)
        left = np.hstack([vectors, own[:, None] + np.float32(self.bias), np.ones((len(own), 1), np.float32)])
        flat = np.ascontiguousarray(sides[:, :, :-1]).reshape(len(sides), self.layers[f"{USERS}.weight"].shape[1])
        first = dense.layer(flat, self._users, self.layers[f"{USERS}.bias"])
        out = pair_scores(left, self._right, first, numbers, candidates, self._layers)
        if len(self.crosses):
            columns = hstack([columns_of(name, queries, self.fields, self.learnt) for name in self.crossed], "csr")
            of_all = product(columns, self.crosses)
            out += np.take_along_axis(of_all, np.maximum(candidates, 0).astype(np.int64), axis=1)
        return out

    @property
    def _depth(self) -> int:
        """Layers before the last one."""
        return sum(name.endswith(".bias") for name in self.layers)

    @cached_property
    def _users(self) -> Floats:
        return factors.tiled(self.layers[f"{USERS}.weight"])

    @cached_property
    def _right(self) -> Floats:
        ones = np.ones((self.n_items, 1), np.float32)
        return np.hstack([self.item_factors, ones, self.item_biases[:, None]])

    @cached_property
    def _layers(self) -> Layers:
        inner = range(1, self._depth)
        return layers(self.item_first, self.layers[f"{NUMBERS}.weight"],
                      [self.layers[f"{n}.weight"] for n in inner], [self.layers[f"{n}.bias"] for n in inner],
                      self.layers[f"{LAST}.weight"])
