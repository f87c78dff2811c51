"""A transformer over histories: each place reads all before it, or all others as well."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from matinee.errors import ConfigError
from matinee.nn.autoencoder import array, xavier
from matinee.nn.norm import layer_norm
from matinee.nn.windows import Batch, dropout
from matinee.scoring.transformer import EPSILON, Transformer, block_shapes


@dataclass(frozen=True)
class Shape:
    """Of a transformer."""

    n_items: int
    length: int
    """Places of the longest history that is read."""
    dim: int
    blocks: int
    heads: int
    width: int
    """Of the layer inside a block, between two of `dim`."""
    dropout: float
    causal: bool = True
    """A place sees itself and what came before; else everything."""
    activation: str = "relu"
    mask: bool = False
    """Is there one more item, numbered after the real ones, that stands for one that is to be found?"""
    glorot: bool = False
    """Do layers begin as Glorot and Bengio have it, or as small as items?"""
    projected: bool = False
    """Does a last layer stand between the states and the items' vectors?"""

    def __post_init__(self) -> None:
        if self.dim % self.heads:
            raise ConfigError("bad-heads", f"{self.heads} heads for dim {self.dim}", "have heads divide dim")


SPREAD = 0.02
"""Standard deviation of what vectors of items and places begin at."""


def waves(length: int, dim: int) -> Tensor:
    """(L, D) sines and cosines of places, in waves of 6 to 60,000 places, as large as items are (Vaswani et al.,
    Attention Is All You Need, NIPS 2017).

    Where an item is hidden its place says all about where to look, and of places at random nearness is to be learnt.
    """
    angles = torch.arange(length)[:, None] / 10_000 ** (torch.arange(0, dim, 2) / dim)
    found = torch.stack([torch.sin(angles), torch.cos(angles)], dim=2).reshape(length, -1)[:, :dim]
    scaled: Tensor = found * (2 * dim) ** 0.5
    return scaled


class TransformerNet(nn.Module):
    """x = E[items] sqrt(D) + P;  each block: x += attention(norm(x)), x += narrow(act(wide(norm(x))));  norm(x).

    Norms stand before what they feed (Xiong et al., On Layer Normalization in the Transformer Architecture, ICML 2020).
    An item is scored by its own input vector (shared, as SASRec has it).
    """

    def __init__(self, shape: Shape, generator: torch.Generator) -> None:
        super().__init__()
        self.shape = shape
        dim = shape.dim

        def normal(*size: int) -> nn.Parameter:
            return nn.Parameter(torch.randn(*size, generator=generator) * SPREAD)

        def layer_of(*size: int) -> nn.Parameter:
            return xavier(size[0], size[-1], generator) if shape.glorot else normal(*size)

        self.table = normal(shape.n_items + shape.mask, dim)
        self.positions = (normal(shape.length, dim) if shape.causal
                          else nn.Parameter(waves(shape.length, dim) * SPREAD))
        self.blocks = nn.ParameterDict()
        for n in range(shape.blocks):
            for part, size in block_shapes(dim, shape.width).items():
                self.blocks[f"{n}_{part.replace('.', '_')}"] = (
                    layer_of(*size) if part.endswith("weight")
                    else nn.Parameter(torch.ones(size) if part.endswith("gain") else torch.zeros(size)))
        self.gain, self.shift = nn.Parameter(torch.ones(dim)), nn.Parameter(torch.zeros(dim))
        if shape.projected:
            self.last_weight, self.last_bias = xavier(dim, dim, generator), nn.Parameter(torch.zeros(dim))
        self.output_bias = nn.Parameter(torch.zeros(shape.n_items))

    def take(self, other: TransformerNet) -> None:
        """The weights of another one that differs in how it reads, as far as both have them."""
        with torch.no_grad():
            theirs = dict(other.named_parameters())
            for name, parameter in self.named_parameters():
                n = min(len(parameter), len(theirs[name]))
                parameter[:n] = theirs[name][:n]

    @property
    def output(self) -> Tensor:
        """(I, D) what scores items."""
        return self.table[: self.shape.n_items] if self.shape.mask else self.table

    def forward(self, batch: Batch, rng: np.random.Generator | None) -> Tensor:
        """(N, D) at the real places of a batch, dropping out by `rng`, as they are held against items."""
        return self.at(self.states(batch.items, batch.lengths, rng), batch.real)

    def at(self, states: Tensor, places: Tensor) -> Tensor:
        """states (B, L, D), places in the flat (B x L,) -> (N, D) what is held against items."""
        found = states.reshape(-1, self.shape.dim)[places]
        if self.shape.projected:
            found = functional.gelu(functional.linear(found, self.last_weight, self.last_bias), approximate="tanh")
        return found

    def states(self, items: Tensor, lengths: Tensor, rng: np.random.Generator | None) -> Tensor:
        """items (B, L), padded on the right, and how many of each row are real -> (B, L, D)."""
        rate, dim = self.shape.dropout, self.shape.dim
        values = functional.embedding(items, self.table) * dim**0.5 + self.positions[: items.shape[1]]
        values = dropout(values, rate, rng)
        seen = None if self.shape.causal else (torch.arange(items.shape[1]) < lengths[:, None])[:, None, None, :]
        for n in range(self.shape.blocks):
            values = values + dropout(self._attention(n, values, seen), rate, rng)
            values = values + dropout(self._wide(n, values, rng), rate, rng)
        return layer_norm(values, self.gain, self.shift, EPSILON)

    def _part(self, n: int, name: str) -> Tensor:
        found: Tensor = self.blocks[f"{n}_{name}"]
        return found

    def _norm(self, n: int, name: str, values: Tensor) -> Tensor:
        return layer_norm(values, self._part(n, f"{name}_gain"), self._part(n, f"{name}_shift"), EPSILON)

    def _linear(self, n: int, name: str, values: Tensor) -> Tensor:
        return functional.linear(values, self._part(n, f"{name}_weight"), self._part(n, f"{name}_bias"))

    def _attention(self, n: int, values: Tensor, seen: Tensor | None) -> Tensor:
        size, length, dim = values.shape
        mixed = self._linear(n, "mixed", self._norm(n, "norm1", values))
        asked, keys, said = mixed.view(size, length, 3, self.shape.heads, -1).permute(2, 0, 3, 1, 4)
        found = functional.scaled_dot_product_attention(asked, keys, said, seen, is_causal=seen is None)
        return self._linear(n, "joined", found.transpose(1, 2).reshape(size, length, dim))

    def _wide(self, n: int, values: Tensor, rng: np.random.Generator | None) -> Tensor:
        inner = self._linear(n, "wide", self._norm(n, "norm2", values))
        gelu = self.shape.activation == "gelu"
        inner = functional.gelu(inner, approximate="tanh") if gelu else functional.relu(inner)
        return self._linear(n, "narrow", dropout(inner, self.shape.dropout, rng))

    def scorer(self) -> Transformer:
        """What it is worth now; no memory is shared."""
        return Transformer(**self.arrays())

    def arrays(self) -> dict[str, Any]:
        """The fields of a `Transformer`."""
        layers: dict[str, Any] = {"positions": array(self.positions), "gain": array(self.gain),
                                  "shift": array(self.shift)}
        if self.shape.projected:
            layers |= {"last.weight": array(self.last_weight), "last.bias": array(self.last_bias)}
        for n in range(self.shape.blocks):
            layers |= {f"{n}.{part}": array(self._part(n, part.replace(".", "_")))
                       for part in block_shapes(self.shape.dim, self.shape.width)}
        return {"table": array(self.table), "layers": layers, "bias": array(self.output_bias),
                "heads": self.shape.heads, "blocks": self.shape.blocks, "causal": self.shape.causal,
                "activation": self.shape.activation}
