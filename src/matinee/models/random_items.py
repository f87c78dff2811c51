"""Random items: what lists are worth that know nothing at all. Every figure of another model is read against it.

Each history gets one of `tables` random rankings of the catalogue, told by the set of its items. So the list
of a history is always the same, whoever owns it, and two people seldom share one.

Cost: 4 x tables x I bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge, Le

from matinee.contract import Recommender, Run
from matinee.data.dataset import Dataset
from matinee.scoring.lookup import Lookup


@dataclass(frozen=True, kw_only=True)
class RandomItems(Recommender):
    family: ClassVar[str] = "baseline"
    personal: ClassVar[bool] = False
    honours_weights: ClassVar[bool] = False

    tables: Annotated[int, Ge(1), Le(100_000)] = 256
    """So many different rankings; enough that together they reach every item of a catalogue of some thousands."""

    def fit(self, train: Dataset, run: Run = Run()) -> Lookup:
        rng = np.random.default_rng(run.seed)
        return Lookup(rng.random((self.tables, train.n_items), dtype=np.float32), "history_hash")
