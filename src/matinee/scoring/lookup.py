"""A few rankings of the catalogue, and a rule that says which of them a history gets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matinee.contract import Queries, Scorer
from matinee.data.interactions import Interactions
from matinee.errors import ModelError
from matinee.scoring.checks import check_catalogue

Rule = Callable[[Interactions, int], NDArray[np.int64]]


@dataclass(frozen=True, eq=False)
class Lookup(Scorer):
    tables: NDArray[np.float32]  # (S, I)  one ranking a segment
    rule: str
    """As `RULES` calls it."""

    def __post_init__(self) -> None:
        if self.rule not in RULES or not len(self.tables):
            raise ModelError("bad-form", f"no rule {self.rule!r} for {len(self.tables)} segments",
                             f"known: {', '.join(sorted(RULES))}")

    @property
    def n_items(self) -> int:
        return int(self.tables.shape[1])

    def score(self, queries: Queries) -> NDArray[np.float32]:
        check_catalogue(self, queries)
        return self.tables[RULES[self.rule](queries.history, len(self.tables))]


def history_hash(history: Interactions, segments: int) -> NDArray[np.int64]:
    """(B,) a segment as good as random, that depends on the set of a history's items alone."""
    matrix = history.matrix()
    sums = np.zeros(len(matrix.indices) + 1, np.uint64)
    np.cumsum(_mixed(matrix.indices.astype(np.uint64)), out=sums[1:])
    mixed = _mixed(sums[matrix.indptr[1:]] - sums[matrix.indptr[:-1]])
    return (mixed % np.uint64(segments)).astype(np.int64)


RULES: Mapping[str, Rule] = {"history_hash": history_hash}


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): each bit in changes half the bits out."""
    z = values + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))
