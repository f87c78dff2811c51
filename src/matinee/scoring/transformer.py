"""A history through a transformer: what its newest place knows, against every item."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matinee.contract import FusedScorer, ItemVectorScorer, Masks, Queries, VectorScorer
from matinee.errors import ModelError
from matinee.numerics import dense, factors
from matinee.numerics.topk import first_bad
from matinee.numerics.transformer import Weights, stacked, states
from matinee.scoring.checks import check_catalogue
from matinee.scoring.newest_events import newest

EPSILON = 1e-5
"""Under the root of a normalised layer's variance."""


def block_shapes(dim: int, width: int) -> dict[str, tuple[int, ...]]:
    """Of the arrays of a block, by their names."""
    return {"norm1.gain": (dim,), "norm1.shift": (dim,), "mixed.weight": (3 * dim, dim), "mixed.bias": (3 * dim,),
            "joined.weight": (dim, dim), "joined.bias": (dim,), "norm2.gain": (dim,), "norm2.shift": (dim,),
            "wide.weight": (width, dim), "wide.bias": (width,), "narrow.weight": (dim, width), "narrow.bias": (dim,)}


@dataclass(frozen=True, eq=False)
class Transformer(FusedScorer, VectorScorer, ItemVectorScorer):
    """score(u, i) = state_u . table_i + bias_i, with state_u of the newest place of a history.

    `layers` has `positions`, the `gain` and `shift` of the norm at the end, and of each block, named by its number,
    those of `block_shapes`; where there is a `last` layer, gelu(last state) is the state. Of a history the
    newest L events are read, L being how many positions there are. No torch is needed here. 4 (I D + layers) bytes, and
    as much again once asked; of a history of n events n (8 D^2 + 4 D W + n D) operations a block, and 2 I D to rank.
    """

    table: NDArray[np.float32]  # (I + extra, D)
    layers: Mapping[str, NDArray[np.float32]]
    bias: NDArray[np.float32]  # (I,)
    heads: int
    blocks: int
    causal: bool
    activation: str
    chosen: Mapping[str, Any] = field(default_factory=dict)
    """What validation found."""

    def __post_init__(self) -> None:
        dim, blocks = self.table.shape[1], self.blocks
        shapes = {"positions": (len(self.layers.get("positions", ())), dim), "gain": (dim,), "shift": (dim,)}
        for n in range(blocks):
            width = len(self.layers.get(f"{n}.wide.bias", ()))
            shapes |= {f"{n}.{name}": shape for name, shape in block_shapes(dim, width).items()}
        if "last.weight" in self.layers:
            shapes |= {"last.weight": (dim, dim), "last.bias": (dim,)}
        wrong = sorted(name for name in {*shapes, *self.layers}
                       if name not in shapes or name not in self.layers or self.layers[name].shape != shapes[name])
        if wrong or len(self.bias) > len(self.table) or not len(self.layers["positions"]):
            raise ModelError("bad-form", f"missing, unknown or of another shape: {', '.join(wrong) or 'bias'}",
                             "fit the model again")
        if self.heads < 1 or dim % self.heads or self.activation not in ("relu", "gelu"):
            raise ModelError("bad-form", f"{self.heads} heads of {dim} dimensions, activation {self.activation!r}",
                             "fit the model again")
        for name, array in {"table": self.table, "bias": self.bias, **self.layers}.items():
            if first_bad(array.reshape(-1)) >= 0:
                raise ModelError("bad-form", f"{name} is not finite", "fit the model again")

    @property
    def found(self) -> Mapping[str, Any]:  # type: ignore[override]
        return self.chosen

    @property
    def n_items(self) -> int:
        return len(self.bias)

    def item_vectors(self) -> NDArray[np.float32]:
        return self.table[: self.n_items]

    @property
    def length(self) -> int:
        """How many events are read."""
        return len(self.layers["positions"])

    def score(self, queries: Queries) -> NDArray[np.float32]:
        return factors.scores(self._asked(queries), self.tiles, self.n_items)

    def top_block(self, queries: Queries, k: int, masks: Masks) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        return factors.top(self._asked(queries), self.tiles, self.n_items, k, masks)

    def vectors(self, queries: Queries) -> NDArray[np.float32]:
        """(B, D) the state of each history's newest place; zeros for an empty one."""
        check_catalogue(self, queries)
        there = np.flatnonzero(queries.history.counts)
        out = np.zeros((len(queries), self.table.shape[1]), np.float32)
        items, starts = newest(queries.history, there, self.length)
        out[there] = self.states(items, starts, np.ones(len(there), np.int64))
        return out

    def states(
        self, items: NDArray[np.int64], starts: NDArray[np.int64], wanted: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """Of the newest `wanted` (B,) places of histories items[starts[b]:starts[b + 1]], in order."""
        gelu = self.activation == "gelu"
        found = states(self._weights, items, starts, wanted, self.heads, self.causal, gelu, EPSILON)
        if self._last is not None:
            found = dense.activate(dense.layer(found, self._last, self.layers["last.bias"]), "gelu")
        return found

    def _asked(self, queries: Queries) -> NDArray[np.float32]:
        """(B, D + 1) states that the bias is one more factor for."""
        return np.pad(self.vectors(queries), ((0, 0), (0, 1)), constant_values=1)

    @cached_property
    def _weights(self) -> Weights:
        def of(name: str) -> list[NDArray[np.float32]]:
            return [self.layers[f"{n}.{name}"] for n in range(self.blocks)]

        norms = np.stack([np.stack(parts) for parts in zip(
            of("norm1.gain"), of("norm1.shift"), of("norm2.gain"), of("norm2.shift"), strict=True)])
        biases = np.hstack([np.stack(of(f"{name}.bias")) for name in ("mixed", "joined", "wide", "narrow")])
        return Weights(self.table * np.float32(self.table.shape[1] ** 0.5), self.layers["positions"], norms,
                       stacked(of("mixed.weight")), stacked(of("joined.weight")), stacked(of("wide.weight")),
                       stacked(of("narrow.weight")), biases, np.stack([self.layers["gain"], self.layers["shift"]]))

    @cached_property
    def _last(self) -> NDArray[np.float32] | None:
        return factors.tiled(self.layers["last.weight"]) if "last.weight" in self.layers else None

    @cached_property
    def tiles(self) -> NDArray[np.float32]:
        return factors.tiled(np.column_stack([self.table[: self.n_items], self.bias]))
