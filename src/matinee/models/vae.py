"""VAE: as DAE, and the code is drawn from a distribution that is held near to the standard normal one.

Kingma, Welling, Auto-Encoding Variational Bayes, ICLR 2014; for recommendations, with this likelihood among others,
Liang, Krishnan, Hoffman, Jebara, Variational Autoencoders for Collaborative Filtering, WWW 2018.

    mu, ln sigma^2 = f(dropout(x_u) / |x_u|)     z = mu + sigma e with e of N(0, I); z = mu when it is asked
    s_u = g(z)
    min  -sum_i c_ui ln sigma(s_ui) over the items of x_u  -sum_i ln(1 - sigma(s_ui)) over all the others
         + beta_t KL_u          KL_u = -1/2 sum_k (1 + ln sigma_k^2 - mu_k^2 - sigma_k^2)
    beta_t: from 0 to `beta` in a straight line over the first `anneal` of all updates

x_u: 1 for an item of the user's history; c: confidence, on what is observed alone.

Differs: both terms are sums, over items and over the code, and means over users: the bound of Kingma and Welling is
beta = 1, and less than that recommends better (Liang et al.). With a *mean* over I items beside a sum over the code, a
slip that is often made, the KL weighs I times as much, sinks to 0 with the first epochs, and everybody's code and list
are the same. `anneal` is a share of the updates there are, whatever the number of epochs and of users.

Cost: of an epoch, with E events, H the outer of `hidden` (or `dim`) and D = `dim`, about 3 E H + 6 U (H D + I H)
operations, nearly all in the output; 32 I H bytes for weights, gradients and Adam.
Shines where histories are short and few: a drawn code keeps it from learning them by heart. Items do not compete for a
sum of 1, as in multi_vae, which mostly ranks better.
"""

from __future__ import annotations

from dataclasses import dataclass

from matinee.contract import Run
from matinee.data.dataset import Dataset
from matinee.nn.autoencoder import AutoencoderNet, seeded
from matinee.nn.output import Likelihood
from matinee.nn.reconstruction import Reconstruction, Variational, trained
from matinee.scoring.autoencoder import Autoencoder


@dataclass(frozen=True, kw_only=True)
class VAE(Variational):
    likelihood: Likelihood = "logistic"

    def fit(self, train: Dataset, run: Run = Run()) -> Autoencoder:
        """Raises what `nn.train.train` does."""
        net = AutoencoderNet(self.layout(train.n_items, variational=True, scale="l2"), seeded(run.seed))
        return trained(Reconstruction("vae", self, net, train, run, self.pull), self, train, run)
