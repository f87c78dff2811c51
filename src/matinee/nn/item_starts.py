"""Where a network's vectors of items begin: at random, or at vectors that were made before."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from matinee.contract import Run
from matinee.data.dataset import Dataset
from matinee.nn.recipe import Trained
from matinee.numerics.start_vectors import found_elsewhere, start_vectors

WORD = 7
"""Tells the generator of starts from that of the network; those of steps have no 0 before it."""


@dataclass(frozen=True, kw_only=True)
class Beginning(Trained):
    """What models share whose items may begin at vectors from elsewhere."""

    init_items: str | None = None
    """Where vectors of items begin: those in a file, those of another run's model (RUN/ID), or of titles (`tfidf`);
    brought to the length and the size of random ones, which they are where an item has none. None: all random."""

    def named_vectors(self) -> tuple[str, ...]:
        return found_elsewhere(self.init_items)


def begin_items(table: Tensor, recipe: Beginning, data: Dataset, run: Run) -> None:
    """Fill the first I rows of a table as the recipe says. Raises DataError where there are no such vectors."""
    if recipe.init_items is None:
        return
    with torch.no_grad():
        rows = table[: data.n_items]
        spread = float(rows.square().mean().sqrt())
        rng = np.random.default_rng([run.seed, 0, WORD])
        rows.copy_(torch.from_numpy(start_vectors(data, recipe.init_items, rows.shape[1], rng, spread=spread)))
