"""A history through an autoencoder: summed, squeezed into a code, and spread out again over all items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from matinee.contract import FusedScorer, ItemVectorScorer, Masks, Queries, VectorScorer
from matinee.errors import ModelError
from matinee.numerics import dense, factors
from matinee.numerics.products import product
from matinee.numerics.topk import first_bad
from matinee.scoring.checks import check_catalogue
from matinee.scoring.ratings import centred

EPSILON = 0.1
"""Under the root of a normalised layer's variance."""


@dataclass(frozen=True, eq=False)
class Autoencoder(FusedScorer, VectorScorer, ItemVectorScorer):
    """score(u, i) = h_u . output_i + bias_i, with h_u the last of a chain of layers that starts at the history.

    The first layer sums `table` over the history's n distinct items, each n^-1/2 (`scale` l2) or 1 (`none`), or times
    its newest rating less `centre`, where an item without one is nothing; the others are dense. The first `skips` of
    these add all layers before them to their sums; then comes the activation, then the norm where there is one. No
    torch is needed here.
    4 (I (H + D) + layers) bytes, and 4 I D more once asked; about 2 n H + I D operations a user.
    """

    table: NDArray[np.float32]  # (I, H)
    layers: Mapping[str, NDArray[np.float32]]
    """`0.bias` (H,) of the first; `1.weight` (H2, H) and `1.bias` of the next ...; `k.gain` and `k.shift` of a norm."""
    output: NDArray[np.float32]  # (I, D)
    bias: NDArray[np.float32]  # (I,)
    activations: tuple[str, ...]
    """Of each layer."""
    code: int
    """The layer whose output is a history's code: what neighbours and clusters are looked for in."""
    scale: str = "l2"
    skips: int = 0
    """So many dense layers add up all before them."""
    centre: float | None = None
    """Ratings are read, and this of each is neutral; None: what was chosen is read, not how it was liked."""
    chosen: Mapping[str, Any] = field(default_factory=dict)
    """What validation found."""

    def __post_init__(self) -> None:
        wanted = self.table.shape[1:]
        for n in range(len(self.activations)):
            weight = self.layers.get(f"{n}.weight")
            if (weight is None) != (n == 0) or (weight is not None and weight.shape[1:] != wanted):
                raise ModelError("bad-form", f"layer {n} does not fit to the one before", "fit the model again")
            wanted = wanted if weight is None else weight.shape[:1]
            for part in ("bias", "gain", "shift"):
                array = self.layers.get(f"{n}.{part}")
                if (part == "bias" or array is not None) and (array is None or array.shape != wanted):
                    raise ModelError("bad-form", f"layer {n} has no {part} of {wanted}", "fit the model again")
            if n == self.code:
                wanted = (wanted[0] + self.beside,)
        shapes = self.table.shape, self.output.shape, self.bias.shape
        if shapes[1][1:] != wanted or len({shape[:1] for shape in shapes}) > 1:
            raise ModelError("bad-form", "table, output and bias have shapes {}, {} and {}".format(*shapes),
                             "fit the model again")
        if not 0 <= self.code < len(self.activations) or set(self.activations) - set(dense.ACTIVATIONS):
            raise ModelError("bad-form", f"code {self.code}, activations {self.activations}", "fit the model again")
        for name, array in {"table": self.table, "output": self.output, "bias": self.bias, **self.layers}.items():
            if first_bad(array.reshape(-1)) >= 0:
                raise ModelError("bad-form", f"{name} is not finite", "fit the model again")

    @property
    def found(self) -> Mapping[str, Any]:  # type: ignore[override]
        return self.chosen

    @property
    def n_items(self) -> int:
        return len(self.table)

    def item_vectors(self) -> NDArray[np.float32]:
        return self.table

    @property
    def beside(self) -> int:
        """So many numbers more than the code has, what comes after it reads."""
        return 0

    def score(self, queries: Queries) -> NDArray[np.float32]:
        return factors.scores(self._asked(queries), self._tiles, self.n_items)

    def top_block(self, queries: Queries, k: int, masks: Masks) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        return factors.top(self._asked(queries), self._tiles, self.n_items, k, masks)

    def vectors(self, queries: Queries) -> NDArray[np.float32]:
        """(B, D) the codes. Raises DataError for histories over another catalogue."""
        shown = self.shown(queries)
        codes = self.passed(shown, self.code + 1)
        codes[np.diff(shown.indptr) == 0] = 0
        return codes

    def _asked(self, queries: Queries) -> NDArray[np.float32]:
        """(B, D + 1) last layers that the bias is one more factor for."""
        last = self.passed(self.shown(queries), beside=self.known(queries))
        return np.pad(last, ((0, 0), (0, 1)), constant_values=1)

    def shown(self, queries: Queries) -> csr_array:
        """(B, I) what the first layer reads."""
        check_catalogue(self, queries)
        history = queries.history
        return inputs(history.matrix(), self.scale) if self.centre is None else centred(history, self.centre)

    def known(self, queries: Queries) -> NDArray[np.float32] | None:
        """(B, `beside`) what stands beside the codes."""
        return None

    def passed(
        self, shown: csr_array, stop: int | None = None, beside: NDArray[np.float32] | None = None
    ) -> NDArray[np.float32]:
        """shown (B, I) with the weight of each item -> (B, D) the output of the first `stop` layers, or of all."""
        before: list[NDArray[np.float32]] = []
        for n in range(stop or len(self.activations)):
            if n == 0:
                values = product(shown, self.table) + self.layers["0.bias"]
            else:
                values = dense.layer(before[-1], self._weights[n], self.layers[f"{n}.bias"])
            if 0 < n <= self.skips:
                values += _sum(before)
            values = dense.activate(values, self.activations[n])
            if f"{n}.gain" in self.layers:
                values = dense.normalised(values, self.layers[f"{n}.gain"], self.layers[f"{n}.shift"], EPSILON)
            before.append(values if beside is None or n != self.code else np.hstack([values, beside]))
        return before[-1]

    @cached_property
    def _weights(self) -> Mapping[int, NDArray[np.float32]]:
        return {n: factors.tiled(self.layers[f"{n}.weight"]) for n in range(1, len(self.activations))}

    @cached_property
    def _tiles(self) -> NDArray[np.float32]:
        return factors.tiled(np.column_stack([self.output, self.bias]))


def inputs(history: csr_array, scale: str) -> csr_array:
    """What the first layer reads of histories (B, I): 1 an item, or with `l2` as much as makes a row one long."""
    lengths = np.diff(history.indptr)
    data = np.repeat(np.maximum(lengths, 1).astype(np.float32) ** np.float32(-0.5), lengths) if scale == "l2" else 1.0
    values = np.broadcast_to(np.asarray(data, np.float32), history.indices.shape)
    return csr_array((values.copy(), history.indices, history.indptr), shape=history.shape)


def _sum(layers: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    total = layers[0].copy()
    for layer in layers[1:]:
        total += layer
    return total
