"""Cold items: a share of the items is hidden whole, so that nobody is known to have had them.

Everything else of a history is known. What a model then ranks, it ranks by what is known of an item and not by who had
it; a model that only counts cannot. With the filter `cold_items` lists are made of such items alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt, Le, Lt

from matinee.data.dataset import Dataset
from matinee.errors import ConfigError
from matinee.split.assemble import ACROSS_USERS, split_by_hidden
from matinee.split.draw import shuffle_keys
from matinee.split.parts import PARTS, Split
from matinee.split.protocol import Protocol


@dataclass(frozen=True, kw_only=True)
class ColdItems(Protocol):
    """Shows what a model knows of an item that came out today.

    Adding an item to the data can change the part of at most one other a stage, since the parts keep their size.
    """

    valid: Annotated[float, Gt(0), Lt(1)] = 0.1
    """Share of the items hidden in valid; at test they are known, and learnt from with `refit`."""
    test: Annotated[float, Gt(0), Lt(1)] = 0.1
    """Share of the items hidden in test."""
    least: Annotated[int, Ge(1), Le(1_000_000_000)] = 1
    """Users that an item needs to be drawn."""

    def __post_init__(self) -> None:
        if self.valid + self.test >= 1:
            raise ConfigError("no-train-part", f"valid {self.valid} and test {self.test} leave no item to learn from",
                              "let them add up to less than 1")

    def split(self, dataset: Dataset) -> Split:
        had = np.flatnonzero(dataset.log.item_counts() >= self.least)
        order = had[np.argsort(shuffle_keys(dataset.items, self.seed)[had], kind="stable")]
        stage_of = np.zeros(dataset.n_items, np.int8)
        sizes = [int(share * len(had) + 1e-9) for share in (self.test, self.valid)]
        stage_of[order[: sizes[0]]], stage_of[order[sizes[0] : sum(sizes)]] = 1, 2
        of_event = stage_of[dataset.log.items]
        whole = PARTS.index("all")
        test, valid = (np.where(of_event == at, whole, -1).astype(np.int8) for at in (1, 2))
        notes = {"cold_items": {"valid": sizes[1], "test": sizes[0]}}
        return split_by_hidden(self, dataset, valid, test, [ACROSS_USERS], notes)
