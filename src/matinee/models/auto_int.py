"""AutoInt: fields of a user and an item look at each other through layers of attention.

Song et al., AutoInt: Automatic Feature Interaction Learning via Self-Attentive Neural Networks, CIKM 2019:

    a_mn = softmax over fields n of <Q e_m, K e_n>, head by head     e_m' = relu(sum_n a_mn V e_n + R e_m)
    score_ui = w_0 + sum over fields f of w.x_f + sum over fields m of w_m . e_m of the last layer     e_f = V_f' x_f

Fields are the user, the item, the items of the user's history and every feature that the experiment names; a feature of
a user and an item together is a field with one vector, times its standardised number, and so is each number that a
first stage says where it is taught by candidates (nn/candidate_pairs.py).

What it is given to train by: R, the residual, or what a field says of itself has to come through attention; linear
weights of the fields beside the layers, which the paper has not, so that popularity is learnt in the first steps and
attention is left with the rest; vectors that begin long enough for products of them to tell pairs apart (length 0.3);
small steps; and no dropout before it is seen to overfit.

Differs: linear weights, see above; losses over drawn negatives (nn/drawn_pairs.py). An item of a history of n counts
1 / sqrt(n), and the item that is asked for is left out of it while the model learns. No layers of the DNN beside it.

Cost: with M fields and H = heads x head_dim, 8 M H^2 + 4 M^2 H operations a pair and layer, learning three times that,
of E (1 + k) pairs an epoch, and 20 M H bytes a pair of a step; what the first layer makes of each user and item is made
once when it is asked. The slowest of the models of pairs.
Shines as a second stage with many features, taught by candidates, where it finds by itself which belong together; it
has what DeepFM has there, at many times its time. With a user and an item alone there is little to look at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Gt, Le, Lt

from matinee.contract import Run
from matinee.data.dataset import Dataset
from matinee.nn.attentive_pairs import AttentivePairNet
from matinee.nn.candidate_pairs import fit_pairs
from matinee.nn.drawn_pairs import OfPairs
from matinee.nn.feature_fields import sides_of
from matinee.scoring.attentive_pairs import AttentivePairs
from matinee.scoring.ordered_pairs import OrderedPairs


@dataclass(frozen=True, kw_only=True)
class AutoInt(OfPairs):
    batch_size: Annotated[int, Ge(1), Le(100_000)] = 16
    """Users a step, each with all of his pairs."""
    lr: Annotated[float, Gt(0), Le(10)] = 1e-3
    """Length of Adam's steps (Kingma and Ba, ICLR 2015)."""
    dim: Annotated[int, Ge(1), Le(4096)] = 16
    """Length of the vector of each label of each feature."""
    init_scale: Annotated[float, Gt(0), Le(100)] = 0.3
    """About the length that vectors start with."""
    layers: Annotated[int, Ge(1), Le(16)] = 2
    """Of attention, one over the other."""
    heads: Annotated[int, Ge(1), Le(64)] = 2
    """Ways in which a layer looks at the fields."""
    head_dim: Annotated[int, Ge(1), Le(1024)] = 16
    """Length of what each head asks and says."""
    dropout: Annotated[float, Ge(0), Lt(1)] = 0.0
    """Share of each layer's outputs that is left out in a step."""

    def net(self, train: Dataset, seed: int) -> AttentivePairNet:
        """Raises what `sides_of` does."""
        return AttentivePairNet(sides_of(self, train, "auto_int"), train, seed, dim=self.dim, scale=self.init_scale,
                                layers=self.layers, heads=self.heads, size=self.head_dim, rate=self.dropout,
                                told=self.told(train))

    def fit(self, train: Dataset, run: Run = Run()) -> AttentivePairs | OrderedPairs:
        """Raises ConfigError (`no-fields`, `no-candidates`), DataError where the data lack what a feature needs, and
        what `nn.train.train` does."""
        return fit_pairs("auto_int", self, self.net(train, run.seed), train, run, AttentivePairs)
