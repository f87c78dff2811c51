"""A code held near to several distributions at once, one of them its own of an epoch ago; encoder and output learn by
turns.

Shenbin, Alekseev, Tutubalina, Malykh, Nikolenko, RecVAE: a New Variational Autoencoder for Top-N Recommendations with
Implicit Feedback, WSDM 2020. Each number z_k of the code has the density

    p(z_k | x) = 3/20 N(0, 1) + 3/4 q_old(z_k | x) + 1/10 N(0, e^10)

where q_old is what the encoder said of the whole history when it last was remembered.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from matinee.contract import Run
from matinee.data.dataset import Dataset
from matinee.nn.autoencoder import AutoencoderNet, Pass
from matinee.nn.reconstruction import Autoencoding, Pull, Reconstruction
from matinee.nn.train import Step

STANDARD, OLD, WIDE = 3 / 20, 3 / 4, 1 / 10
"""How much of the density each distribution is."""
WIDE_LOG_VARIANCE = 10.0
OUTPUT = ("output", "output_bias")


class Remembering(nn.Module):
    """A network, and its layers up to the code as they were once: both are its state."""

    def __init__(self, net: AutoencoderNet) -> None:
        super().__init__()
        self.net = net
        self.old = copy.deepcopy(net).requires_grad_(False)
        for name in OUTPUT:
            delattr(self.old, name)  # it is the code that is remembered

    def remember(self) -> None:
        now = self.net.state_dict()
        self.old.load_state_dict({name: now[name] for name in self.old.state_dict()})


class Alternation(Reconstruction):
    """Some passes over all users that move the layers up to the code, then one that moves the output alone.

    The first go with a damaged history and the distance of the code from the composite prior. Then they are remembered,
    and the output learns from whole histories: it has no more weights than it needs, and damage would only blur it.
    """

    def __init__(
        self, name: str, recipe: Autoencoding, net: AutoencoderNet, train: Dataset, run: Run, pull: Pull, passes: int
    ) -> None:
        super().__init__(name, recipe, net, train, run, pull)
        self.network = self.remembering = Remembering(net)
        self.passes = passes
        self.steps_an_epoch = (passes + 1) * self.steps_a_pass

    def parts(self) -> Mapping[str, Sequence[nn.Parameter]]:
        named = dict(self.net.named_parameters())
        return {"encoder": [named[name] for name in named if name not in OUTPUT],
                "output": [named[name] for name in OUTPUT]}

    def steps(self, epoch: int, start: int) -> Iterator[Step]:
        first, start = divmod(start, max(1, self.steps_a_pass))  # a log may be empty
        for number_of_pass in range(first, self.passes + 1):
            done = number_of_pass * self.steps_a_pass
            for number, rows in self.batches(epoch, number_of_pass, start):
                if number_of_pass < self.passes:
                    yield Step(partial(self.encoder_loss, rows, epoch, done + number), "encoder")
                    continue
                if number == 0:
                    self.remembering.remember()
                yield Step(partial(self.output_loss, rows, epoch, done + number), "output")
            start = 0

    def encoder_loss(self, rows: NDArray[np.int64], epoch: int, number: int) -> Tensor:
        mine, over, rng, generator = self.drawn(rows, epoch, number)
        passed = self.net(self.damaged(self.inputs[mine], rng), generator)
        output = self.net.output.detach(), self.net.output_bias.detach()
        return self.unlikelihood(passed, output, mine, over) + self.pulled(passed, mine, over, epoch, number)

    def output_loss(self, rows: NDArray[np.int64], epoch: int, number: int) -> Tensor:
        mine, over, _, generator = self.drawn(rows, epoch, number)
        with torch.no_grad():
            passed = self.net(self.inputs[mine], generator)
        return self.unlikelihood(passed, (self.net.output, self.net.output_bias), mine, over)

    def distance(self, passed: Pass, rows: NDArray[np.int64]) -> Tensor:
        with torch.no_grad():
            before = self.remembering.old(self.inputs[rows], None)
        return from_composite(passed, before)


def from_composite(passed: Pass, before: Pass) -> Tensor:
    """(B,) ln q(z | x) - ln p(z | x) at the code z that was drawn: its mean is the Kullback-Leibler divergence."""
    assert passed.drawn is not None
    assert passed.log_variance is not None
    assert before.log_variance is not None
    z, nothing = passed.drawn, torch.zeros(())
    of_prior = torch.stack([
        math.log(STANDARD) + _log_density(z, nothing, nothing),
        math.log(OLD) + _log_density(z, before.mean, before.log_variance),
        math.log(WIDE) + _log_density(z, nothing, nothing + WIDE_LOG_VARIANCE),
    ]).logsumexp(0)
    return (_log_density(z, passed.mean, passed.log_variance) - of_prior).sum(1)


def _log_density(z: Tensor, mean: Tensor, log_variance: Tensor) -> Tensor:
    """Of normal distributions, but for ln(2 pi) / 2, which all have in common."""
    return -0.5 * (log_variance + (z - mean).square() * torch.exp(-log_variance))
