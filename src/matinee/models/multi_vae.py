"""Multi-VAE: as Multi-DAE, and the code is drawn from a distribution that is held near to the standard normal one.

Liang, Krishnan, Hoffman, Jebara, Variational Autoencoders for Collaborative Filtering, WWW 2018:

    mu, ln sigma^2 = f(dropout(x_u) / |x_u|)     z = mu + sigma e with e of N(0, I); z = mu when it is asked
    p_u = softmax over the items of one user of g(z)
    min  -sum_i c_ui x_ui ln p_ui + beta_t KL_u        KL_u = -1/2 sum_k (1 + ln sigma_k^2 - mu_k^2 - sigma_k^2)
    beta_t: from 0 to `beta` in a straight line over the first `anneal` of all updates, then `beta`

x_u: 1 for an item of the user's history; c: confidence, on what is observed alone; f has the layers `hidden` before the
code, g the same ones mirrored.

`beta` is not 1, the bound on the likelihood, for we do not want to draw histories but to rank: a code may say more than
that bound allows. The paper lets beta_t rise to 1 once, takes the one where validation was best, and stops there in a
second training: 0.2 on ML-20M.

Differs: `anneal` is a share of all updates. The paper's beta_t is updates / 200,000 up to its cap, and code after it
often keeps that number: on 31,360 users in batches of 500, 200 epochs are 12,600 updates, and beta_t ends at 0.063
whatever `beta` is asked for. Weights are shrunk apart from the loss (AdamW).

Cost: of an epoch, with E events, H the outer of `hidden` and D = `dim`, about 3 E H + 6 U (H D + I H) operations,
nearly all in the output; 32 I H bytes for weights, gradients and Adam. The paper's `hidden: [600]` has three times the
columns in the output, and on MovieLens-1M learns slower and ranks worse (NDCG@10 0.231 after 36 epochs, 0.266 without).
Shines where histories are short: a drawn code keeps it from learning them by heart. A `beta` that is too high, or there
from the start, leaves all codes alike, and all lists popularity.
"""

from __future__ import annotations

from dataclasses import dataclass

from matinee.contract import Run
from matinee.data.dataset import Dataset
from matinee.nn.autoencoder import AutoencoderNet, seeded
from matinee.nn.reconstruction import Reconstruction, Variational, trained
from matinee.scoring.autoencoder import Autoencoder


@dataclass(frozen=True, kw_only=True)
class MultiVAE(Variational):
    def fit(self, train: Dataset, run: Run = Run()) -> Autoencoder:
        """Raises what `nn.train.train` does."""
        net = AutoencoderNet(self.layout(train.n_items, variational=True, scale="l2"), seeded(run.seed))
        return trained(Reconstruction("multi_vae", self, net, train, run, self.pull), self, train, run)
