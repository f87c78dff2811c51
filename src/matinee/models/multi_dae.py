"""Multi-DAE: half of a history is hidden, and the whole of it foretold, as a distribution over the items of one user.

Liang, Krishnan, Hoffman, Jebara, Variational Autoencoders for Collaborative Filtering, WWW 2018:

    z = f(W_1 dropout(x_u) / |x_u| + b_1)     p_u = softmax over the items of one user of (W_2 z + b_2)
    min  -sum_i c_ui x_ui ln p_ui

x_u: 1 for an item of the user's history; f: `activation`; c: confidence, on what is observed alone; dropout scales
what it leaves by 1 / (1 - p). `hidden` puts more layers before z and, mirrored, after it. Nothing is hidden when it is
asked. The items of one user compete for a sum of 1, as they do for the places of a list.

Differs: weights are shrunk apart from the loss (AdamW), where the paper adds L2 to it; the loss is a mean over users of
sums over their items, as there. No hidden layer by default: the paper's best is as shallow.

Cost: of an epoch, with E events and H = `dim` (or the outer of `hidden`), about 3 E H + 6 U I H operations, nearly all
in the output; 32 I H bytes for weights, gradients and Adam. No matrix of users by items is ever made.
Shines on dense logs of everyday size, and is the cheapest autoencoder there is; somebody new gets as good a list.
Blind to order. A user with a thousand items weighs as much as two hundred with five: the sum over items says so.
Without dropout it learns to repeat its input. Where inputs keep the length of histories in them, much of the gain over
a linear model is lost: they are one long here.
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
        """Raises what `nn.train.train` does."""
        net = AutoencoderNet(self.layout(train.n_items, variational=False, scale="l2"), seeded(run.seed))
        return trained(Reconstruction("multi_dae", self, net, train, run), self, train, run)
