"""FM: a vector for every label of every feature of a user and an item; what meets adds its product to the score.

Rendle, Factorization Machines, ICDM 2010.

    score_ui = w_0 + sum over fields f of w.x_f + sum over pairs of fields f < g of <e_f, e_g>      e_f = V_f' x_f

Fields are the user, the item, the items of the user's history (the paper's figure 1), and every feature that the
experiment names: x_f is 1 at the label, shares of 1 at several, 1 at the bucket of a number. As all fields but those of
the item are the user's, the sum falls into two sides,

    score_ui = <p_u, q_i> + own_u + own_i      p_u, q_i = sums of e_f      own = w.x + (|sum e_f|^2 - sum |e_f|^2) / 2

so that a whole catalogue is scored by one product, whatever is known of it, and memory does not grow with features.

Differs: labels of one field are averaged and do not meet each other. An item of a history of n counts 1 / sqrt(n) where
the paper has 1 / n, and the item that is asked for is left out of it while the model learns. Losses are over drawn
negatives (nn/drawn_pairs.py): `bce` and `bpr` are what a competition's report compared. Features of a user and an item
together do not fall into two sides, and are refused by name.

Cost: of an epoch about 3 E (1 + k) D operations for k negatives, and a sum of each item's labels a step; 16 (U + 2 I +
C) D bytes for C labels of features with Adam, 4 (U + 2 I + C) D stored. Asked, 2 I D operations a user.
Meant for items or users that are new and of whom features tell: era, genre, director, gender and age together brought
nothing to known ones (ndcg@10 0.2060, 0.2080 without, valid part of random_811, one seed). Elsewhere factors and linear
models that need no drawing have more. New users are served by their history and features; with `history` off by their
features alone. Blind to order, but for features that are not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Gt, Le

from matinee.contract import Run
from matinee.data.dataset import Dataset
from matinee.nn.drawn_pairs import OfFeatures
from matinee.nn.field_factors import fit_factors
from matinee.scoring.feature_factors import FeatureFactors


@dataclass(frozen=True, kw_only=True)
class FM(OfFeatures):
    dim: Annotated[int, Ge(1), Le(4096)] = 64
    """D, the length of each vector."""
    init_scale: Annotated[float, Gt(0), Le(100)] = 0.1
    """About the length that vectors start with."""

    def fit(self, train: Dataset, run: Run = Run()) -> FeatureFactors:
        """Raises ConfigError (`features-pairs`, `no-fields`), DataError where the data lack what a feature needs, and
        what `nn.train.train` does."""
        return fit_factors("fm", self, self.dim, self.init_scale, train, run, apart=False)
