"""The training of an autoencoder that is asked for what it was shown: nothing is hidden from it, the code is narrow."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from torch import Tensor

from matinee.contract import Run, Scorer
from matinee.nn import processes
from matinee.nn.autoencoder import AutoencoderNet
from matinee.nn.output import output_loss
from matinee.nn.reconstruction import Squeezing
from matinee.nn.train import Step, Task


@dataclass(frozen=True, eq=False)
class Rows:
    """R rows over N columns that a network copies: histories over items, or items over users. Three matrices (R, N)
    with entries at the same places."""

    shown: csr_array
    """What the first layer sums."""
    wanted: csr_array
    """What the loss reads: confidences, or ratings."""
    confidence: csr_array


class Copying(Task):
    def __init__(
        self, name: str, recipe: Squeezing, net: AutoencoderNet, rows: Rows, loss: str, run: Run,
        worth: Callable[[AutoencoderNet], Scorer],
    ) -> None:
        """loss: as `output_loss` calls it; worth(net) is the scorer that the network is worth."""
        self.name, self.recipe, self.rows, self.loss, self.seed, self.worth = name, recipe, rows, loss, run.seed, worth
        self.network = self.net = net
        self.filled = np.flatnonzero(np.diff(rows.shown.indptr))
        self.steps_an_epoch = -(-len(self.filled) // recipe.batch_size)

    def steps(self, epoch: int, start: int) -> Iterator[Step]:
        order = np.random.default_rng([self.seed, epoch + 1]).permutation(self.filled)
        for number in range(start, self.steps_an_epoch):
            some = order[number * self.recipe.batch_size :][: self.recipe.batch_size]
            yield Step(lambda some=some: self._loss(some))  # type: ignore[misc]

    def _loss(self, some: NDArray[np.int64]) -> Tensor:
        over, some = len(some), some[processes.share(len(some))]
        hidden = self.net(self.rows.shown[some], None).hidden
        return output_loss(hidden, self.net.output, self.net.output_bias, self.rows.wanted[some], self.loss, over,
                           self.rows.confidence[some].data, self.recipe.precision)

    def scorer(self) -> Scorer:
        return self.worth(self.net)
