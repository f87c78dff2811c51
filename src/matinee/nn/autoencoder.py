"""Networks that read a history, squeeze it into a code, and say from the code how likely each item is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array
from torch import Tensor, nn

from matinee.nn.bag import bag_sums
from matinee.scoring.autoencoder import EPSILON, Autoencoder


@dataclass(frozen=True)
class Layout:
    """The layers between a history and the output."""

    n_items: int
    widths: tuple[int, ...]
    """Of each layer's output; the first sums vectors of items."""
    activations: tuple[str, ...]
    code: int
    """The layer that is the code."""
    variational: bool = False
    """The code is drawn from a normal distribution, whose mean and log variance the layer has."""
    skips: int = 0
    """So many dense layers add up all before them."""
    norms: int = 0
    """So many layers are normalised."""
    scale: str = "l2"
    beside: int = 0
    """So much is put beside the code: what is known of whoever is asked for."""

    @property
    def reads(self) -> tuple[int, ...]:
        """Of each layer, how much the next one reads of it."""
        return tuple(width + self.beside * (n == self.code) for n, width in enumerate(self.widths))


@dataclass
class Pass:
    """What a forward pass leaves behind."""

    hidden: Tensor
    """(B, D) what the output layer reads"""
    mean: Tensor
    """(B, K) the code, or the mean of its distribution"""
    log_variance: Tensor | None = None
    """(B, K) of that distribution, where the code has one"""
    drawn: Tensor | None = None
    """(B, K) a code drawn from it"""


class AutoencoderNet(nn.Module):
    """The layers of a `Layout`, and the output over all items."""

    def __init__(self, layout: Layout, generator: torch.Generator) -> None:
        super().__init__()
        self.layout = layout
        self.attributes: csr_array | None = None
        outs = [2 * width if layout.variational and n == layout.code else width
                for n, width in enumerate(layout.widths)]
        self.table = xavier(layout.n_items, outs[0], generator)
        self.weights = nn.ParameterList(
            [xavier(out, width, generator) for out, width in zip(outs[1:], layout.reads, strict=False)])
        self.biases = nn.ParameterList([nn.Parameter(torch.zeros(out)) for out in outs])
        self.gains = nn.ParameterList([nn.Parameter(torch.ones(width)) for width in layout.widths[: layout.norms]])
        self.shifts = nn.ParameterList([nn.Parameter(torch.zeros(width)) for width in layout.widths[: layout.norms]])
        self.output = xavier(layout.n_items, layout.reads[-1], generator)
        self.output_bias = nn.Parameter(torch.zeros(layout.n_items))

    def know(self, attributes: csr_array) -> None:
        """attributes (I, F): from now on an item's vector is its own plus those of its attributes, which begin at 0.

        Whatever hides an item hides its attributes; the sum over a history is what the history's attributes, counted,
        would give as inputs of their own.
        """
        self.attributes = attributes
        self.attribute_table = nn.Parameter(torch.zeros(attributes.shape[1], self.table.shape[1]))

    def vectors(self) -> Tensor:
        """(I, H) what the first layer sums."""
        return self.table if self.attributes is None else self.table + bag_sums(self.attributes, self.attribute_table)

    def forward(self, inputs: csr_array, generator: torch.Generator | None, beside: Tensor | None = None) -> Pass:
        """inputs (B, I); a code is drawn from its distribution by `generator`, and is its mean without one.

        beside (B, P): what the layer after the code reads as well.
        """
        passed, before = None, list[Tensor]()
        for n in range(len(self.layout.widths)):
            values = self._layer(n, inputs, before)
            if n == self.layout.code:
                passed = self._code(values, generator)
                values = passed.mean if passed.drawn is None else passed.drawn
                values = values if beside is None else torch.cat([values, beside], dim=1)
            before.append(values)
        assert passed is not None
        passed.hidden = before[-1]
        return passed

    def _layer(self, n: int, inputs: csr_array, before: Sequence[Tensor]) -> Tensor:
        if n == 0:
            values = bag_sums(inputs, self.vectors()) + self.biases[0]
        else:
            values = torch.addmm(self.biases[n], before[-1], self.weights[n - 1].T)
        if 0 < n <= self.layout.skips:
            for earlier in before:
                values = values + earlier
        values = activated(values, self.layout.activations[n])
        if n < self.layout.norms:
            values = _normalised(values, self.gains[n], self.shifts[n])
        return values

    def _code(self, values: Tensor, generator: torch.Generator | None) -> Pass:
        if not self.layout.variational:
            return Pass(values, values)
        mean, log_variance = values.chunk(2, dim=1)
        if generator is None:
            return Pass(mean, mean, log_variance)
        noise = torch.randn(mean.shape, generator=generator)
        return Pass(mean, mean, log_variance, mean + noise * torch.exp(0.5 * log_variance))

    def arrays(self) -> dict[str, Any]:
        """The fields of the scorer that this network is worth; they share no memory with it."""
        layout, layers = self.layout, {}
        for n, width in enumerate(layout.widths):
            layers[f"{n}.bias"] = array(self.biases[n])[:width]
            if n:
                layers[f"{n}.weight"] = array(self.weights[n - 1])[:width]
            if n < layout.norms:
                layers[f"{n}.gain"], layers[f"{n}.shift"] = array(self.gains[n]), array(self.shifts[n])
        table = np.ascontiguousarray(array(self.vectors())[:, : layout.widths[0]])
        return {"table": table, "layers": layers, "output": array(self.output), "bias": array(self.output_bias),
                "activations": layout.activations, "code": layout.code, "scale": layout.scale, "skips": layout.skips}

    def scorer(self) -> Autoencoder:
        return Autoencoder(**self.arrays())


def seeded(*words: int) -> torch.Generator:
    """A generator made of these numbers, of which trailing zeros are none: (1,) and (1, 0) make the same."""
    state = np.random.SeedSequence(words).generate_state(1, np.uint64)
    return torch.Generator().manual_seed(int(state[0] >> np.uint64(1)))


def xavier(out: int, width: int, generator: torch.Generator) -> nn.Parameter:
    """(out, width) as Glorot and Bengio have it, AISTATS 2010."""
    spread = (2.0 / (out + width)) ** 0.5
    return nn.Parameter(spread * torch.randn(out, width, generator=generator))


def activated(values: Tensor, name: str) -> Tensor:
    """One of `numerics.dense.ACTIVATIONS`."""
    if name == "swish":
        return nn.functional.silu(values)
    return values if name == "none" else getattr(torch, name)(values)


def _normalised(values: Tensor, gain: Tensor, shift: Tensor) -> Tensor:
    """Layer normalisation. Torch's own has gradients that hang on the number of threads."""
    centred = values - values.mean(1, keepdim=True)
    variance = centred.square().mean(1, keepdim=True) + EPSILON
    return centred * torch.rsqrt(variance) * gain + shift


def array(tensor: Tensor) -> NDArray[np.float32]:
    """A copy of a parameter, of its shape."""
    return tensor.detach().numpy().copy()
