"""Factorisation machines: a vector for each column of each field, and pairs scored by what two sides sum up to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array
from torch import Tensor, nn

from matinee.contract import Run
from matinee.data.dataset import Dataset
from matinee.errors import ConfigError
from matinee.features.encoding import Field, encode, learn_field
from matinee.features.feature import COLUMN
from matinee.features.fitted import OF_THE_LOG, of_scope, packed, require_apart
from matinee.nn.autoencoder import array, seeded
from matinee.nn.bag import bag_sums
from matinee.nn.drawn_pairs import DrawnPairs, OfFeatures, PairNet, Pairs, trained
from matinee.nn.pair_products import pair_products, picked
from matinee.scoring.feature_factors import HISTORY, ID, FeatureFactors, history_scale


@dataclass(frozen=True, eq=False)
class Inputs:
    """A field of one side, for everybody in the training log."""

    name: str
    matrix: csr_array | None
    """(N, columns); None: a column a row, its own, or, of histories, what the log has."""
    columns: int


@dataclass(frozen=True, eq=False)
class Sides:
    users: tuple[Inputs, ...]
    items: tuple[Inputs, ...]
    fields: dict[str, Field]
    """Of the users' features."""


def sides_of(recipe: OfFeatures, train: Dataset, name: str) -> Sides:
    """The fields of both sides. Raises ConfigError: `features-pairs`, and `no-fields` where a side has none."""
    require_apart(train.features, name)
    users, items, fields = [], [], {}
    if recipe.ids in ("both", "users"):
        users.append(Inputs(ID, None, train.n_users))
    if recipe.ids in ("both", "items"):
        items.append(Inputs("item id", None, train.n_items))
    if recipe.history:
        users.append(Inputs(HISTORY, None, train.n_items))
    for side, scope in ((users, "user"), (items, "item")):
        for feature, known in of_scope(train, scope):
            column = known[OF_THE_LOG if scope == "user" else COLUMN]
            field = learn_field(column, recipe.numbers, recipe.buckets)
            matrix = encode(field, column)
            side.append(Inputs(feature.name, matrix, matrix.shape[1]))
            if scope == "user":
                fields[feature.name] = field
    if not users or not items:
        raise ConfigError("no-fields", f"{name} knows nothing of {'items' if users else 'users'}",
                          "let `ids` be both, or name features of both")
    return Sides(tuple(users), tuple(items), fields)


class FieldFactors(PairNet):
    """Together, a column has one vector of `dim` numbers; apart, one for each field that its own may meet."""

    def __init__(
        self, sides: Sides, log: csr_array, dim: int, scale: float, generator: torch.Generator, *, apart: bool
    ) -> None:
        """log (U, I); scale: about the length that vectors begin with."""
        super().__init__()
        self.sides, self.log, self.apart = sides, log, apart
        self.n_fields = len(sides.users), len(sides.items)
        length = dim * sum(self.n_fields) if apart else dim
        self.user_tables, self.item_tables = (
            nn.ParameterList([_begun(field.columns, length, scale / dim**0.5, generator) for field in side])
            for side in (sides.users, sides.items)
        )
        self.bias = nn.Parameter(torch.zeros(()))

    def scores(self, pairs: Pairs) -> Tensor:
        vectors, own = self._users(pairs)
        items, of_items = self._items(list(self.item_tables))
        left = torch.cat([vectors, (own + self.bias)[:, None], torch.ones_like(own)[:, None]], dim=1)
        right = torch.cat([items, torch.ones_like(of_items)[:, None], of_items[:, None]], dim=1)
        return pair_products(left, right, pairs.items)

    def scorer(self) -> FeatureFactors:
        had = torch.from_numpy(np.bincount(self.log.indices, minlength=self.log.shape[1]) > 0)
        with torch.no_grad():
            tables = [_settled(table, had) if field.name == "item id" else table
                      for field, table in zip(self.sides.items, self.item_tables, strict=True)]
            vectors, own = self._items(tables)
        users = {field.name: array(table) for field, table in zip(self.sides.users, self.user_tables, strict=True)}
        if HISTORY in users:
            users[HISTORY][~had.numpy()] = 0
        return FeatureFactors(array(vectors), array(own), users, tuple(users), self.sides.fields, self.known,
                              float(self.bias.detach()), self.n_fields[1], self.apart)

    known: dict[str, NDArray[np.generic]]

    def _users(self, pairs: Pairs) -> tuple[Tensor, Tensor]:
        """(P, D) and (P,): the user of each pair, without the pair's own item in his history."""
        rows = []
        for inputs, table in zip(self.sides.users, self.user_tables, strict=True):
            if inputs.name == HISTORY:
                rows.append(self._rest_of_history(table, pairs))
                continue
            found = _field(inputs, table, pairs.users)
            if inputs.name == ID:
                found = found * torch.from_numpy(~pairs.hidden)[:, None]
            rows.append(picked(found, pairs.owners))
        return self._combined(rows, users=True)

    def _rest_of_history(self, table: Tensor, pairs: Pairs) -> Tensor:
        """(P, T + 1): or a pair of the log would be told by its own item."""
        histories = self.log[pairs.users]
        histories.data = np.ones_like(histories.data)
        counts = np.diff(histories.indptr)[pairs.owners] - 1
        scale = np.where(counts > 0, history_scale(counts), np.float32(0))
        whole = picked(bag_sums(histories, table), pairs.owners)
        return (whole - picked(table, pairs.items[:, 0])) * torch.from_numpy(scale)[:, None]

    def _items(self, tables: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """(I, D) and (I,)"""
        rows = [_field(inputs, table, None) for inputs, table in zip(self.sides.items, tables, strict=True)]
        return self._combined(rows, users=False)

    def _combined(self, fields: Sequence[Tensor], *, users: bool) -> tuple[Tensor, Tensor]:
        """Of each field (N, T + 1); as `numerics.field_factors` has it."""
        own = torch.stack([field[:, -1] for field in fields]).sum(0)
        vectors = [field[:, :-1] for field in fields]
        if not self.apart:
            total = torch.stack(vectors).sum(0)
            squares = torch.stack([one.square().sum(1) for one in vectors]).sum(0)
            return total, own + (total.square().sum(1) - squares) / 2
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
    net.known = packed({feature: train.features[feature] for feature in sides.fields})
    return trained(DrawnPairs(name, recipe, net, train, run), train, run, FeatureFactors)


def _begun(columns: int, length: int, spread: float, generator: torch.Generator) -> nn.Parameter:
    """(columns, length + 1): normal, and the linear weights 0."""
    vectors = spread * torch.randn(columns, length, generator=generator)
    return nn.Parameter(torch.cat([vectors, torch.zeros(columns, 1)], dim=1))


def _field(inputs: Inputs, table: Tensor, rows: NDArray[np.int64] | None) -> Tensor:
    """(N, T + 1) of these rows, or of all."""
    if inputs.matrix is None:
        return table if rows is None else picked(table, rows)
    return bag_sums(inputs.matrix if rows is None else inputs.matrix[rows], table)


def _settled(table: Tensor, had: Tensor) -> Tensor:
    """An item that nobody had has no vector of its own, and the smallest weight of those that somebody had."""
    out = torch.where(had[:, None], table, 0)
    out[:, -1] = torch.where(had, table[:, -1], table[had, -1].min() if bool(had.any()) else 0)
    return out
