"""Training on pairs that have labels: what somebody liked and what he did not, nothing drawn.

    min  -mean over pairs of (y ln sigma(r) + (1 - y) ln(1 - sigma(r)))

What click-through rates are learnt by; for lists, where most of a catalogue has no label, see `drawn_pairs.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from matinee.contract import Run, Scorer
from matinee.data.dataset import Dataset
from matinee.nn import processes
from matinee.nn.drawn_pairs import OfFeatures, PairNet, Pairs
from matinee.nn.identity import training_key
from matinee.nn.train import Step, Task, train


@dataclass(frozen=True, eq=False)
class Labelled:
    """N pairs."""

    users: NDArray[np.int64]  # (N,) rows of the log
    items: NDArray[np.int32]  # (N,)
    labels: NDArray[np.float32]  # (N,) 0 or 1, or between

    def __len__(self) -> int:
        return len(self.labels)


class LabelledPairs(Task):
    """Every pair once an epoch, in a new order; a step takes `batch_size` pairs."""

    def __init__(self, name: str, recipe: OfFeatures, net: PairNet, pairs: Labelled, seed: int) -> None:
        self.name, self.recipe, self.network, self.net, self.pairs, self.seed = name, recipe, net, net, pairs, seed
        self.steps_an_epoch = -(-len(pairs) // recipe.batch_size)

    def steps(self, epoch: int, start: int) -> Iterator[Step]:
        size = self.recipe.batch_size
        order = np.random.default_rng([self.seed, epoch + 1, 0, 0]).permutation(len(self.pairs))
        for number in range(start, self.steps_an_epoch):
            yield Step(partial(self.loss, order[number * size :][:size], epoch, number))

    def loss(self, batch: NDArray[np.int64], epoch: int, number: int) -> Tensor:
        rng = np.random.default_rng([self.seed, epoch + 1, number + 1, processes.rank()])
        rows = batch[processes.share(len(batch))]
        rows = rows[np.argsort(self.pairs.users[rows], kind="stable")]
        users, owners = np.unique(self.pairs.users[rows], return_inverse=True)
        asked = Pairs(users, owners.astype(np.int32), self.pairs.items[rows][:, None], np.zeros(len(users), np.bool_))
        scores = self.net.scores(asked, rng)[:, 0]
        labels = torch.from_numpy(self.pairs.labels[rows])
        return binary_cross_entropy_with_logits(scores, labels, reduction="sum") / len(batch)

    def scorer(self) -> Scorer:
        return self.net.scorer()


def fit_labelled(
    name: str, recipe: OfFeatures, net: PairNet, pairs: Labelled, data: Dataset, run: Run = Run()
) -> tuple[Scorer, int]:
    """The scorer of the best validated epoch, and which that was. `data` is what the network's fields were made of.

    Raises what `nn.train.train` does.
    """
    best: list[int] = []

    def found(scorer: Scorer, epoch: int) -> Scorer:
        best.append(epoch)
        return scorer

    scorer = train(LabelledPairs(name, recipe, net, pairs, run.seed), recipe, run,
                   training_key(name, recipe, data, run), found)
    return scorer, best[0] if best else recipe.epochs
