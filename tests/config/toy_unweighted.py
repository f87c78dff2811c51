"""A model that cannot honour a confidence (가중치), but learns from features."""

from __future__ import annotations

from dataclasses import dataclass

from matinee.contract import Recommender, Run, Scorer
from matinee.data.dataset import Dataset


@dataclass(frozen=True, kw_only=True)
class Unweighted(Recommender):
    family = "baseline"
    honours_weights = False
    honours_features = True

    def fit(self, train: Dataset, run: Run = Run()) -> Scorer:
        raise AssertionError("the tests of configuration fit nothing")
