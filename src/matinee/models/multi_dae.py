"""Multi-DAE: half of a history is hidden, and the whole of it foretold, as a distribution over the items of one user.

Liang, Krishnan, Hoffman, Jebara, Variational Autoencoders for Collaborative Filtering, WWW 2018:

    z = f(dropout(x_u) / |x_u|)        p_u = softmax over items of (W g(z) + b)        min  -sum_i c_ui x_ui ln p_ui

x_u: the items of the user's history; c: confidence, on what is observed alone; nothing is hidden when it is asked.
"""

from __future__ import annotations

from dataclasses import dataclass

from matinee.contract import Run
from matinee.data.dataset import Dataset
from matinee.nn.autoencoder import AutoencoderNet, seeded
from matinee.nn.reconstruction import Autoencoding, Reconstruction, trained
from matinee.scoring.autoencoder import Autoencoder


@dataclass(frozen=True, kw_only=True)
class MultiDAE(Autoencoding):
    def fit(self, train: Dataset, run: Run = Run()) -> Autoencoder:
        layout = self.layout(train.n_items, variational=False, scale="l2")
        net = AutoencoderNet(layout, seeded(run.seed))
        return trained(Reconstruction("multi_dae", self, net, train, run), self, train, run)
