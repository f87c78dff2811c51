"""Attention among the fields of a user and an item, and their linear weights beside it."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from matinee.data.dataset import Dataset
from matinee.features.fitted import packed
from matinee.nn.autoencoder import array, seeded, xavier
from matinee.nn.deep_pairs import PairNumbers
from matinee.nn.drawn_pairs import Pairs
from matinee.nn.feature_fields import FieldTables, Sides, own_weights
from matinee.nn.pair_products import picked, side_products
from matinee.nn.windows import dropout
from matinee.scoring.attentive_pairs import AttentivePairs


class AttentivePairNet(FieldTables):
    def __init__(
        self, sides: Sides, train: Dataset, seed: int, *, dim: int, scale: float, layers: int, heads: int, size: int,
        rate: float, told: int,
    ) -> None:
        """scale: about the length that vectors begin with; size: of a head; rate: of dropout; told: numbers that a
        first stage says of a pair."""
        generator = seeded(seed)
        super().__init__(sides, train.log.matrix(), dim, scale / dim**0.5, generator)
        self.heads, self.rate, width = heads, rate, heads * size
        self.numbers = PairNumbers(train, seed, told)
        n_numbers = self.numbers.count
        vectors = scale / dim**0.5 * torch.randn(n_numbers, dim, generator=generator)
        self.number_vectors = nn.Parameter(vectors) if n_numbers else None  # a checkpoint holds nothing that is empty
        self.mixing = nn.ParameterList()
        for wide in (dim, *[width] * (layers - 1)):
            four = [xavier(width, wide, generator).detach() for _ in range(4)]
            self.mixing.append(nn.Parameter(torch.cat(four)))
        self.fields = len(sides.users) + len(sides.items) + n_numbers
        self.last = nn.Parameter(xavier(1, self.fields * width, generator).detach()[0])
        self.bias = nn.Parameter(torch.zeros(()))

    def scores(self, pairs: Pairs, rng: np.random.Generator | None) -> Tensor:
        users, items = self.user_rows(pairs), self.item_rows()
        of_users = torch.stack([field[:, :-1] for field in users], dim=1)  # (P, F, T)
        table = torch.stack([field[:, :-1] for field in items], dim=1)  # (I, F', T)
        flat = picked(table.reshape(len(table), -1), pairs.items.reshape(-1))
        shape = (*pairs.items.shape, -1, table.shape[2])
        fields = [of_users[:, None].expand(-1, pairs.items.shape[1], -1, -1), flat.reshape(shape)]
        if self.number_vectors is not None:
            fields.append(self.numbers.of(pairs)[:, :, :, None] * self.number_vectors)
        states = torch.cat(fields, dim=2).reshape(-1, self.fields, table.shape[2])  # (P C, M, T)
        for mix in self.mixing:
            states = dropout(_attended(states, mix, self.heads), self.rate, rng)
        deep = (states.reshape(len(states), -1) @ self.last).reshape(pairs.items.shape)
        own, of_items = own_weights(users) + self.bias, own_weights(items)
        nothing = own.new_empty(len(own), 0), own.new_empty(len(of_items), 0)
        return deep + side_products(nothing[0], own, nothing[1], of_items, pairs.items)

    def scorer(self) -> AttentivePairs:
        with torch.no_grad():
            rows = self.item_rows(self.settled_items())
            own = own_weights(rows)
            items = torch.stack([field[:, :-1] for field in rows], dim=1)
        users, sides = self.settled_users(), self.sides
        vectors = torch.zeros(0, items.shape[2]) if self.number_vectors is None else self.number_vectors
        return AttentivePairs(
            tables=users, order=tuple(users), fields=sides.fields, numbers=dict(self.numbers.spreads),
            known={**sides.known, **packed(self.numbers.known)}, item_biases=array(own), bias=float(self.bias.detach()),
            item_fields=array(items), number_vectors=array(vectors),
            layers={str(n): array(mix) for n, mix in enumerate(self.mixing)},
            last=array(self.last).reshape(self.fields, -1), heads=self.heads, told=self.numbers.told,
        )


def _attended(states: Tensor, mix: Tensor, heads: int) -> Tensor:
    """states (N, M, T), mix (4 H, T) -> (N, M, H), as `numerics.pair_attention` has it."""
    n, fields, _ = states.shape
    mixed = (states.reshape(n * fields, -1) @ mix.T).reshape(n, fields, 4, heads, -1)
    asked, keys, said = (mixed[:, :, part].transpose(1, 2) for part in range(3))  # (N, heads, M, H / heads)
    chances = torch.softmax(asked @ keys.transpose(2, 3), dim=3)
    found = (chances @ said).transpose(1, 2) + mixed[:, :, 3]
    return torch.relu(found).reshape(n, fields, -1)
