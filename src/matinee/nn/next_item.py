"""The training of networks that say, at each place of a history, what comes next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated, Literal, Protocol, TypeVar, cast

import numpy as np
import torch
from annotated_types import Ge, Le
from numpy.typing import NDArray
from scipy.sparse import csr_array
from torch import Tensor, nn

from matinee.contract import Run, Scorer
from matinee.data.dataset import Dataset
from matinee.errors import ConfigError
from matinee.nn import negatives, processes
from matinee.nn.identity import training_key
from matinee.nn.item_starts import begin_items
from matinee.nn.losses import Sampled, sampled_loss
from matinee.nn.output import output_loss
from matinee.nn.recipe import Trained
from matinee.nn.train import Step, Task, train
from matinee.nn.windowed import Windowed
from matinee.nn.windows import Batch, steps, windows


@dataclass(frozen=True, kw_only=True)
class Sequential(Windowed):
    """What models share that read a history in its order and learn what comes next."""

    epochs: Annotated[int, Ge(1), Le(10_000)] = 100
    loss: Literal["cross_entropy"] | Sampled = "cross_entropy"
    """What is asked at each place: the next item among all of them, or against sampled ones."""
    negatives: Annotated[int, Ge(0), Le(100_000)] = 256
    """Sampled items, in losses other than `cross_entropy`; none that the user has. 0: where sessions train beside
    each other, and have the others' items."""
    shared: bool = True
    """Are negatives drawn once a step, and those left out that a user has; or for each place anew?"""
    alpha: Annotated[float, Ge(0), Le(1)] = 0.0
    """An item is drawn with a chance that goes with its events to the power of this; 0: all alike."""
    calibration: Annotated[float, Ge(0), Le(1)] = 0.75
    """`gbce`: 0 leaves binary cross-entropy as it is, 1 makes up for the negatives that were not drawn."""
    regularisation: Annotated[float, Ge(0), Le(100)] = 0.0
    """`bpr_max`: weight of the negatives' squared scores."""


Form = TypeVar("Form", bound=Scorer)


class NextNet(Protocol):
    """A network over batches of windows."""

    table: Tensor
    """(I or more, D) the items' vectors, which may begin elsewhere."""
    output_bias: Tensor

    @property
    def output(self) -> Tensor: ...

    def __call__(self, batch: Batch, rng: np.random.Generator | None) -> Tensor: ...

    def scorer(self) -> Scorer: ...


class NextItem(Task):
    """Every window once an epoch. A step's loss is divided by the mean number of targets a batch, not by its own: else
    an event would weigh more in a batch of short windows."""

    def __init__(
        self, name: str, recipe: Sequential, network: nn.Module, data: Dataset, run: Run,
        stretches: NDArray[np.int64] | None = None,
    ) -> None:
        """stretches: what windows are cut from in place of histories, see `windows`.

        Raises ConfigError where a sampled loss has nothing to be sampled.
        """
        if recipe.loss != "cross_entropy" and recipe.negatives == 0:
            raise ConfigError("no-negatives", f"loss {recipe.loss} without negatives", "draw some")
        self.name, self.recipe, self.network, self.seed = name, recipe, network, run.seed
        self.net = cast(NextNet, network)
        begin_items(self.net.table, recipe, data, run)
        self.windows = windows(data.log, recipe.length, recipe.windows, stretches=stretches)
        self.windows.tell_unread(run)
        self.steps_an_epoch = self.windows.count(recipe.batch_size)
        self.over = max(1.0, float(self.windows.lengths.sum()) / max(1, self.steps_an_epoch))
        self.log = data.log
        self.sampler = negatives.Sampler(np.bincount(data.log.items, minlength=data.n_items), recipe.alpha)

    def steps(self, epoch: int, start: int) -> Iterator[Step]:
        order = np.random.default_rng([self.seed, epoch + 1, 0, 0])
        for number, rows in steps(self.windows.batches(self.recipe.batch_size, order), start):
            yield Step(partial(self.loss, rows, epoch, number))

    def loss(self, rows: NDArray[np.int64], epoch: int, number: int) -> Tensor:
        rng = np.random.default_rng([self.seed, epoch + 1, number + 1, processes.rank()])
        batch = self.windows.batch(rows[processes.share(len(rows))])
        return self.of(batch, self.net(batch, rng), rng)

    def of(self, batch: Batch, hidden: Tensor, rng: np.random.Generator) -> Tensor:
        """hidden (N, D) -> the loss of a step."""
        table, bias = self.net.output, self.net.output_bias
        if self.recipe.loss == "cross_entropy":
            asked = csr_array((batch.weights, batch.targets, np.arange(len(batch.targets) + 1)),
                              shape=(len(batch.targets), len(table)))
            return output_loss(hidden, table, bias, asked, "multinomial", self.over, precision=self.recipe.precision)
        targets = torch.from_numpy(batch.targets)
        positive = (hidden * table[targets]).sum(1) + bias[targets]
        lost = self._sampled(batch, hidden, positive, targets, rng)
        return (lost * torch.from_numpy(batch.weights)).sum() / self.over

    def _sampled(
        self, batch: Batch, hidden: Tensor, positive: Tensor, targets: Tensor, rng: np.random.Generator
    ) -> Tensor:
        recipe, (table, bias) = self.recipe, (self.net.output, self.net.output_bias)
        log_q = torch.from_numpy(self.sampler.log_q)
        if recipe.shared:
            drawn = self.sampler.draw(recipe.negatives, rng)
            items = torch.from_numpy(drawn)
            negative = torch.addmm(bias[items], hidden, table[items].T)
            allowed = torch.from_numpy(negatives.shared_allowed(self.log, batch.users, drawn))[batch.owners]
        else:
            drawn = negatives.unseen(self.sampler, self.log, batch.users[batch.owners], recipe.negatives, rng)
            allowed = torch.from_numpy(drawn >= 0)  # who has everything has no negative
            items = torch.from_numpy(np.maximum(drawn, 0))
            negative = torch.einsum("nd,nkd->nk", hidden, table[items]) + bias[items]
        assert recipe.loss != "cross_entropy"
        return sampled_loss(recipe.loss, positive, negative, allowed, log_q=(log_q[targets], log_q[items]),
                            share=recipe.negatives / max(1, len(table) - 1), calibration=recipe.calibration,
                            regularisation=recipe.regularisation)

    def scorer(self) -> Scorer:
        return self.net.scorer()


def trained(task: Task, recipe: Trained, data: Dataset, run: Run, kind: type[Form]) -> Form:
    """Run the loop for a scorer of `kind`; its field `chosen` takes what validation found. Raises what `train` does."""

    def found(scorer: Scorer, epoch: int) -> Scorer:
        assert isinstance(scorer, kind)
        return replace(scorer, chosen={"stop_at": epoch})  # type: ignore[type-var]

    scorer = train(task, recipe, run, training_key(task.name, recipe, data, run), found)
    assert isinstance(scorer, kind)
    return scorer
