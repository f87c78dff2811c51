"""DeepFM: a factorisation machine and layers over the same vectors, their scores added up.

Guo, Tang, Ye, Li, He, DeepFM: A Factorization-Machine based Neural Network for CTR Prediction, IJCAI 2017:

    score_ui = w_0 + sum over fields f of w.x_f + sum over pairs of fields f < g of <e_f, e_g> + w . h_L
    h_1 = relu(W_1 [e_1 ... e_F; z] + b_1)     h_n = relu(W_n h_(n-1) + b_n)     e_f = V_f' x_f

Fields are the user, the item, the items of the user's history and every feature that the experiment names; z are the
features of a user and an item together, standardised, and what a first stage says where it is taught by candidates
(nn/candidate_pairs.py); the layers alone read these. The machine's part falls into a user's and an item's side, as that
of `fm` does, and the first layer's sums as well.

Differs: losses over drawn negatives (nn/drawn_pairs.py) where the paper has clicks and non-clicks. An item of a history
of n counts 1 / sqrt(n), and the item that is asked for is left out of it while the model learns. Labels of one field
are averaged and do not meet each other.

Cost: a pair takes 2 (D + sum of H H') operations over the layers, learning three times that, of E (1 + k) pairs an
epoch; a catalogue of I items U times as much. 16 C D bytes for C columns of all fields with Adam.
Shines as a second stage, where some hundred candidates are asked for, and where features matter; `fm` ranks a whole
catalogue by one product and is hard to beat without them. Overfits within few epochs, as wide & deep does.
"""

from __future__ import annotations

from dataclasses import dataclass

from matinee.contract import Run
from matinee.data.dataset import Dataset
from matinee.nn.deep_pairs import Deep, fit_deep
from matinee.scoring.deep_pairs import DeepPairs
from matinee.scoring.ordered_pairs import OrderedPairs


@dataclass(frozen=True, kw_only=True)
class DeepFM(Deep):
    def fit(self, train: Dataset, run: Run = Run()) -> DeepPairs | OrderedPairs:
        """Raises ConfigError (`no-fields`, `no-candidates`), DataError where the data lack what a feature needs, and
        what `nn.train.train` does."""
        return fit_deep("deep_fm", self, train, run, meet=True)
