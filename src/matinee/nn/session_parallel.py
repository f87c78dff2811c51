"""Training by sessions side by side: lanes of events, a state carried along each, and the other lanes as negatives.

Hidasi, Karatzoglou, Baltrunas, Tikk, Session-based Recommendations with Recurrent Neural Networks, ICLR 2016; with
further negatives as in Hidasi, Karatzoglou, Recurrent Neural Networks with Top-k Gains, CIKM 2018.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array
from torch import Tensor, nn

from matinee.contract import Run, Scorer
from matinee.data.dataset import Dataset
from matinee.errors import ConfigError
from matinee.nn import processes
from matinee.nn.item_starts import begin_items
from matinee.nn.losses import sampled_loss
from matinee.nn.negatives import Sampler
from matinee.nn.next_item import Sequential
from matinee.nn.output import output_loss
from matinee.nn.recurrent import RecurrentNet
from matinee.nn.train import Step, Task
from matinee.numerics.membership import has


class SessionParallel(Task):
    """A step takes one event of each lane, and the state is carried to the next step as a number: gradients end there.

    All sessions, in a new order each epoch, make one line of pairs of an event and the next, cut into lanes of the same
    length. A state is zeros where a session begins, and where a lane does. Several processes share the losses of a
    step; each carries all states.
    """

    def __init__(
        self, name: str, recipe: Sequential, network: RecurrentNet, data: Dataset, run: Run,
        stretches: NDArray[np.int64] | None = None,
    ) -> None:
        """stretches (S + 1,): session s is the events stretches[s], ..., stretches[s + 1] - 1 of the log; None: each
        history is a session. Raises ConfigError where nothing is a negative."""
        self.name, self.recipe, self.seed, self.net = name, recipe, run.seed, network
        self.network: nn.Module = network
        begin_items(network.table, recipe, data, run)
        self.log, self.users, self.owned = data.log, data.log.users, data.log.matrix()
        sessions = data.log.indptr if stretches is None else stretches
        kept = np.diff(sessions) > 1
        self.first, self.pairs = sessions[:-1][kept], np.diff(sessions)[kept] - 1
        total = int(self.pairs.sum())
        self.lanes = max(1, min(recipe.batch_size, total))
        if recipe.loss != "cross_entropy" and self.lanes - 1 + recipe.negatives == 0:
            raise ConfigError("no-negatives", f"loss {recipe.loss} in one lane without negatives", "widen the batch")
        self.steps_an_epoch = -(-total // self.lanes)
        counts = np.bincount(data.log.items, minlength=data.n_items)
        self.sampler = Sampler(counts, recipe.alpha)
        beside = Sampler(counts, 1.0).share * (self.lanes - 1)
        with np.errstate(divide="ignore"):
            self.log_q = torch.from_numpy(np.log(beside + recipe.negatives * self.sampler.share).astype(np.float32))
        network.register_buffer("carried", torch.zeros(network.shape.layers, self.lanes, network.shape.width))

    def steps(self, epoch: int, start: int) -> Iterator[Step]:
        events, begins = self.line(np.random.default_rng([self.seed, epoch + 1, 0, 0]))
        for number in range(start, self.steps_an_epoch):
            yield Step(partial(self.loss, events[number], begins[number], epoch, number))

    def line(self, rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """(steps, lanes) the event that a lane reads in a step, -1 after its end, and whether its state is zeros."""
        order = rng.permutation(len(self.first))
        lengths = self.pairs[order]
        ends = np.cumsum(lengths)
        shape = self.lanes, self.steps_an_epoch
        events, begins = np.full(shape, -1), np.zeros(shape, bool)
        if len(ends):
            starts = ends - lengths
            events.reshape(-1)[: ends[-1]] = np.arange(ends[-1]) + np.repeat(self.first[order] - starts, lengths)
            begins.reshape(-1)[starts] = True
            begins[:, 0] = True
        return np.ascontiguousarray(events.T), np.ascontiguousarray(begins.T)

    def loss(self, events: NDArray[np.int64], begins: NDArray[np.bool_], epoch: int, number: int) -> Tensor:
        rng = np.random.default_rng([self.seed, epoch + 1, number + 1])  # the same in all processes: so are the states
        carried: Tensor = self.net.carried  # type: ignore[assignment]
        before = torch.where(torch.from_numpy(begins)[None, :, None], 0, carried)
        there = np.flatnonzero(events >= 0)
        items = np.zeros(len(events), np.int64)
        items[there] = self.log.items[events[there]]
        hidden, after = self.net.advance(torch.from_numpy(items), before, rng)
        carried.copy_(after.detach())
        mine = there[processes.share(len(there))]
        return self.lost(hidden[torch.from_numpy(mine)], events[mine], self.log.items[events[there] + 1], rng)

    def lost(
        self, hidden: Tensor, events: NDArray[np.int64], beside: NDArray[np.int32], rng: np.random.Generator
    ) -> Tensor:
        """hidden (N, D) after `events` (N,); the next items of all lanes (B,) -> the sum of losses over the lanes."""
        recipe, (table, bias) = self.recipe, (self.net.output, self.net.output_bias)
        asked, weights = self.log.items[events + 1].astype(np.int64), self.log.values[events + 1]
        if recipe.loss == "cross_entropy":
            observed = csr_array((weights, asked, np.arange(len(asked) + 1)), shape=(len(asked), len(table)))
            return output_loss(hidden, table, bias, observed, "multinomial", self.lanes, precision=recipe.precision)
        drawn = np.concatenate([beside.astype(np.int64), self.sampler.draw(recipe.negatives, rng)])
        targets, items = torch.from_numpy(asked), torch.from_numpy(drawn)
        positive = (hidden * table[targets]).sum(1) + bias[targets]
        negative = torch.addmm(bias[items], hidden, table[items].T)
        allowed = torch.from_numpy(~has(self.owned, self.users[events], drawn))  # the lane's own is the user's too
        losses = sampled_loss(recipe.loss, positive, negative, allowed, log_q=(self.log_q[targets], self.log_q[items]),
                              share=min(1.0, len(drawn) / max(1, len(table) - 1)), calibration=recipe.calibration,
                              regularisation=recipe.regularisation)
        return (losses * torch.from_numpy(weights)).sum() / self.lanes

    def scorer(self) -> Scorer:
        return self.net.scorer()
