"""Factorisation machines: a vector for each column of each field, and pairs scored by what two sides sum up to."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from scipy.sparse import csr_array
from torch import Tensor, nn

from matinee.contract import Run
from matinee.data.dataset import Dataset
from matinee.nn.autoencoder import array, seeded
from matinee.nn.drawn_pairs import DrawnPairs, OfFeatures, Pairs, trained
from matinee.nn.feature_fields import FieldTables, Sides, own_weights, sides_of, together
from matinee.nn.pair_products import side_products
from matinee.scoring.feature_factors import FeatureFactors


class FieldFactors(FieldTables):
    """Together, a column has one vector of `dim` numbers; apart, one for each field that its own may meet."""

    def __init__(
        self, sides: Sides, log: csr_array, dim: int, scale: float, generator: torch.Generator, *, apart: bool
    ) -> None:
        """log (U, I); scale: about the length that vectors begin with."""
        n_fields = len(sides.users), len(sides.items)
        super().__init__(sides, log, dim * sum(n_fields) if apart else dim, scale / dim**0.5, generator)
        self.apart, self.n_fields = apart, n_fields
        self.bias = nn.Parameter(torch.zeros(()))

    def scores(self, pairs: Pairs, rng: np.random.Generator) -> Tensor:
        vectors, own = self._combined(self.user_rows(pairs), users=True)
        items, of_items = self._combined(self.item_rows(), users=False)
        return side_products(vectors, own + self.bias, items, of_items, pairs.items)

    def scorer(self) -> FeatureFactors:
        with torch.no_grad():
            vectors, own = self._combined(self.item_rows(self.settled_items()), users=False)
        users, sides = self.settled_users(), self.sides
        return FeatureFactors(array(vectors), array(own), users, tuple(users), sides.fields, sides.known,
                              float(self.bias.detach()), self.n_fields[1], self.apart)

    def _combined(self, fields: Sequence[Tensor], *, users: bool) -> tuple[Tensor, Tensor]:
        """Of each field (N, T + 1); as `numerics.field_factors` has it."""
        if not self.apart:
            return together(fields)
        own, vectors = own_weights(fields), [field[:, :-1] for field in fields]
        here, there = self.n_fields if users else self.n_fields[::-1]
        first, others = (0, slice(here, None)) if users else (there, slice(0, there))
        towards = torch.stack([one.reshape(len(one), here + there, -1) for one in vectors], dim=1)  # (N, F, F + F', d)
        for f in range(here):
            for g in range(f + 1, here):
                own = own + (towards[:, f, first + g] * towards[:, g, first + f]).sum(1)
        met = towards[:, :, others]
        return (met if users else met.transpose(1, 2)).reshape(len(own), -1), own


def fit_factors(
    name: str, recipe: OfFeatures, dim: int, scale: float, train: Dataset, run: Run, *, apart: bool
) -> FeatureFactors:
    """Raises what `sides_of` and `nn.train.train` do."""
    sides = sides_of(recipe, train, name)
    net = FieldFactors(sides, train.log.matrix(), dim, scale, seeded(run.seed), apart=apart)
    return trained(DrawnPairs(name, recipe, net, train, run), train, run, FeatureFactors)
