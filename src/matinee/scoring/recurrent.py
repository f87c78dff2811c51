"""A history through gated recurrent units: the newest state, against every item."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matinee.contract import FusedScorer, ItemVectorScorer, Masks, Queries, VectorScorer
from matinee.data.sessions import newest_sessions
from matinee.errors import ModelError
from matinee.numerics import additive_attention, dense, factors
from matinee.numerics.recurrent import HISTORIES_A_PIECE, Layers, all_states, last_states
from matinee.numerics.threads import in_pieces
from matinee.numerics.topk import first_bad
from matinee.scoring.checks import check_catalogue
from matinee.scoring.newest_events import newest

Numbers = NDArray[np.float32]
PARTS = ("input.weight", "state.weight", "input.bias", "state.bias")
"""Of a layer, as `numerics.recurrent` has W, U, b and c; layer 0 has them as `0.input.weight` and so on."""


@dataclass(frozen=True, eq=False)
class Recurrent(FusedScorer, VectorScorer, ItemVectorScorer):
    """score(u, i) = h_u . output_i + bias_i, with h_u the state of the last layer after the history's newest event.

    Of a history the newest `length` events are read, and with `session_hours` only those of its newest session, by the
    rule of `data.sessions`. No torch is needed here. 4 (I (D + H) + layers) bytes, and 4 I (3 H + H) more once asked;
    6 H^2 (2 N - 1) operations an event in N layers, and 2 I H to rank.
    """

    table: Numbers  # (I, D)  what an item says
    layers: Mapping[str, Numbers]
    output: Numbers  # (I, H)
    bias: Numbers  # (I,)
    length: int
    session_hours: float | None = None
    """None: the whole history."""
    chosen: Mapping[str, Any] = field(default_factory=dict)
    """What validation found."""

    def __post_init__(self) -> None:
        wanted = self._shapes()
        have = {"table": self.table, "output": self.output, "bias": self.bias, **self.layers}
        wrong = sorted(name for name in {*wanted, *have}
                       if name not in wanted or name not in have or have[name].shape != wanted[name])
        if wrong or self.depth < 1:
            raise ModelError("bad-form", f"missing, unknown or of another shape: {', '.join(wrong) or 'layers'}",
                             "fit the model again")
        if self.length < 1 or (self.session_hours is not None and not self.session_hours > 0):
            raise ModelError("bad-form", f"length {self.length}, session_hours {self.session_hours}",
                             "fit the model again")
        for name, array in have.items():
            if first_bad(array.reshape(-1)) >= 0:
                raise ModelError("bad-form", f"{name} is not finite", "fit the model again")

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        """Of every array."""
        (n_items, dim), width = self.table.shape, self.width
        found: dict[str, tuple[int, ...]] = {"table": (n_items, dim), "output": (n_items, width), "bias": (n_items,)}
        for n in range(self.depth):
            shapes = (3 * width, width if n else dim), (3 * width, width), (3 * width,), (3 * width,)
            found |= {f"{n}.{part}": shape for part, shape in zip(PARTS, shapes, strict=True)}
        return found

    @property
    def found(self) -> Mapping[str, Any]:  # type: ignore[override]
        return self.chosen

    @property
    def n_items(self) -> int:
        return len(self.table)

    @property
    def depth(self) -> int:
        """N, how many layers there are."""
        return sum(name.endswith("state.weight") for name in self.layers)

    @property
    def width(self) -> int:
        """H, of a state."""
        return self.layers["0.state.weight"].shape[1] if self.depth else 0

    def score(self, queries: Queries) -> NDArray[np.float32]:
        return factors.scores(self._asked(queries), self._tiles, self.n_items)

    def top_block(self, queries: Queries, k: int, masks: Masks) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        return factors.top(self._asked(queries), self._tiles, self.n_items, k, masks)

    def vectors(self, queries: Queries) -> Numbers:
        """(B, H) the newest states; zeros for an empty history."""
        return last_states(self._units, *self._read(queries))

    def item_vectors(self) -> Numbers:
        return self.table

    def _read(self, queries: Queries) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The items that are read, and where each history starts among them (B + 1,)."""
        check_catalogue(self, queries)
        history = queries.history
        if self.session_hours is not None:
            history = newest_sessions(history, self.session_hours)
        return newest(history, np.arange(history.n_users), self.length)

    def _asked(self, queries: Queries) -> Numbers:
        """(B, ...) vectors that the bias is one more factor for."""
        return np.pad(self.vectors(queries), ((0, 0), (0, 1)), constant_values=1)

    @cached_property
    def _units(self) -> Layers:
        def of(part: str) -> list[Numbers]:
            return [self.layers[f"{n}.{part}"] for n in range(self.depth)]

        weights, biases = of("input.weight"), np.stack(of("input.bias"))
        states = np.stack([factors.tiled(matrix) for matrix in of("state.weight")])
        inputs = [factors.tiled(matrix) for matrix in weights[1:]]
        first = dense.layer(self.table, factors.tiled(weights[0]), biases[0])
        return Layers(first, np.stack(inputs) if inputs else states[:0], states, biases, np.stack(of("state.bias")))

    @cached_property
    def _tiles(self) -> Numbers:
        return factors.tiled(np.column_stack([self.output, self.bias]))


@dataclass(frozen=True, eq=False)
class AttentiveRecurrent(Recurrent):
    """The same with c_u = P [h_n; sum_j a_j h_j] in place of h_u, a_j = v . sigma(A h_n + K h_j), j = 1, ..., n.

    2 H A more operations an event.
    """

    attention: Mapping[str, Numbers] = field(default_factory=dict)
    """`asked` A (W, H), `keys` K (W, H), `weights` v (W,), `joined` P (D, 2 H)."""

    def __post_init__(self) -> None:
        super().__post_init__()
        inner = len(self.attention.get("weights", ()))
        dim = self.output.shape[1]
        shapes = {"asked": (inner, self.width), "keys": (inner, self.width), "weights": (inner,),
                  "joined": (dim, 2 * self.width)}
        if {name: array.shape for name, array in self.attention.items()} != shapes:
            raise ModelError("bad-form", f"attention does not have the shapes {shapes}", "fit the model again")
        for name, array in self.attention.items():
            if first_bad(array.reshape(-1)) >= 0:
                raise ModelError("bad-form", f"{name} is not finite", "fit the model again")

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        return {**super()._shapes(), "output": (self.n_items, len(self.attention.get("joined", ())))}

    def vectors(self, queries: Queries) -> Numbers:
        """(B, D) the c above; zeros for an empty history."""
        items, starts = self._read(queries)
        tiles, weights = self._attention_tiles, self.attention["weights"]
        both = np.zeros((len(starts) - 1, 2 * self.width), np.float32)

        def some(start: int, stop: int) -> None:
            own = starts[start : stop + 1] - starts[start]
            states = all_states(self._units, items[starts[start] : starts[stop]], own)
            there = np.flatnonzero(np.diff(own))
            newest = states[own[there + 1] - 1]
            asked = factors.scores(newest, tiles["asked"], len(weights))
            keys = factors.scores(states, tiles["keys"], len(weights))
            summed = additive_attention.newest(asked, keys, weights, states, own[np.append(there, len(own) - 1)])
            both[start + there] = np.hstack([newest, summed])

        in_pieces(some, len(both), HISTORIES_A_PIECE)
        return factors.scores(both, tiles["joined"], self.output.shape[1])

    @cached_property
    def _attention_tiles(self) -> Mapping[str, Numbers]:
        return {name: factors.tiled(self.attention[name]) for name in ("asked", "keys", "joined")}
