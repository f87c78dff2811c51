"""A model with a field of every kind."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Interval, Le, MinLen

from matinee.contract import Recommender, Run, Scorer
from matinee.data.dataset import Dataset


@dataclass(frozen=True, kw_only=True)
class Toy(Recommender):
    """Shines nowhere."""

    family = "baseline"

    l2: Annotated[float, Gt(0), Le(1000)] = 5.0
    """Ridge strength.
    Two lines of it."""
    dim: Annotated[int, Ge(1), Le(4096)] = 64
    mode: Literal["sum", "mean"] = "sum"
    layers: Annotated[tuple[Annotated[int, Interval(ge=1, le=600)], ...], MinLen(1)] = (200, 100)
    """Widths, from the input inward."""
    since: Annotated[float, Gt(0), Le(1)] | date = 0.5
    label: str | None = None
    warm: bool = False
    extra: Path | None = None

    def __post_init__(self) -> None:
        if self.mode == "mean" and self.warm:
            raise ValueError("mean cannot be warm")

    def fit(self, train: Dataset, run: Run = Run()) -> Scorer:
        raise AssertionError("the tests of configuration fit nothing")
