"""Wide & deep: weights of crossed features remember, layers over vectors of features generalise, learnt as one.

Cheng et al., Wide & Deep Learning for Recommender Systems, DLRS 2016:

    score_ui = w_0 + sum over fields f of w.x_f + sum over crosses (a, b) of w_ab x_a x_b + w . h_L
    h_1 = relu(W_1 [e_1 ... e_F; z] + b_1)     h_n = relu(W_n h_(n-1) + b_n)     e_f = V_f' x_f

Fields are the user, the item, the items of the user's history and every feature that the experiment names; z are the
features of a user and an item together, standardised, and what a first stage says where it is taught by candidates
(nn/candidate_pairs.py). The paper's cross of what is installed with what is asked for is
`crosses: items`; `features` crosses every feature of the user with every one of the item.

Differs: Adam for both parts, where the paper has FTRL and AdaGrad; losses over drawn negatives (nn/drawn_pairs.py). An
item of a history of n counts 1 / sqrt(n), and the item that is asked for is left out of it while the model learns.
Features of users alone are not crossed with each other: within one user's list they change nothing.

Cost: a pair takes 2 sum of H H' operations over the layers (the first one's sums are made once for each user and each
item), learning three times that, of E (1 + k) pairs an epoch; a catalogue of I items U times as much. Crossed items
take 16 I^2 bytes to learn, 4 I^2 stored.
Shines as a second stage, where some hundred candidates are asked for, and where features matter. Overfits within few
epochs: dropout, weight decay and the best validated epoch are what holds it.
"""

from __future__ import annotations

from dataclasses import dataclass

from matinee.contract import Run
from matinee.data.dataset import Dataset
from matinee.nn.crosses import Crossed
from matinee.nn.deep_pairs import Deep, fit_deep
from matinee.scoring.deep_pairs import DeepPairs
from matinee.scoring.ordered_pairs import OrderedPairs


@dataclass(frozen=True, kw_only=True)
class WideDeep(Deep):
    crosses: Crossed = "features"
    """What has weights of its own: `none`; each of the user's `features` with each of the item's; the `items` of a
    history with the item that is asked for; or `all`."""

    def fit(self, train: Dataset, run: Run = Run()) -> DeepPairs | OrderedPairs:
        """Raises ConfigError (`no-fields`, `no-candidates`), DataError where the data lack what a feature needs, and
        what `nn.train.train` does."""
        return fit_deep("wide_deep", self, train, run, meet=False, crossed=self.crosses)
