"""Every user's top ten from interaction logs, and an honest account of how good those lists are.

The public names, each loaded when it is first used, so that `import matinee` costs nothing:

    load       files to a Dataset
    stages     split a Dataset: {"valid": ..., "test": ...}, each able to rank and to measure
    recipe     a model's recipe by name: `.fit(stage.fit)` gives a scorer
    run        an experiment file to its run folder
    Recommender, Scorer, FusedScorer, PairScorer, Queries, Masks, Run    what a model of your own is made of
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matinee.config import recipe
    from matinee.contract import FusedScorer, Masks, PairScorer, Queries, Recommender, Run, Scorer
    from matinee.data.load import load
    from matinee.experiment.session import stages
    from matinee.report.whole import run

__version__ = "0.1.0"

_HOME = {
    "FusedScorer": "matinee.contract",
    "Masks": "matinee.contract",
    "PairScorer": "matinee.contract",
    "Queries": "matinee.contract",
    "Recommender": "matinee.contract",
    "Run": "matinee.contract",
    "Scorer": "matinee.contract",
    "load": "matinee.data.load",
    "recipe": "matinee.config",
    "run": "matinee.report.whole",
    "stages": "matinee.experiment.session",
}

__all__ = [
    "FusedScorer",
    "Masks",
    "PairScorer",
    "Queries",
    "Recommender",
    "Run",
    "Scorer",
    "load",
    "recipe",
    "run",
    "stages",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'matinee' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
