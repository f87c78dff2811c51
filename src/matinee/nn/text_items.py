"""A recurrent network whose items are what is learnt of each of them, and what their text says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from matinee.contract import Run
from matinee.data.dataset import Dataset
from matinee.data.item_vectors import known
from matinee.nn.autoencoder import array
from matinee.nn.next_item import NextItem, Sequential
from matinee.nn.recurrent import RecurrentNet, Shape, normal
from matinee.nn.train import Step
from matinee.numerics.start_vectors import named_vectors, narrowed, sized

Join = Literal["sum", "concat"]
NEVER = -1e6
"""The bias of an item that nobody had: no share of a softmax, and so no gradient."""


class TextItemNet(RecurrentNet):
    """v_i = e_i + P t_i, or both one after the other; v_i is what an item says and what scores it.

    An item that nobody had is no negative while the network learns, and what it is worth then is its text alone, with
    the lowest bias of those that somebody had.
    """

    def __init__(
        self, shape: Shape, generator: torch.Generator, text: NDArray[np.float32], had: NDArray[np.bool_], join: Join
    ) -> None:
        """shape: `dim` is that of e and of P t; text (I, T) zeros where there is none; had (I,) by anybody."""
        super().__init__(shape, generator, tied=True)
        self.join = join
        self.text = torch.from_numpy(text)
        self.had = torch.from_numpy(had)
        dim = shape.dim if join == "sum" else shape.dim // 2
        if join == "concat":
            self.table = normal(shape.n_items, dim, generator)
        self.projection = nn.Parameter(torch.randn(dim, text.shape[1], generator=generator) * dim**-0.5)
        with torch.no_grad():
            self.output_bias[~self.had] = NEVER

    @property
    def output(self) -> Tensor:
        return self.inputs()

    def inputs(self) -> Tensor:
        return self._joined(self.table)

    def _joined(self, own: Tensor) -> Tensor:
        said = self.text @ self.projection.T
        return own + said if self.join == "sum" else torch.cat([own, said], dim=1)

    def arrays(self) -> dict[str, Any]:
        vectors = array(self._joined(self.table * self.had[:, None]))
        bias = array(self.output_bias)
        had = self.had.numpy()
        bias[~had] = bias[had].min(initial=0)
        return {**super().arrays(), "table": vectors, "output": vectors.copy(), "bias": bias}


class InTurn(NextItem):
    """With `alternate`, even steps leave the projection of texts alone and odd ones the items' own vectors."""

    def __init__(
        self, name: str, recipe: Sequential, network: TextItemNet, data: Dataset, run: Run, *, alternate: bool
    ) -> None:
        super().__init__(name, recipe, network, data, run)
        self.alternate = alternate

    def parts(self) -> Mapping[str, Sequence[nn.Parameter]]:
        named = dict(self.network.named_parameters())
        if not self.alternate:
            return {"all": list(named.values())}
        return {part: [one for name, one in named.items() if name != still]
                for part, still in (("own", "projection"), ("text", "table"))}

    def steps(self, epoch: int, start: int) -> Iterator[Step]:
        for number, step in enumerate(super().steps(epoch, start), start):
            turn = ("own", "text")[(epoch * self.steps_an_epoch + number) % 2]
            yield replace(step, part=turn) if self.alternate else step


def text_of(data: Dataset, where: str | None) -> NDArray[np.float32]:
    """(I, T) the vectors called `where`, less their mean and about one long each; zeros where there is none.

    Raises DataError where the data have no such vectors.
    """
    if where is None:
        return np.zeros((data.n_items, 1), np.float32)
    vectors = named_vectors(data, where)
    there, dim = known(vectors), vectors.shape[1]
    out = np.zeros_like(vectors)
    out[there] = sized(narrowed(vectors[there], dim), dim**-0.5)
    return out
