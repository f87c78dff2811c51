"""Random ratio: of each user's events a random share is valid and another is test, whatever their times.

Each share is floor(share n) and at least 1, as long as one event is left to learn from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Gt, Lt

from matinee.data.dataset import Dataset
from matinee.errors import ConfigError
from matinee.split.assemble import ACROSS_USERS, split_by_hidden
from matinee.split.draw import shuffled
from matinee.split.parts import PARTS, Split
from matinee.split.protocol import Protocol
from matinee.split.units import Units


@dataclass(frozen=True, kw_only=True)
class RandomRatio(Protocol):
    """The usual protocol of papers on models without order, 8:1:1."""

    valid: Annotated[float, Gt(0), Lt(1)] = 0.1
    """Share of each user's events hidden in valid."""
    test: Annotated[float, Gt(0), Lt(1)] = 0.1
    """Share of each user's events hidden in test."""

    def __post_init__(self) -> None:
        if self.valid + self.test >= 1:
            raise ConfigError("no-train-part", f"valid {self.valid} and test {self.test} leave nothing to learn from",
                              "let them add up to less than 1")

    def split(self, dataset: Dataset) -> Split:
        units = Units.of(dataset)
        order = shuffled(dataset, units, self.seed)
        left, hidden = np.ones(len(units), bool), {}
        for stage, share in (("test", self.test), ("valid", self.valid)):
            want = np.maximum(np.floor(share * units.sizes + 1e-9).astype(np.int64), 1)  # 0.29 x 100 is 29, not 28
            drawn = units.first(order, left, np.minimum(want, np.maximum(units.counts(left) - 1, 0)))
            hidden[stage] = units.spread(np.where(drawn, PARTS.index("all"), -1).astype(np.int8))
            left &= ~drawn
        return split_by_hidden(self, dataset, hidden["valid"], hidden["test"], [ACROSS_USERS])
