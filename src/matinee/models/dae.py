"""DAE: half of a history is hidden, and of each item by itself it is asked whether it was there.

Vincent, Larochelle, Bengio, Manzagol, Extracting and Composing Robust Features with Denoising Autoencoders, ICML 2008;
for recommendations Wu, DuBois, Zheng, Ester, Collaborative Denoising Auto-Encoders, WSDM 2016.

    z = f(W_1 x' + b_1)     s_u = W_2 z + b_2     x': each item of x_u is dropped with probability p, or is 1 / (1 - p)
    min  -sum_i c_ui ln sigma(s_ui) over the items of x_u  -sum_i ln(1 - sigma(s_ui)) over all the others

x_u: 1 for an item of the user's history; f: `activation`; c: confidence, on what is observed alone; `hidden` puts more
layers before z and, mirrored, after it. Nothing is dropped when it is asked. Without dropout it would learn to repeat
its input, which tells nothing of what is missing.

Differs: `noise` is put on the items that are left and not on all, so that the first layer stays sparse, and in
proportion to them; weights are shrunk apart from the loss (AdamW). There is no vector for each user, as CDAE has: who
is new gets as good a list. Loss: a sum over items, a mean over users; `lr` and `weight_decay` do not hang on I.

Cost: of an epoch, with E events and H = `dim` (or the outer of `hidden`), about 3 E H + 6 U I H operations, nearly all
in the output; 32 I H bytes for weights, gradients and Adam. No matrix of users by items is ever made.
Shines where histories are long: input is not scaled to their length, so who has seen much gets bolder scores. Unscaled
sums of very long histories saturate tanh: then multi_dae, or a lower `lr`. Popular items are learnt first: too few
epochs make it popularity.
"""

from __future__ import annotations

from dataclasses import dataclass

from matinee.contract import Run
from matinee.data.dataset import Dataset
from matinee.nn.autoencoder import AutoencoderNet, seeded
from matinee.nn.output import Likelihood
from matinee.nn.reconstruction import Autoencoding, Reconstruction, trained
from matinee.scoring.autoencoder import Autoencoder


@dataclass(frozen=True, kw_only=True)
class DAE(Autoencoding):
    likelihood: Likelihood = "logistic"

    def fit(self, train: Dataset, run: Run = Run()) -> Autoencoder:
        """Raises what `nn.train.train` does."""
        net = AutoencoderNet(self.layout(train.n_items, variational=False, scale="none"), seeded(run.seed))
        return trained(Reconstruction("dae", self, net, train, run), self, train, run)
