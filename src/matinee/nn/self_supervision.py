"""Four tasks that a history sets itself, at which a transformer is trained before it is asked for the next item.

Zhou et al., S3-Rec, CIKM 2020. With F_t the state of place t of a history of which some items are masks:

    associated attributes   at the others, of each attribute a of the item that is there: -ln sigma(a . W1 F_t), and
                            -ln(1 - sigma) of every other attribute
    masked item             at a mask: -ln sigma(e_i . W2 F_t - e_j . W2 F_t), i what was hidden, j an item that the
                            user has not
    masked attributes       at a mask, as the first, of what was hidden
    segment                 with a stretch of the history masked: the state of its last place, c, against that of the
                            stretch by itself, s, and of another user's stretch, s': -ln sigma(c . W4 s - c . W4 s')

Attributes are numbered from 0 and no number stands for padding, so that none is left out. Words of generators have 0
after the seed, which those of the training that follows have not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Literal, NamedTuple, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array
from torch import Tensor, nn
from torch.nn.functional import logsigmoid

from matinee.contract import Run
from matinee.data import content
from matinee.data.columns import Features
from matinee.data.dataset import Dataset
from matinee.nn import negatives, processes
from matinee.nn.cloze import hidden
from matinee.nn.output import output_loss
from matinee.nn.recipe import Trained
from matinee.nn.train import Step, Task
from matinee.nn.transformer import SPREAD, TransformerNet
from matinee.nn.windows import Batch, Cut, steps, windows
from matinee.scoring.masked import MaskedTransformer

Field = Literal["genre", "director", "writer", "era"]
FIELDS: tuple[Field, ...] = get_args(Field)
LOOKED_AT = 512
"""Windows whose losses are looked at after an epoch, always the same ones with the same parts hidden."""


class Weights(NamedTuple):
    """How much each task counts; 0: not at all."""

    associated: float
    item: float
    attributes: float
    segment: float


class Heads(nn.Module):
    """What the four tasks have beside the network; of attributes a table a field."""

    def __init__(self, net: TransformerNet, widths: Mapping[str, int], generator: torch.Generator) -> None:
        super().__init__()
        self.net, dim = net, net.shape.dim

        def normal(*size: int) -> nn.Parameter:
            return nn.Parameter(SPREAD * torch.randn(*size, generator=generator))

        def square() -> nn.Parameter:
            return nn.Parameter(torch.eye(dim) + SPREAD * torch.randn(dim, dim, generator=generator))

        self.tables = nn.ParameterDict({field: normal(width, dim) for field, width in widths.items()})
        self.biases = nn.ParameterDict({field: nn.Parameter(torch.zeros(width)) for field, width in widths.items()})
        self.associated = nn.ParameterDict({field: square() for field in widths})
        self.masked = nn.ParameterDict({field: square() for field in widths})
        self.item, self.segment = square(), square()


class SelfSupervision(Task):
    """Every window once an epoch. Losses are means: over places and fields, over masks, over windows."""

    def __init__(
        self, name: str, recipe: Trained, cut: Cut, net: TransformerNet, weights: Weights, fields: tuple[Field, ...],
        mask: float, data: Dataset, run: Run, generator: torch.Generator,
    ) -> None:
        self.name, self.recipe, self.seed, self.mask, self.weights = name, recipe, run.seed, mask, weights
        self.labels = {field: labels(data.item_features, field, name) for field in fields} if any(
            (weights.associated, weights.attributes)) else {}
        self.net = net
        self.network: nn.Module = Heads(net, {field: found.shape[1] for field, found in self.labels.items()}, generator)
        self.heads = self.network
        self.log = data.log
        self.windows = windows(data.log, net.shape.length, cut, ahead=0)
        self.sampler = negatives.Sampler(np.bincount(data.log.items, minlength=data.n_items), 0.0)
        self.steps_an_epoch = self.windows.count(recipe.batch_size)

    def steps(self, epoch: int, start: int) -> Iterator[Step]:
        order = np.random.default_rng([self.seed, 0, epoch + 1, 1])
        for number, rows in steps(self.windows.batches(self.recipe.batch_size, order), start):
            yield Step(partial(self.loss, rows, epoch, number))

    def loss(self, rows: NDArray[np.int64], epoch: int, number: int) -> Tensor:
        rng = np.random.default_rng([self.seed, 0, epoch + 1, number + 2, processes.rank() + 1])
        mine = rows[processes.share(len(rows))]
        return self.joint(self.losses(self.windows.batch(mine), rng, rng)) * (len(mine) / max(1, len(rows)))

    def joint(self, parts: Mapping[str, Tensor]) -> Tensor:
        """The weighted sum of what `losses` gives."""
        total = torch.zeros(())
        for name, part in parts.items():
            total = total + getattr(self.weights, name) * part
        return total

    def monitored(self, what: Literal["segment", "joint"]) -> float:
        """A loss over the same windows, with the same parts hidden and nothing dropped out; 0 where there are none."""
        if not len(self.windows):
            return 0.0
        rng = np.random.Generator(np.random.PCG64([self.seed, 0, 0, 1]))  # the same draws each time
        rows = np.sort(rng.permutation(len(self.windows))[:LOOKED_AT])
        with torch.no_grad():
            parts = self.losses(self.windows.batch(rows), rng, None)
            return float(parts["segment"] if what == "segment" else self.joint(parts))

    def losses(self, batch: Batch, rng: np.random.Generator, drop: np.random.Generator | None) -> dict[str, Tensor]:
        """The loss of each task whose weight is above 0."""
        found: dict[str, Tensor] = {}
        if self.weights.associated or self.weights.item or self.weights.attributes:
            gone = hidden(batch, self.mask, 0.0, rng)
            flat = self._states(batch, gone, drop).reshape(-1, self.net.shape.dim)
            masks, others = (batch.real[torch.from_numpy(np.flatnonzero(some))] for some in (gone, ~gone))
            if self.weights.associated:
                found["associated"] = self._attributes(flat[others], batch.targets[~gone], self.heads.associated)
            if self.weights.attributes:
                found["attributes"] = self._attributes(flat[masks], batch.targets[gone], self.heads.masked)
            if self.weights.item:
                found["item"] = self._items(flat[masks], batch, gone, rng)
        if self.weights.segment:
            found["segment"] = self._segments(batch, rng, drop)
        return found

    def _states(self, batch: Batch, gone: NDArray[np.bool_], drop: np.random.Generator | None) -> Tensor:
        items = batch.items.clone()
        items.view(-1)[batch.real[torch.from_numpy(np.flatnonzero(gone))]] = self.net.shape.n_items
        return self.net.states(items, batch.lengths, drop)

    def _attributes(self, states: Tensor, items: NDArray[np.int64], turns: nn.ParameterDict) -> Tensor:
        total = torch.zeros(())
        for field, found in self.labels.items():
            turned, table = states @ turns[field], self.heads.tables[field]
            total = total + output_loss(turned, table, self.heads.biases[field], found[items], "logistic",
                                        max(1, len(items)) * len(table) * len(self.labels))
        return total

    def _items(self, states: Tensor, batch: Batch, gone: NDArray[np.bool_], rng: np.random.Generator) -> Tensor:
        drawn = negatives.unseen(self.sampler, self.log, batch.users[batch.owners[gone]], 1, rng)[:, 0]
        there = torch.from_numpy(drawn >= 0)
        turned, table = states @ self.heads.item, self.net.output
        right, wrong = table[torch.from_numpy(batch.targets[gone])], table[torch.from_numpy(np.maximum(drawn, 0))]
        lost = -logsigmoid((turned * (right - wrong)).sum(1))
        return (lost * there).sum() / max(1, len(drawn))

    def _segments(self, batch: Batch, rng: np.random.Generator, drop: np.random.Generator | None) -> Tensor:
        """A stretch of 1, ..., half of each window, against that of the window before it in the batch."""
        lengths = batch.lengths.numpy()
        size = 1 + (rng.random(len(lengths)) * np.maximum(1, lengths // 2)).astype(np.int64)
        first = (rng.random(len(lengths)) * (lengths - size + 1)).astype(np.int64)
        places = np.arange(len(batch.owners)) - (np.cumsum(lengths) - lengths)[batch.owners]
        inside = (places >= first[batch.owners]) & (places < (first + size)[batch.owners])
        rows = torch.arange(len(lengths))
        context = self._states(batch, inside, drop)[rows, batch.lengths - 1] @ self.heads.segment
        stretch = np.zeros((len(lengths), int(size.max())), np.int64)
        stretch[np.arange(stretch.shape[1]) < size[:, None]] = batch.targets[inside]
        own = self.net.states(torch.from_numpy(stretch), torch.from_numpy(size), drop)[rows, torch.from_numpy(size) - 1]
        others = batch.users != np.roll(batch.users, 1)
        lost = -logsigmoid((context * (own - own.roll(1, 0))).sum(1))
        return (lost * torch.from_numpy(others)).sum() / len(lengths)

    def scorer(self) -> MaskedTransformer:
        """Asked for the next item by a mask, though no task has asked that alone."""
        return MaskedTransformer(**self.net.arrays())


def labels(items: Features, field: Field, model: str) -> csr_array:
    """(I, A) float32, 1 where an item has an attribute. Raises DataError (`no-feature`) where no item has the field."""
    content.require(items, {field: 1.0}, model)
    found = content.block(items, field)
    return csr_array((np.ones_like(found.data), found.indices, found.indptr), shape=found.shape)
