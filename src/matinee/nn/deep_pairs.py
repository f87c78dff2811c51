"""Layers over the vectors of all fields of a user and an item side by side, and what the fields add without layers.

The first layer is linear, so what it makes of an item is made once a step for all pairs that have it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated

import numpy as np
import torch
from annotated_types import Ge, Gt, Le, Lt, MinLen
from torch import Tensor, nn

from matinee.contract import Run
from matinee.data.dataset import Dataset
from matinee.features.fitted import asked, packed
from matinee.features.pair_numbers import learn_spreads, pair_numbers
from matinee.nn.autoencoder import array, seeded, xavier
from matinee.nn.candidate_pairs import fit_pairs
from matinee.nn.crosses import Crossed, Crosses
from matinee.nn.drawn_pairs import OfPairs, Pairs
from matinee.nn.feature_fields import FieldTables, Sides, own_weights, sides_of, together
from matinee.nn.pair_products import picked, side_products
from matinee.nn.windows import dropout
from matinee.scoring.deep_pairs import LAST, NUMBERS, USERS, DeepPairs
from matinee.scoring.ordered_pairs import OrderedPairs


@dataclass(frozen=True, kw_only=True)
class Deep(OfPairs):
    """What networks over pairs share."""

    dim: Annotated[int, Ge(1), Le(4096)] = 16
    """Length of the vector of each label of each feature."""
    init_scale: Annotated[float, Gt(0), Le(100)] = 0.3
    """About the length that vectors start with."""
    hidden: Annotated[tuple[Annotated[int, Ge(1), Le(8192)], ...], MinLen(1)] = (128, 64)
    """Widths of the layers, the last excepted."""
    dropout: Annotated[float, Ge(0), Lt(1)] = 0.2
    """Share of each layer's outputs that is left out in a step."""


class PairNumbers:
    """The numbers that features of pairs, and a first stage behind them, say of a step's pairs."""

    def __init__(self, train: Dataset, seed: int, told: int) -> None:
        """told: numbers of a first stage"""
        self.train, self.spreads = train, learn_spreads(train, seed)
        self.known = {name: train.features[name] for name in self.spreads}
        self.told, self.count = told, len(self.spreads) + told

    def of(self, pairs: Pairs) -> Tensor:
        """(P, C, N)"""
        found = [self._of_features(pairs)] if self.spreads else []
        found += [] if pairs.told is None else [torch.from_numpy(pairs.told)]
        return torch.cat(found, dim=2)

    def _of_features(self, pairs: Pairs) -> Tensor:
        counts = np.bincount(pairs.owners, minlength=len(pairs.users))
        places = np.arange(len(pairs.owners)) - np.repeat(np.cumsum(counts) - counts, counts)  # in the user's row
        rows = np.full((len(pairs.users), int(counts.max(initial=0)), pairs.items.shape[1]), -1, np.int32)
        rows[pairs.owners, places] = pairs.items
        asked_for = rows.reshape(len(rows), -1)
        found = pair_numbers(self.spreads, self.known, asked(self.train, pairs.users), asked_for)
        return torch.from_numpy(found.reshape(*rows.shape, len(self.spreads))[pairs.owners, places])


class DeepPairNet(FieldTables):
    def __init__(
        self, recipe: Deep, sides: Sides, train: Dataset, seed: int, *, meet: bool, crossed: Crossed = "none"
    ) -> None:
        """meet: add the products of the fields' vectors, as a factorisation machine does."""
        generator = seeded(seed)
        super().__init__(sides, train.log.matrix(), recipe.dim, recipe.init_scale / recipe.dim**0.5, generator)
        self.meet, self.rate = meet, recipe.dropout
        self.numbers = PairNumbers(train, seed, recipe.told(train))
        self.crosses = Crosses(crossed, sides, self.log)
        n_users, n_items = len(sides.users) * recipe.dim, len(sides.items) * recipe.dim
        n_first = n_users + n_items + self.numbers.count
        self.first = xavier(recipe.hidden[0], n_first, generator)
        self.split = [n_users, n_items, self.numbers.count]
        widths = recipe.hidden
        self.weights = nn.ParameterList([xavier(out, wide, generator) for wide, out in pairwise(widths)])
        self.biases = nn.ParameterList([nn.Parameter(torch.zeros(width)) for width in widths])
        self.last = nn.Parameter(xavier(1, widths[-1], generator).detach()[0])
        self.bias = nn.Parameter(torch.zeros(()))

    def scores(self, pairs: Pairs, rng: np.random.Generator | None) -> Tensor:
        users, items = self.user_rows(pairs), self.item_rows()
        of_users, of_items, of_numbers = torch.split(self.first, self.split, dim=1)
        first = _side_by_side(users) @ of_users.T + self.biases[0]  # (P, H)
        of_all = _side_by_side(items) @ of_items.T  # (I, H)
        sums = first[:, None] + picked(of_all, pairs.items.reshape(-1)).reshape(*pairs.items.shape, -1)
        if self.numbers.count:
            sums = sums + self.numbers.of(pairs) @ of_numbers.T
        values = dropout(torch.relu(sums).reshape(-1, sums.shape[2]), self.rate, rng)
        for weight, bias in zip(self.weights, self.biases[1:], strict=True):
            values = dropout(torch.relu(torch.addmm(bias, values, weight.T)), self.rate, rng)
        deep = (values @ self.last).reshape(pairs.items.shape)
        return deep + self._beside(users, items, pairs) + self.crosses.of(pairs)

    def scorer(self) -> DeepPairs:
        with torch.no_grad():
            rows = self.item_rows(self.settled_items())
            factors, own = self._combined(rows)
            of_users, of_items, of_numbers = torch.split(self.first, self.split, dim=1)
            first = array(_side_by_side(rows) @ of_items.T)
            crossed, crosses = self.crosses.table()
        layers = {f"{USERS}.weight": array(of_users), f"{USERS}.bias": array(self.biases[0]),
                  f"{NUMBERS}.weight": array(of_numbers.T), f"{LAST}.weight": array(self.last)}
        for n, (weight, bias) in enumerate(zip(self.weights, self.biases[1:], strict=True), start=1):
            layers |= {f"{n}.weight": array(weight), f"{n}.bias": array(bias)}
        users, sides = self.settled_users(), self.sides
        return DeepPairs(
            tables=users, order=tuple(users), fields=sides.fields, numbers=dict(self.numbers.spreads),
            known={**sides.known, **packed(self.numbers.known)}, item_biases=array(own), bias=float(self.bias.detach()),
            item_factors=array(factors), item_first=first, crossed=crossed, crosses=crosses,
            layers={name: np.ascontiguousarray(layer) for name, layer in layers.items()}, told=self.numbers.told,
        )

    def _beside(self, users: Sequence[Tensor], items: Sequence[Tensor], pairs: Pairs) -> Tensor:
        """(P, C) what two sides sum up to."""
        (left, own), (right, of_items) = self._combined(users), self._combined(items)
        return side_products(left, own + self.bias, right, of_items, pairs.items)

    def _combined(self, fields: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Of each field (N, T + 1) -> (N, D), (N,); as `numerics.field_factors` has it, or the weights alone."""
        if self.meet:
            return together(fields)
        own = own_weights(fields)
        return own.new_empty(len(own), 0), own


def fit_deep(
    name: str, recipe: Deep, train: Dataset, run: Run, *, meet: bool, crossed: Crossed = "none"
) -> DeepPairs | OrderedPairs:
    """Raises what `sides_of` and `fit_pairs` do."""
    net = DeepPairNet(recipe, sides_of(recipe, train, name), train, run.seed, meet=meet, crossed=crossed)
    return fit_pairs(name, recipe, net, train, run, DeepPairs)


def _side_by_side(fields: Sequence[Tensor]) -> Tensor:
    """Of each field (N, T + 1) -> (N, F T), without the linear weights."""
    return torch.cat([field[:, :-1] for field in fields], dim=1)
