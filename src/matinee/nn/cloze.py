"""The training of networks that find what was hidden in a history, from what stands before it and after it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Literal

import numpy as np
import torch
from annotated_types import Ge, Gt, Le, Lt
from numpy.typing import NDArray
from scipy.sparse import csr_array
from torch import Tensor, nn

from matinee.contract import Run
from matinee.data.dataset import Dataset
from matinee.nn import processes
from matinee.nn.item_starts import begin_items
from matinee.nn.output import output_loss
from matinee.nn.train import Step, Task
from matinee.nn.transformer import TransformerNet
from matinee.nn.windowed import Windowed
from matinee.nn.windows import Batch, steps, windows
from matinee.scoring.masked import Asked, MaskedTransformer
from matinee.scoring.place_votes import PlaceVotes


@dataclass(frozen=True, kw_only=True)
class Cloze(Windowed):
    """What models share that learn from gaps."""

    epochs: Annotated[int, Ge(1), Le(10_000)] = 200
    patience: Annotated[int, Ge(1), Le(10_000)] = 20
    length: Annotated[int, Ge(2), Le(10_000)] = 200
    """So many places are read: the newest events, and the masks among them."""
    mask: Annotated[float, Gt(0), Lt(1)] = 0.2
    """Share of the events of a window that is hidden in a step; one at least."""
    newest: Annotated[float, Ge(0), Le(1)] = 0.1
    """Share of the windows in which the newest event alone is hidden instead, as when the next item is asked for."""
    asked: Asked | Literal["top10_per_five"] = "end"
    """Where an item is looked for: after the newest event; in `masks` places, half of them there and half evenly in
    between, for what is missing; at the places of the events themselves, with nothing hidden; or there at every fifth,
    whose ten best are votes."""
    masks: Annotated[int, Ge(1), Le(100)] = 8
    """`gaps`: how many."""


class Gaps(Task):
    """Every window once an epoch, with some of its events hidden; a step's loss is divided by how many are hidden in a
    batch on average."""

    def __init__(self, name: str, recipe: Cloze, network: TransformerNet, data: Dataset, run: Run) -> None:
        self.name, self.recipe, self.seed = name, recipe, run.seed
        self.network: nn.Module = network
        self.net = network
        begin_items(network.table, recipe, data, run)
        self.windows = windows(data.log, recipe.length, recipe.windows, ahead=0)
        self.windows.tell_unread(run)
        self.steps_an_epoch = self.windows.count(recipe.batch_size)
        hidden = float(np.maximum(recipe.mask * self.windows.lengths, 1).sum()) * (1 - recipe.newest)
        self.over = max(1.0, (hidden + recipe.newest * len(self.windows)) / max(1, self.steps_an_epoch))

    def steps(self, epoch: int, start: int) -> Iterator[Step]:
        order = np.random.default_rng([self.seed, epoch + 1, 0, 0])
        for number, rows in steps(self.windows.batches(self.recipe.batch_size, order), start):
            yield Step(partial(self.loss, rows, epoch, number))

    def loss(self, rows: NDArray[np.int64], epoch: int, number: int) -> Tensor:
        rng = np.random.default_rng([self.seed, epoch + 1, number + 1, processes.rank()])
        batch = self.windows.batch(rows[processes.share(len(rows))])
        gone = hidden(batch, self.recipe.mask, self.recipe.newest, rng)
        places = batch.real[torch.from_numpy(np.flatnonzero(gone))]
        items = batch.items.clone()
        items.view(-1)[places] = self.net.shape.n_items
        states = self.net.at(self.net.states(items, batch.lengths, rng), places)
        targets = csr_array((batch.weights[gone], batch.targets[gone], np.arange(int(gone.sum()) + 1)),
                            shape=(int(gone.sum()), self.net.shape.n_items))
        return output_loss(states, self.net.output, self.net.output_bias, targets, "multinomial", self.over,
                           precision=self.recipe.precision)

    def scorer(self) -> MaskedTransformer | PlaceVotes:
        if self.recipe.asked == "top10_per_five":
            return PlaceVotes(MaskedTransformer(**self.net.arrays(), asked="places"))
        return MaskedTransformer(**self.net.arrays(), asked=self.recipe.asked, masks=self.recipe.masks)


def hidden(batch: Batch, share: float, newest: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """(N,) which real places are hidden: a share of a window's, one at least; or, in some windows, the newest alone."""
    n, owners = len(batch.users), batch.owners
    ends = np.cumsum(np.bincount(owners, minlength=n)) - 1
    drawn = rng.random(len(owners))
    gone = drawn < share
    least = np.minimum.reduceat(drawn, np.append(0, ends[:-1] + 1)) if n else drawn
    gone |= drawn == least[owners]
    alone = rng.random(n) < newest
    gone[alone[owners]] = False
    gone[ends[alone]] = True
    return gone
