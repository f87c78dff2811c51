"""FFM: as FM, and a label has another vector for each field that it meets.

Juan, Zhuang, Chin, Lin, Field-aware Factorization Machines for CTR Prediction, RecSys 2016:

    score_ui = w_0 + sum over fields f of w.x_f + sum over pairs f < g of <e_f[g], e_g[f]>      e_f[g] = V_fg' x_f

What a genre is to a user's id is then not what it is to an era. The sum still falls into two sides (models/fm.py): the
vectors of a user's field towards each of the item's stand one after the other, and so do the item's towards the user's,
F_u F_v D numbers, and a whole catalogue is scored by one product.

Differs: from libffm in what models/fm.py says of FM, so that labels of one field are averaged and do not meet; values
are not scaled to length 1 a row, and Adam takes the steps where the paper has AdaGrad. A team of a 2022 competition
asked it by `loss: mae`, whose loss falls in training; how it ranks was not measured.

Cost: of an epoch about 3 E (1 + k) F_u F_v D operations; 16 (F_u + F_v) D bytes a label with Adam, 4 F_u F_v D an item
stored. Asked, 2 I F_u F_v D operations a user.
Meant for few fields that say much about each other; it over-fits soon, so `dim` is small. With ids and histories alone
it has less than FM on the valid part of random_811: ndcg@10 0.2004 (best of 12 epochs) and 0.2080 (of 20), one seed.
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
class FFM(OfFeatures):
    dim: Annotated[int, Ge(1), Le(1024)] = 16
    """D, the length of each vector: of one label towards one field."""
    init_scale: Annotated[float, Gt(0), Le(100)] = 0.1
    """About the length that vectors start with."""

    def fit(self, train: Dataset, run: Run = Run()) -> FeatureFactors:
        """Raises ConfigError (`features-pairs`, `no-fields`), DataError where the data lack what a feature needs, and
        what `nn.train.train` does."""
        return fit_factors("ffm", self, self.dim, self.init_scale, train, run, apart=True)
