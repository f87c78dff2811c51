"""The training of models that score a user with an item: the log's pairs against drawn ones that the user has not.

With r the score of a pair of the log and r_j those of its k negatives, a pair's loss is

    bce   -(ln sigma(r) + sum_j ln(1 - sigma(r_j))) / (1 + k)
    bpr   -mean_j ln sigma(r - r_j)                              (Rendle et al., UAI 2009)
    mae   ((1 - sigma(r)) + sum_j sigma(r_j)) / (1 + k)

times the pair's confidence. A step takes some users with all of their pairs, so that what is known of a user is made
once for all of them, and a step's loss is divided by the mean confidence a step, not by its own.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated, ClassVar, Literal, NamedTuple, TypeVar

import numpy as np
import torch
from annotated_types import Ge, Gt, Le, Lt
from numpy.typing import NDArray
from torch import Tensor, nn

from matinee.contract import Run, Scorer
from matinee.data.dataset import Dataset
from matinee.features.encoding import NumbersAs
from matinee.nn import negatives, processes
from matinee.nn.identity import training_key
from matinee.nn.losses import sampled_loss
from matinee.nn.recipe import Trained
from matinee.nn.train import Step, Task, train

PairLoss = Literal["bce", "bpr", "mae"]


@dataclass(frozen=True, kw_only=True)
class OfFeatures(Trained):
    """What models share that read features of users and items and learn from drawn pairs."""

    family: ClassVar[str] = "features"
    honours_features: ClassVar[bool] = True
    weighs_history: ClassVar[bool] = False

    epochs: Annotated[int, Ge(1), Le(10_000)] = 40
    """Passes over all pairs of the log, at most; schedules run over all of them, whenever training stops."""
    batch_size: Annotated[int, Ge(1), Le(100_000)] = 64
    """Users a step, each with all of his pairs."""
    lr: Annotated[float, Gt(0), Le(10)] = 1e-2
    """Length of Adam's steps (Kingma and Ba, ICLR 2015)."""
    weight_decay: Annotated[float, Ge(0), Le(10)] = 0.3
    """Shrinks all weights by lr x this a step, apart from the loss (Loshchilov and Hutter, ICLR 2019)."""
    loss: PairLoss = "bce"
    """What is asked: each pair's probability (`bce`), the order of a pair of the log before a drawn one (`bpr`), or
    each pair's label, by its distance from the probability (`mae`)."""
    negatives: Annotated[int, Ge(1), Le(1000)] = 4
    """Drawn items for each pair of the log; none that the user has."""
    alpha: Annotated[float, Ge(0), Le(1)] = 0.25
    """An item is drawn with a chance that goes with its events to the power of this; 0: all alike."""
    ids: Literal["both", "items", "users", "neither"] = "both"
    """Who has a vector of his own, beside those of his features."""
    id_dropout: Annotated[float, Ge(0), Lt(1)] = 0.5
    """Share of users whose own vector is hidden in a step: of somebody new the rest must tell all."""
    history: bool = True
    """Do the items of a history make up a field of the user, as in figure 1 of Rendle's paper?"""
    numbers: NumbersAs = "buckets"
    """What a number is to the model: the bucket that it lies in, of about equally many rows, or how many standard
    deviations it lies above the mean."""
    buckets: Annotated[int, Ge(2), Le(1000)] = 10
    """Buckets of a number; fewer where it has fewer values."""


@dataclass(frozen=True, kw_only=True)
class OfPairs(OfFeatures):
    """What models share that look at a user and an item together: alone over a catalogue, or over what others find."""

    reads_pairs: ClassVar[bool] = True
    reranks: ClassVar[bool] = True

    taught_by: Literal["log", "candidates"] = "log"
    """What it learns from: pairs of the `log` against drawn items; or, as a second stage and nothing else, hidden
    `candidates` against others of the user, and what the first stage says of each is read as well;
    `negatives` are of these then, all alike."""
    hard: Annotated[float, Ge(0), Le(1)] = 0.0
    """Taught by the log: share of the drawn items that are candidates of the user, which a first stage found for him
    and he has not: the mistakes that are to be told apart. Without `candidates` there are none."""

    @property
    def learns_candidates(self) -> bool:
        return self.taught_by == "candidates"

    @property
    def wants_candidates(self) -> bool:
        return self.hard > 0 and not self.learns_candidates

    def told(self, train: Dataset) -> int:
        """Numbers that a first stage says of a pair."""
        return 2 * len(train.candidates.sources) if self.learns_candidates and train.candidates else 0


class Pairs(NamedTuple):
    """A step's pairs: P that are right, of b users, each with k drawn items."""

    users: NDArray[np.int64]  # (b,) rows of the log, ascending
    owners: NDArray[np.int32]  # (P,) positions in `users`
    items: NDArray[np.int32]  # (P, 1 + k) the pair's own item first
    hidden: NDArray[np.bool_]  # (b,) whose own vector is not to be read
    told: NDArray[np.float32] | None = None
    """(P, 1 + k, S) what a first stage says of each, of whom the log has none then; None: the log has what is right."""


class Asked(NamedTuple):
    """What a step learns from."""

    pairs: Pairs
    allowed: NDArray[np.bool_]  # (P, k) false where there was nothing to draw
    weights: NDArray[np.float32]  # (P,)


class PairNet(ABC, nn.Module):
    """A network that scores pairs."""

    @abstractmethod
    def scores(self, pairs: Pairs, rng: np.random.Generator) -> Tensor:
        """(P, 1 + k); rng: of what is drawn to train with, such as what dropout leaves out."""

    @abstractmethod
    def scorer(self) -> Scorer:
        """What it is worth now; shares no memory with it."""


class DrawnPairs(Task):
    """Every user once an epoch, in a new order."""

    def __init__(self, name: str, recipe: OfFeatures, network: PairNet, data: Dataset, run: Run) -> None:
        self.name, self.recipe, self.network, self.net, self.seed = name, recipe, network, network, run.seed
        self.log, self.observed = data.log, data.log.matrix()
        self.users = np.flatnonzero(np.diff(self.observed.indptr))
        self.steps_an_epoch = -(-len(self.users) // recipe.batch_size)
        self.over = max(float(self.observed.data.sum(dtype=np.float64)), 1e-30) / max(1, self.steps_an_epoch)
        self.sampler = negatives.Sampler(np.bincount(self.observed.indices, minlength=data.n_items), recipe.alpha)
        self.hard = recipe.hard if isinstance(recipe, OfPairs) else 0.0
        self.candidates = data.candidates

    def steps(self, epoch: int, start: int) -> Iterator[Step]:
        size = self.recipe.batch_size
        order = np.random.default_rng([self.seed, epoch + 1, 0, 0]).permutation(self.users)
        for number in range(start, self.steps_an_epoch):
            yield Step(partial(self.loss, order[number * size :][:size], epoch, number))

    def loss(self, rows: NDArray[np.int64], epoch: int, number: int) -> Tensor:
        rng = np.random.default_rng([self.seed, epoch + 1, number + 1, processes.rank()])
        users = np.sort(rows[processes.share(len(rows))])
        asked = self.asked(users, rng)
        losses = pair_loss(self.recipe.loss, self.net.scores(asked.pairs, rng), torch.from_numpy(asked.allowed))
        return (losses * torch.from_numpy(asked.weights)).sum() / self.over

    def asked(self, users: NDArray[np.int64], rng: np.random.Generator) -> Asked:
        """users (b,) rows of the log, ascending"""
        mine = self.observed[users]
        owners = np.repeat(np.arange(len(users), dtype=np.int32), np.diff(mine.indptr))
        drawn = self.drawn(users[owners], rng)
        items = np.concatenate([mine.indices[:, None], np.maximum(drawn, 0)], axis=1).astype(np.int32)
        hidden = rng.random(len(users)) < self.recipe.id_dropout
        return Asked(Pairs(users, owners, items, hidden), drawn >= 0, mine.data)

    def drawn(self, users: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
        """users (P,) -> (P, k) items that they have not; -1 where there is none."""
        drawn = negatives.unseen(self.sampler, self.log, users, self.recipe.negatives, rng)
        if self.hard and self.candidates is not None:
            found = negatives.of_candidates(self.candidates, users, self.recipe.negatives, rng)
            drawn = np.where((rng.random(drawn.shape) < self.hard) & (found >= 0), found, drawn)
        return drawn

    def scorer(self) -> Scorer:
        return self.net.scorer()


def pair_loss(kind: PairLoss, scores: Tensor, allowed: Tensor) -> Tensor:
    """scores (P, 1 + k), allowed (P, k) false where a negative is none -> (P,); 0 where a row has no negative."""
    positive, negative = scores[:, 0], scores[:, 1:]
    if kind != "mae":
        return sampled_loss(kind, positive, negative, allowed)
    wrong = torch.where(allowed, torch.sigmoid(negative), 0).sum(1) + torch.sigmoid(-positive)
    return torch.where(allowed.any(1), wrong / (1 + allowed.sum(1)), 0)


Form = TypeVar("Form", bound=Scorer)


def trained(task: DrawnPairs, data: Dataset, run: Run, kind: type[Form]) -> Form:
    """Run the loop for a scorer of `kind`; its field `chosen` takes what validation found. Raises what `train` does."""

    def found(scorer: Scorer, epoch: int) -> Scorer:
        assert isinstance(scorer, kind)
        return replace(scorer, chosen={"stop_at": epoch})  # type: ignore[type-var]

    scorer = train(task, task.recipe, run, training_key(task.name, task.recipe, data, run), found)
    assert isinstance(scorer, kind)
    return scorer
