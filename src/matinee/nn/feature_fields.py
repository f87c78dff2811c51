"""The fields of users and of items that networks over features read: their columns, and a table of vectors for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array
from torch import Tensor, nn

from matinee.data.dataset import Dataset
from matinee.errors import ConfigError
from matinee.features.encoding import Field, encode, learn_field
from matinee.features.feature import COLUMN
from matinee.features.fitted import OF_THE_LOG, of_scope, packed, require_apart
from matinee.nn.autoencoder import array
from matinee.nn.bag import bag_sums
from matinee.nn.drawn_pairs import OfFeatures, PairNet, Pairs
from matinee.nn.pair_products import picked
from matinee.scoring.user_fields import HISTORY, ID, history_scale

ITEM_ID = "item id"


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
    known: dict[str, NDArray[np.generic]]
    """What these have learnt, see `features.fitted`."""


def sides_of(recipe: OfFeatures, train: Dataset, name: str) -> Sides:
    """The fields of both sides. Raises ConfigError: `features-pairs` unless the recipe reads such features, and
    `no-fields` where a side has none."""
    if not recipe.reads_pairs:
        require_apart(train.features, name)
    users, items, fields = [], [], {}
    if recipe.ids in ("both", "users"):
        users.append(Inputs(ID, None, train.n_users))
    if recipe.ids in ("both", "items"):
        items.append(Inputs(ITEM_ID, None, train.n_items))
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
    return Sides(tuple(users), tuple(items), fields, packed({name: train.features[name] for name in fields}))


class FieldTables(PairNet):
    """A row of `length` numbers, and a linear weight behind them, for each column of each field."""

    def __init__(self, sides: Sides, log: csr_array, length: int, spread: float, generator: torch.Generator) -> None:
        """log (U, I); spread: deviation of the numbers to begin with."""
        super().__init__()
        self.sides, self.log = sides, log
        self.user_tables, self.item_tables = (
            nn.ParameterList([_begun(field.columns, length, spread, generator) for field in side])
            for side in (sides.users, sides.items)
        )

    def user_rows(self, pairs: Pairs) -> list[Tensor]:
        """Of each field (P, T + 1): the user of each pair, without the pair's own item in his history if the log has it
        there."""
        rows = []
        for inputs, table in zip(self.sides.users, self.user_tables, strict=True):
            if inputs.name == HISTORY:
                rows.append(self._rest_of_history(table, pairs))
                continue
            found = _field(inputs, table, pairs.users)
            if inputs.name == ID:
                found = found * torch.from_numpy(~pairs.hidden)[:, None]
            rows.append(picked(found, pairs.owners))
        return rows

    def leave_out(self, users: NDArray[np.bool_], items: NDArray[np.bool_]) -> None:
        """Of users (U,) and items (I,) that no pair will teach, vectors of their own stay 0 and say nothing, as do
        items of no history that teaches. To be called before anything is learnt."""
        histories = np.zeros(self.log.shape[1], np.bool_)
        histories[self.log[np.flatnonzero(~users)].indices] = True
        left = {ID: users, HISTORY: ~histories, ITEM_ID: items}
        with torch.no_grad():
            for inputs, table in zip([*self.sides.users, *self.sides.items], [*self.user_tables, *self.item_tables],
                                     strict=True):
                if inputs.name in left:
                    table[torch.from_numpy(left[inputs.name])] = 0

    def item_rows(self, tables: Sequence[Tensor] | None = None) -> list[Tensor]:
        """Of each field (I, T + 1), by other tables than its own if told."""
        chosen = list(self.item_tables) if tables is None else tables
        return [_field(inputs, table, None) for inputs, table in zip(self.sides.items, chosen, strict=True)]

    def settled_items(self) -> list[Tensor]:
        """The items' tables; what nobody had is, by its id, as an average item."""
        had = self._had()
        return [_settled(table, had) if inputs.name == ITEM_ID else table.detach()
                for inputs, table in zip(self.sides.items, self.item_tables, strict=True)]

    def settled_users(self) -> dict[str, NDArray[np.float32]]:
        """The users' tables by field; what nobody had says nothing in a history."""
        users = {field.name: array(table) for field, table in zip(self.sides.users, self.user_tables, strict=True)}
        if HISTORY in users:
            users[HISTORY][~self._had().numpy()] = 0
        return users

    def _had(self) -> Tensor:
        return torch.from_numpy(np.bincount(self.log.indices, minlength=self.log.shape[1]) > 0)

    def _rest_of_history(self, table: Tensor, pairs: Pairs) -> Tensor:
        """(P, T + 1): or a pair of the log would be told by its own item."""
        histories = self.log[pairs.users]
        histories.data = np.ones_like(histories.data)
        counts = np.diff(histories.indptr)[pairs.owners] - (pairs.told is None)
        scale = np.where(counts > 0, history_scale(counts), np.float32(0))
        rest = picked(bag_sums(histories, table), pairs.owners)
        if pairs.told is None:
            rest = rest - picked(table, pairs.items[:, 0])
        return rest * torch.from_numpy(scale)[:, None]


def own_weights(fields: Sequence[Tensor]) -> Tensor:
    """Of each field (N, T + 1) -> (N,) the sum of the linear weights, which stand last."""
    return torch.stack([field[:, -1] for field in fields]).sum(0)


def together(fields: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Of each field (N, T + 1) -> (N, T), (N,); as `numerics.field_factors` has it."""
    vectors = [field[:, :-1] for field in fields]
    total = torch.stack(vectors).sum(0)
    squares = torch.stack([one.square().sum(1) for one in vectors]).sum(0)
    return total, own_weights(fields) + (total.square().sum(1) - squares) / 2


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
