"""A sound model from outside the package, as text, and a hand to spoil it: each spoilt copy must fail its check."""

from __future__ import annotations

from pathlib import Path

MODEL = '''"""Items often chosen together: cosine of the columns, shrunk."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge, Le

from matinee.contract import AdditiveScorer, FusedScorer, Recommender, Run
from matinee.numerics.topk import select


@dataclass(frozen=True, kw_only=True)
class Together(Recommender):
    family: ClassVar[str] = "neighbours"

    shrink: Annotated[float, Ge(0), Le(1000)] = 5.0
    """Added below, so that rare pairs count less."""
    block: Annotated[int, Ge(1), Le(1000)] = 16
    """Rows at a time."""
    jitter: Annotated[float, Ge(0), Le(1)] = 0.0
    """Size of the noise that breaks ties."""

    def fit(self, train, run=Run()):
        matrix = train.log.matrix()
        gram = (matrix.T @ matrix).toarray().astype(np.float64)
        size = np.sqrt(np.diag(gram))
        weights = gram / (np.outer(size, size) + self.shrink)
        np.fill_diagonal(weights, 0)
        if self.jitter:
            weights += self.jitter * np.random.default_rng(run.seed).random(weights.shape)
        return TogetherScorer(weights.astype(np.float32))


@dataclass(frozen=True, eq=False)
class TogetherScorer(FusedScorer, AdditiveScorer):
    weights: np.ndarray

    @property
    def n_items(self):
        return len(self.weights)

    def score(self, queries):
        scores = np.asarray(queries.history.matrix() @ self.weights)
        return scores

    def top_block(self, queries, k, masks):
        return select(self.score(queries), k, masks)

    def parts(self, query, items):
        history = query.history.matrix()
        return history.indices, history.data[:, None] * self.weights[np.ix_(history.indices, items)]
'''

SETTINGS = """tiny: {shrink: 2.0}
search:
  shrink: {low: 0.5, high: 50.0, log: true}
unchanged:
  block: only how much is done at a time
"""


def write(folder: Path, *changes: tuple[str, str], settings: str = SETTINGS) -> Path:
    """`my_model.py` and `my_model.yaml` in `folder`, some text of the model replaced."""
    text = MODEL
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    (folder / "my_model.yaml").write_text(settings)
    (folder / "my_model.py").write_text(text)
    return folder / "my_model.py"
