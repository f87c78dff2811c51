"""The training of an autoencoder: damage a history, and ask for the whole of it back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated, ClassVar, Literal

import numpy as np
import torch
from annotated_types import Ge, Gt, Le, Lt
from numpy.typing import NDArray
from scipy.sparse import csr_array
from torch import Tensor, nn

from matinee.contract import Run, Scorer
from matinee.data import content
from matinee.data.columns import Features
from matinee.data.dataset import Dataset
from matinee.nn import processes
from matinee.nn.autoencoder import AutoencoderNet, Layout, Pass, seeded
from matinee.nn.identity import training_key
from matinee.nn.output import Likelihood, Precision, output_loss
from matinee.nn.recipe import Trained
from matinee.nn.train import Step, Task, train
from matinee.scoring.autoencoder import Autoencoder, inputs

Pull = Callable[[NDArray[np.float32], float], NDArray[np.float32]]
"""((B,) the weight of what is observed of each user, the share of all updates that is done) -> (B,) what the distance
of a user's code from where it should be weighs."""


@dataclass(frozen=True, kw_only=True)
class Squeezing(Trained):
    """What all autoencoders share."""

    family: ClassVar[str] = "autoencoder"
    weighs_history: ClassVar[bool] = False

    epochs: Annotated[int, Ge(1), Le(10_000)] = 60
    lr: Annotated[float, Gt(0), Le(10)] = 3e-3
    dim: Annotated[int, Ge(1), Le(8192)] = 200
    """Length of the code that a history is squeezed into."""
    hidden: tuple[Annotated[int, Ge(1), Le(8192)], ...] = ()
    """Widths of the layers between the history and the code; the layers after the code mirror them."""
    activation: Literal["tanh", "sigmoid", "relu", "swish"] = "tanh"
    """What the layers between put their sums through."""
    precision: Precision = "float32"
    """Of the numbers that training multiplies in the last layer, the dear one: short ones take half the time where the
    processor has AVX512-BF16 or AMX, and longer where it has not. Sums and all that is kept are float32."""

    def layout(self, n_items: int, *, variational: bool, scale: str) -> Layout:
        """The history, `hidden`, the code, and `hidden` the other way round."""
        widths = (*self.hidden, self.dim, *reversed(self.hidden))
        activations: list[str] = [self.activation] * len(widths)
        if variational or self.hidden:
            activations[len(self.hidden)] = "none"
        return Layout(n_items, widths, tuple(activations), len(self.hidden), variational, scale=scale)


@dataclass(frozen=True, kw_only=True)
class Autoencoding(Squeezing):
    """What those share that hide a part of a history and ask for the whole of it."""

    likelihood: Likelihood = "multinomial"
    """What is asked of the reconstruction: a distribution over the items of one user, for which they compete; for each
    item by itself a probability; or the squared error."""
    dropout: Annotated[float, Ge(0), Lt(1)] = 0.5
    """Share of a history that is hidden from the network in a step."""
    dropout_spread: Annotated[float, Ge(0), Lt(1)] = 0.0
    """How far a user's share may lie from `dropout` in a step, drawn evenly: histories of all sizes are seen."""
    noise: Annotated[float, Ge(0), Le(10)] = 0.0
    """Standard deviation of normal noise on what is left of a history, as a multiple of it."""
    genre: Annotated[float, Ge(0), Le(100)] = 0.0
    """How much genres count in the first layer: each has a vector, learnt, which is added to those of its items. A
    hidden item hides its genres. 0: not at all."""
    director: Annotated[float, Ge(0), Le(100)] = 0.0
    """How much directors count, likewise."""
    writer: Annotated[float, Ge(0), Le(100)] = 0.0
    """How much writers count, likewise."""

    def attributes(self, items: Features, model: str) -> csr_array:
        """(I, F) what the items have, weighted. Raises DataError (`no-feature`) where no item has what is asked for."""
        weights = {"genre": self.genre, "director": self.director, "writer": self.writer}
        content.require(items, weights, model)
        return content.side_by_side(items, weights)


@dataclass(frozen=True, kw_only=True)
class Variational(Autoencoding):
    """What those share whose code is drawn from a distribution that is held near to the standard normal one."""

    epochs: Annotated[int, Ge(1), Le(10_000)] = 100
    beta: Annotated[float, Ge(0), Le(10)] = 0.2
    """The most that the distance to the normal distribution weighs."""
    anneal: Annotated[float, Ge(0), Le(1)] = 0.2
    """Share of all updates over which that weight rises from 0; 0: it is there from the start."""

    def pull(self, mass: NDArray[np.float32], done: float) -> NDArray[np.float32]:
        """A `Pull`: the same for all users."""
        risen = min(1.0, done / self.anneal) if self.anneal else 1.0
        return np.full(len(mass), self.beta * risen, np.float32)


class Reconstruction(Task):
    def __init__(
        self, name: str, recipe: Autoencoding, net: AutoencoderNet, train: Dataset, run: Run,
        pull: Pull | None = None,
    ) -> None:
        self.name, self.recipe, self.seed, self.pull = name, recipe, run.seed, pull
        self.network: nn.Module = net
        self.net = net
        attributes = recipe.attributes(train.item_features, name)
        if attributes.shape[1]:
            net.know(attributes)
        self.observed = train.log.matrix()
        self.mass = np.asarray(self.observed.sum(axis=1), np.float32)  # (U,)
        self.inputs = inputs(self.observed, net.layout.scale)
        self.users = np.flatnonzero(np.diff(self.observed.indptr))
        self.steps_a_pass = self.steps_an_epoch = -(-len(self.users) // recipe.batch_size)

    def steps(self, epoch: int, start: int) -> Iterator[Step]:
        for number, rows in self.batches(epoch, 0, start):
            yield Step(partial(self.loss, rows, epoch, number))

    def batches(self, epoch: int, number_of_pass: int, start: int) -> Iterator[tuple[int, NDArray[np.int64]]]:
        """The users of each batch of a pass over all who have a history, in a new order, from number `start` on."""
        order = np.random.default_rng([self.seed, epoch + 1, 0, number_of_pass]).permutation(self.users)
        for number in range(start, self.steps_a_pass):
            yield number, order[number * self.recipe.batch_size :][: self.recipe.batch_size]

    def drawn(
        self, rows: NDArray[np.int64], epoch: int, number: int
    ) -> tuple[NDArray[np.int64], int, np.random.Generator, torch.Generator]:
        """This process's users, how many there are for all of them, and what a step may draw from.

        Numbers count from 1: trailing zeros make no other generator, and 0 is the order of the users.
        """
        words = (self.seed, epoch + 1, number + 1, processes.rank())
        return rows[processes.share(len(rows))], len(rows), np.random.default_rng(words), seeded(*words)

    def loss(self, rows: NDArray[np.int64], epoch: int, number: int) -> Tensor:
        mine, over, rng, generator = self.drawn(rows, epoch, number)
        passed = self.passed(self.damaged(self.inputs[mine], rng), mine, generator)
        loss = self.unlikelihood(passed, (self.net.output, self.net.output_bias), mine, over)
        return loss if self.pull is None else loss + self.pulled(passed, mine, over, epoch, number)

    def unlikelihood(self, passed: Pass, output: tuple[Tensor, Tensor], rows: NDArray[np.int64], over: int) -> Tensor:
        """Of the whole histories of `rows`, a mean over `over` users."""
        return output_loss(passed.hidden, *output, self.observed[rows], self.recipe.likelihood, over,
                           precision=self.recipe.precision)

    def pulled(self, passed: Pass, rows: NDArray[np.int64], over: int, epoch: int, number: int) -> Tensor:
        """How far codes are from where they should be, as much as `pull` says, a mean over `over` users."""
        assert self.pull is not None
        done = (epoch + number / self.steps_an_epoch) / self.recipe.epochs
        weights = self.pull(self.mass[rows], done)
        return (torch.from_numpy(weights) * self.distance(passed, rows)).sum() / over

    def distance(self, passed: Pass, rows: NDArray[np.int64]) -> Tensor:
        """(B,) of each code from where it should be."""
        return from_standard_normal(passed)

    def passed(self, damaged: csr_array, rows: NDArray[np.int64], generator: torch.Generator) -> Pass:
        """What the network makes of these users' damaged histories."""
        found: Pass = self.net(damaged, generator)
        return found

    def damaged(self, whole: csr_array, rng: np.random.Generator) -> csr_array:
        """`whole` (B, I) with some entries gone, the others grown by as much, and noise on them."""
        recipe, lengths = self.recipe, np.diff(whole.indptr)
        rates = np.full(len(lengths), recipe.dropout, np.float32)
        if recipe.dropout_spread:
            rates += np.float32(recipe.dropout_spread) * (2 * rng.random(len(lengths), np.float32) - 1)
            rates = np.clip(rates, 0, 0.99)
        of_entry = np.repeat(rates, lengths)
        kept = rng.random(len(of_entry), np.float32) >= of_entry
        data = (whole.data / (1 - of_entry))[kept]
        if recipe.noise:
            data *= 1 + np.float32(recipe.noise) * rng.standard_normal(len(data), np.float32)
        ends = np.zeros(len(kept) + 1, np.int64)
        np.cumsum(kept, out=ends[1:])
        return csr_array((data, whole.indices[kept], ends[whole.indptr].astype(np.int32)), shape=whole.shape)

    def scorer(self) -> Autoencoder:
        return self.net.scorer()


def from_standard_normal(passed: Pass) -> Tensor:
    """(B,) the Kullback-Leibler divergence of each code's distribution from N(0, 1)."""
    mean, log_variance = passed.mean, passed.log_variance
    assert log_variance is not None
    return -0.5 * (1 + log_variance - mean.square() - log_variance.exp()).sum(1)


def trained(task: Reconstruction, recipe: Autoencoding, data: Dataset, run: Run) -> Autoencoder:
    """Run the loop. Raises what `train` does."""

    def found(scorer: Scorer, epoch: int) -> Scorer:
        assert isinstance(scorer, Autoencoder)
        return replace(scorer, chosen={"stop_at": epoch})

    scorer = train(task, recipe, run, training_key(task.name, recipe, data, run), found)
    assert isinstance(scorer, Autoencoder)
    return scorer
