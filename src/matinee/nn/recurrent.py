"""Networks that read a history event by event and keep a state: gated recurrent units, with attention or without.

The units are torch's (see `numerics.recurrent` for the equations). A place sees what came before it alone, so what is
padded on the right changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import embedding, linear

from matinee.nn.autoencoder import array, xavier
from matinee.nn.windows import Batch, dropout
from matinee.numerics import additive_attention
from matinee.scoring.recurrent import PARTS, AttentiveRecurrent, Recurrent

TORCHS = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
"""What torch calls `PARTS`."""


@dataclass(frozen=True)
class Shape:
    n_items: int
    dim: int
    """Of an item's vector."""
    width: int
    """Of a state."""
    layers: int
    dropout: float
    """Of items' vectors, and of what each layer hands on."""
    length: int
    """Of a history so many newest events are read when it is asked with."""
    session_hours: float | None = None
    """Of those, the events of its newest session alone; None: all."""


class RecurrentNet(nn.Module):
    """h_t = units(h_{t-1}, E_i), from h_0 = 0; an item is scored by h_t . O_i + bias, O = E where the two are tied."""

    def __init__(self, shape: Shape, generator: torch.Generator, *, tied: bool) -> None:
        super().__init__()
        self.shape = shape
        self.table = normal(shape.n_items, shape.dim, generator)
        self.units = nn.ModuleList(
            unit(shape.width if n else shape.dim, shape.width, generator) for n in range(shape.layers))
        if not tied:
            self.own_output = normal(shape.n_items, shape.width, generator)
        self.tied = tied
        self.output_bias = nn.Parameter(torch.zeros(shape.n_items))

    @property
    def output(self) -> Tensor:
        """(I, D) what scores items."""
        return self.table if self.tied else self.own_output

    def inputs(self) -> Tensor:
        """(I, D) what items say to the first layer."""
        return self.table

    def forward(self, batch: Batch, rng: np.random.Generator | None) -> Tensor:
        """(N, D) at the real places of a batch, dropping out by `rng`."""
        states = dropout(self.states(batch.items, rng), self.shape.dropout, rng)
        return states.reshape(-1, self.shape.width)[batch.real]

    def states(self, items: Tensor, rng: np.random.Generator | None) -> Tensor:
        """items (B, L) -> (B, L, H) of the last layer."""
        values = embedding(items, self.inputs())
        for layer in self.units:
            values, _ = layer(dropout(values, self.shape.dropout, rng))
        return values

    def advance(self, items: Tensor, carried: Tensor, rng: np.random.Generator | None) -> tuple[Tensor, Tensor]:
        """items (B,), the states before (layers, B, H) -> (B, H) what scores, and the states after them."""
        values, after = embedding(items, self.inputs())[:, None], []
        for layer, before in zip(self.units, carried, strict=True):
            values, now = layer(dropout(values, self.shape.dropout, rng), before[None].contiguous())
            after.append(now[0])
        return dropout(values[:, 0], self.shape.dropout, rng), torch.stack(after)

    def arrays(self) -> dict[str, Any]:
        """The fields of the scorer that this network is worth; no memory is shared."""
        layers = {f"{n}.{part}": array(cast(Tensor, getattr(layer, name)))
                  for n, layer in enumerate(self.units) for part, name in zip(PARTS, TORCHS, strict=True)}
        return {"table": array(self.inputs()), "layers": layers, "output": array(self.output),
                "bias": array(self.output_bias), "length": self.shape.length,
                "session_hours": self.shape.session_hours}

    def scorer(self) -> Recurrent:
        return Recurrent(**self.arrays())


class AttentiveNet(RecurrentNet):
    """What scores is P [h_t; sum_j a_tj h_j] with a_tj = v . sigma(A h_t + K h_j), j = 1, ..., t."""

    def __init__(self, shape: Shape, generator: torch.Generator, *, dropout_joined: float) -> None:
        super().__init__(shape, generator, tied=True)
        width = shape.width
        self.dropout_joined = dropout_joined
        self.asked, self.keys = xavier(width, width, generator), xavier(width, width, generator)
        self.weights = nn.Parameter(xavier(1, width, generator).detach()[0].clone())
        self.joined = xavier(shape.dim, 2 * width, generator)

    def forward(self, batch: Batch, rng: np.random.Generator | None) -> Tensor:
        states = self.states(batch.items, rng)
        shares = attention(linear(states, self.asked), linear(states, self.keys), self.weights, batch.lengths.numpy())
        both = torch.cat([states, torch.bmm(shares, states)], dim=2).reshape(-1, 2 * self.shape.width)[batch.real]
        return linear(dropout(both, self.dropout_joined, rng), self.joined)

    def scorer(self) -> AttentiveRecurrent:
        attention = {name: array(getattr(self, name)) for name in ("asked", "keys", "weights", "joined")}
        return AttentiveRecurrent(**self.arrays(), attention=attention)


def normal(rows: int, width: int, generator: torch.Generator) -> nn.Parameter:
    """(rows, width), small: from vectors about one long it learns slower."""
    return nn.Parameter(torch.randn(rows, width, generator=generator) * 0.02)


def unit(reads: int, width: int, generator: torch.Generator) -> nn.GRU:
    """One layer, as torch begins it but for the generator: evenly up to H^-1/2 either way."""
    made = nn.GRU(reads, width, batch_first=True, device="meta").to_empty(device="cpu")  # draws nothing by itself
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.copy_((2 * torch.rand(parameter.shape, generator=generator) - 1) * width**-0.5)
    return made


def attention(asked: Tensor, keys: Tensor, v: Tensor, lengths: NDArray[np.int64]) -> Tensor:
    """`numerics.additive_attention.weights`, with gradients."""
    return _Attention.apply(asked, keys, v, lengths)  # type: ignore[no-any-return, no-untyped-call]


class _Attention(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, asked: Tensor, keys: Tensor, v: Tensor, lengths: NDArray[np.int64]) -> Tensor:
        ctx.given = asked.contiguous().numpy(), keys.numpy(), v.numpy(), lengths
        return torch.from_numpy(additive_attention.weights(*ctx.given))

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> tuple[Tensor | None, ...]:
        moved = additive_attention.gradients(gradients[0].contiguous().numpy(), *ctx.given)
        return *(torch.from_numpy(part) for part in moved), None
