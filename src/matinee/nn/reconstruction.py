"""The training of an autoencoder: damage a history, and ask for the whole of it back."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Literal

import numpy as np
import torch
from annotated_types import Ge, Le, Lt
from numpy.typing import NDArray
from scipy.sparse import csr_array
from torch import Tensor

from matinee.contract import Run, Scorer
from matinee.data import content
from matinee.data.columns import Features
from matinee.data.dataset import Dataset
from matinee.nn import processes
from matinee.nn.autoencoder import AutoencoderNet, Layout, Pass, seeded
from matinee.nn.output import output_loss
from matinee.nn.recipe import Trained
from matinee.nn.train import Step, Task, train
from matinee.scoring.autoencoder import Autoencoder, inputs

Pull = Callable[[NDArray[np.float32], float], NDArray[np.float32]]
"""((B,) the weight of what is observed of each user, the share of all updates that is done) -> (B,) what the distance
of a user's code from the standard normal distribution weighs."""


@dataclass(frozen=True, kw_only=True)
class Squeezing(Trained):
    """What all autoencoders share."""

    family: ClassVar[str] = "autoencoder"
    weighs_history: ClassVar[bool] = False

    dim: Annotated[int, Ge(1), Le(8192)] = 200
    """Length of the code that a history is squeezed into."""
    hidden: tuple[Annotated[int, Ge(1), Le(8192)], ...] = ()
    """Widths of the layers between the history and the code; the layers after the code mirror them."""
    activation: Literal["tanh", "sigmoid", "relu", "swish"] = "tanh"
    """What the layers between put their sums through."""

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

    likelihood: Literal["multinomial", "logistic", "squared"] = "multinomial"
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


class Reconstruction(Task):
    def __init__(
        self, name: str, recipe: Autoencoding, net: AutoencoderNet, train: Dataset, run: Run,
        pull: Pull | None = None,
    ) -> None:
        self.name, self.recipe, self.seed, self.pull = name, recipe, run.seed, pull
        self.network = self.net = net
        attributes = recipe.attributes(train.item_features, name)
        if attributes.shape[1]:
            net.know(attributes)
        self.observed = train.log.matrix()
        self.inputs = inputs(self.observed, net.layout.scale)
        self.users = np.flatnonzero(np.diff(self.observed.indptr))
        self.steps_an_epoch = -(-len(self.users) // recipe.batch_size)

    def steps(self, epoch: int, start: int) -> Iterator[Step]:
        order = np.random.default_rng([self.seed, epoch]).permutation(self.users)
        for number in range(start, self.steps_an_epoch):
            rows = order[number * self.recipe.batch_size :][: self.recipe.batch_size]
            yield Step(lambda rows=rows, number=number: self._loss(rows, epoch, number))  # type: ignore[misc]

    def _loss(self, rows: NDArray[np.int64], epoch: int, number: int) -> Tensor:
        over, rows = len(rows), rows[processes.share(len(rows))]
        words = (self.seed, epoch, number, processes.rank())
        damaged = self.damaged(self.inputs[rows], np.random.default_rng(words))
        passed = self.net(damaged, seeded(*words))
        observed = self.observed[rows]
        loss = output_loss(passed.hidden, self.net.output, self.net.output_bias, observed, self.recipe.likelihood, over)
        if self.pull is not None:
            done = (epoch + number / self.steps_an_epoch) / self.recipe.epochs
            weights = self.pull(np.asarray(observed.sum(axis=1), np.float32), done)
            loss = loss + (torch.from_numpy(weights) * from_standard_normal(passed)).sum() / over
        return loss

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


def training_key(name: str, recipe: Trained, data: Dataset, run: Run) -> str:
    """Names what the bits of a training hang on."""
    words = [name, dataclasses.asdict(recipe), data.hash, run.seed, run.stop_at, processes.count(), torch.__version__]
    return hashlib.sha256(json.dumps(words, sort_keys=True).encode()).hexdigest()
