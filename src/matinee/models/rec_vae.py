"""RecVAE: a deeper encoder than Multi-VAE's, held near to what it was an epoch ago; encoder and output learn by turns.

Shenbin, Alekseev, Tutubalina, Malykh, Nikolenko, RecVAE: a New Variational Autoencoder for Top-N Recommendations with
Implicit Feedback, WSDM 2020, and the code that the authors gave out with it. LN: layer normalisation, with 0.1 under
the root; s(t) = t sigma(t), swish; c: confidence, 1 where none is asked for.

    h_1 = LN(s(W_1 dropout(x_u) / |x_u| + b_1))     h_l = LN(s(W_l h_l-1 + b_l + h_1 + ... + h_l-1))
    mu, ln sigma^2 = V h_L + a                      z = mu + sigma e with e of N(0, I); z = mu when it is asked
    p_u = softmax over the items of one user of (W z + b)
    min  -sum_i c_ui x_ui ln p_ui + gamma (sum_i c_ui x_ui) sum_k (ln q(z_k | x_u) - ln p(z_k | x_u))
    p(z_k | x) = 3/20 N(0, 1) + 3/4 q_old(z_k | x) + 1/10 N(0, e^10)

An epoch is `encoder_passes` passes over all users that move all but W and b, with dropout and a z that is drawn anew;
then the encoder is remembered as q_old, and one pass without dropout moves W and b alone, which have grown up with
codes that keep changing. The weight of the distance grows with the history: there is more to say of who has seen more.

The mixture and the turns are those of the authors' code, which has the figures: 3 passes, batches of 500, `lr` 5e-4,
five layers; `gamma` 0.005 is that of ML-20M (Netflix 0.0035, the Million Song Dataset 0.01). The densities are mixed
for each number of a code, as that code has it, and not for whole codes.

Differs: three layers, and steps twice as long, for logs of thousands of users; and what is kept is the mean of some
epochs (`average`), since the turns leave each epoch's codes a little off: 0.2775 for 0.2704 ndcg@10 at test on
MovieLens-1M, where five layers and `batch_size` 2048 have 0.2741 in five times the time. q_old begins as a copy of the
encoder, there with random weights of its own, which draw the first epoch's codes to places that mean nothing. Weights
begin as Glorot and Bengio have it, and may be shrunk (AdamW). With confidences their sum stands in for the number of
items, so that likelihood and distance keep their proportion. Users without a history take no part in training.

Cost: of an epoch, with E events, H the width, L layers and P passes, about (P + 1) (4 E H + U (6 L H^2 + 4 I D))
operations; 16 I (H + D) bytes for weights, gradients and Adam, 4 I H for the old encoder. The most costly autoencoder
here by far.
Shines where Multi-VAE does, and is a little better (ML-20M, Recall@20: 0.414 against 0.395, both published). Each part
counts: in the Boostcamp competition teams report recalls of 0.124 to 0.151 for it, the low ones with parts left out. A
`gamma` that is too high leaves all codes alike (popularity); longer histories want a smaller one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge, Gt, Le, Lt
from numpy.typing import NDArray

from matinee.contract import Run
from matinee.data.dataset import Dataset
from matinee.errors import ConfigError
from matinee.nn.autoencoder import AutoencoderNet, Layout, seeded
from matinee.nn.composite_prior import Alternation
from matinee.nn.reconstruction import Autoencoding, trained
from matinee.scoring.autoencoder import Autoencoder


@dataclass(frozen=True, kw_only=True)
class RecVAE(Autoencoding):
    epochs: Annotated[int, Ge(1), Le(10_000)] = 60
    """Each `encoder_passes` passes over the training log and one more, at most; schedules run over all of them."""
    batch_size: Annotated[int, Ge(1), Le(100_000)] = 500
    lr: Annotated[float, Gt(0), Le(10)] = 1e-3
    hidden: tuple[Annotated[int, Ge(1), Le(8192)], ...] = (600, 600, 600)
    """Widths of the layers between the history and the code, all alike: each adds up those before it."""
    activation: Literal["tanh", "sigmoid", "relu", "swish"] = "swish"
    average: Annotated[float, Ge(0), Lt(1)] = 0.8
    """Of the networks after each epoch, see `Trained`."""
    gamma: Annotated[float, Ge(0), Le(1)] = 0.005
    """What the distance from the prior weighs, for each item of a history."""
    encoder_passes: Annotated[int, Ge(1), Le(100)] = 3
    """Passes over the training log that move the encoder, before one that moves the output."""

    def __post_init__(self) -> None:
        if len(set(self.hidden)) > 1:
            raise ConfigError("uneven-layers", f"hidden: {list(self.hidden)}; each layer adds up those before it",
                              "give all of them the same width")

    def fit(self, train: Dataset, run: Run = Run()) -> Autoencoder:
        """Raises what `nn.train.train` does."""
        net = AutoencoderNet(self.deep_layout(train.n_items), seeded(run.seed))
        return trained(Alternation("rec_vae", self, net, train, run, self.pull, self.encoder_passes), self, train, run)

    def deep_layout(self, n_items: int) -> Layout:
        """The history, `hidden`, the code; after it comes the output."""
        n = len(self.hidden)
        return Layout(n_items, (*self.hidden, self.dim), (*[self.activation] * n, "none"), code=n, variational=True,
                      skips=max(0, n - 1), norms=n)

    def pull(self, mass: NDArray[np.float32], done: float) -> NDArray[np.float32]:
        return np.float32(self.gamma) * mass
