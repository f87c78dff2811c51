"""Small searches, over a toy model from outside that takes what memory and time it is told to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

MODEL = '''"""Popularity with an exponent, that takes memory and time."""

import os
import time
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Ge, Le

from matinee.contract import Recommender, Run
from matinee.errors import DataError
from matinee.scoring.constant import Constant


@dataclass(frozen=True, kw_only=True)
class Hungry(Recommender):
    family = "baseline"
    personal = False

    best: Annotated[float, Ge(0), Le(1)] = 0.9
    """Share of the items that stand where popularity puts them."""
    megabytes: Annotated[int, Ge(0), Le(4000)] = 0
    seconds: Annotated[float, Ge(0), Le(60)] = 0.0
    ends: str = "well"
    epochs: Annotated[int, Ge(1), Le(100)] = 1

    def fit(self, train, run=Run()):
        held = np.ones(self.megabytes << 17)
        time.sleep(self.seconds)
        if self.ends == "badly":
            raise DataError("diverged", "the loss is nan", "lower lr")
        if self.ends == "crash":
            raise ValueError("no such luck")
        if self.ends == "killed":
            os._exit(9)
        counts = train.log.item_counts().astype(np.float32)
        order = np.random.default_rng(0).permutation(len(counts))
        lost = order[int(self.best * len(counts)) :]
        counts[lost] = -1.0
        for epoch in range(self.epochs):
            if run.journal:
                run.journal({"epoch": epoch + 1, "validation": self.best})
        assert held.sum() >= 0
        return Constant(counts)
'''


def settings(folder: Path, **sections: Any) -> dict[str, Any]:
    """The plain values of a search over the toy, its model file beside it."""
    (folder / "hungry.py").write_text(MODEL)
    return {
        "name": "toy",
        "data": {"path": "synthetic:120x40:3"},
        "evaluate": {"metrics": ["recall@10"]},
        "models": [{"model": "./hungry.py"}],
        "tune": {"budget": {"trials": 4}, "search": {"hungry": {"best": {"low": 0.0, "high": 1.0}}}},
        **sections,
    }


def written(folder: Path, **sections: Any) -> Path:
    """The same as an experiment file."""
    file = folder / "toy.yaml"
    file.write_text(json.dumps(settings(folder, **sections)))
    return file


def found(runs: Path) -> Path:
    """The folder of the one search."""
    (folder,) = runs.glob("*-tune-*")
    return folder


def told(runs: Path) -> dict[str, Any]:
    return dict(json.loads((found(runs) / "tune.json").read_text()))


def tried(runs: Path, number: int = 0) -> list[Any]:
    """What the trials of one model were, without what differs from day to day."""
    return [(trial["settings"], trial["state"], trial["value"], trial["reports"])
            for trial in told(runs)["models"][number]["trials"]]
