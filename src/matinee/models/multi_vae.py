"""Multi-VAE: as Multi-DAE, and the code is drawn from a distribution that is held near to the standard normal one.

Liang, Krishnan, Hoffman, Jebara, Variational Autoencoders for Collaborative Filtering, WWW 2018.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Ge, Le
from numpy.typing import NDArray

from matinee.contract import Run
from matinee.data.dataset import Dataset
from matinee.nn.autoencoder import AutoencoderNet, seeded
from matinee.nn.reconstruction import Autoencoding, Reconstruction, trained
from matinee.scoring.autoencoder import Autoencoder


@dataclass(frozen=True, kw_only=True)
class MultiVAE(Autoencoding):
    hidden: tuple[Annotated[int, Ge(1), Le(8192)], ...] = (600,)
    beta: Annotated[float, Ge(0), Le(10)] = 0.2
    """The most that the distance to the normal distribution weighs."""
    anneal: Annotated[float, Ge(0), Le(1)] = 0.2
    """Share of all updates over which that weight rises from 0; 0: it is there from the start."""

    def fit(self, train: Dataset, run: Run = Run()) -> Autoencoder:
        layout = self.layout(train.n_items, variational=True, scale="l2")
        net = AutoencoderNet(layout, seeded(run.seed))
        return trained(Reconstruction("multi_vae", self, net, train, run, self._pull), self, train, run)

    def _pull(self, mass: NDArray[np.float32], done: float) -> NDArray[np.float32]:
        return np.full(len(mass), self.beta * min(1.0, done / self.anneal) if self.anneal else self.beta, np.float32)
