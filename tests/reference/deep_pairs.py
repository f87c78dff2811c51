"""Pairs by a network, one after the other, in float64, as the equations of wide & deep, DeepFM and AutoInt say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def fields_of(
    columns: Mapping[str, Floats], tables: Mapping[str, Floats]
) -> tuple[list[Floats], float]:
    """Of one side: inputs (columns,) and tables (columns, T + 1) by field -> the fields' vectors, the weights' sum."""
    rows = [columns[name] @ tables[name] for name in tables]
    return [row[:-1] for row in rows], float(sum(row[-1] for row in rows))


def layers(fields: Sequence[Floats], numbers: Floats, weights: Sequence[Floats], biases: Sequence[Floats],
           last: Floats) -> float:
    """The first weight reads the fields side by side, the users' before the items', and the pair's numbers."""
    values = np.concatenate([*fields, numbers])
    for weight, bias in zip(weights, biases, strict=True):
        values = np.maximum(weight @ values + bias, 0)
    return float(last @ values)


def met(fields: Sequence[Floats]) -> float:
    """Every field with every other one."""
    return float(sum(one @ two for one, two in combinations(fields, 2)))


def crossed(user: Floats, item: Floats, weights: Floats) -> float:
    """user (C,), item (C',), weights (C, C')"""
    return float(sum(user[a] * weights[a, b] * item[b] for a in np.flatnonzero(user) for b in np.flatnonzero(item)))


def attention(
    fields: Sequence[Floats], asking: Sequence[Floats], keys: Sequence[Floats], saying: Sequence[Floats],
    passing: Sequence[Floats], heads: int,
) -> list[Floats]:
    """Each layer has (H, D) of what is asked, of keys, of what is said and of what passes by."""
    for ask, key, say, by in zip(asking, keys, saying, passing, strict=True):
        after = []
        for one in fields:
            found = by @ one
            size = len(found) // heads
            for head in range(heads):
                part = slice(head * size, (head + 1) * size)
                logits = np.array([(ask @ one)[part] @ (key @ other)[part] for other in fields])
                chances = np.exp(logits - logits.max())
                chances /= chances.sum()
                found[part] += sum(chance * (say @ other)[part] for chance, other in zip(chances, fields, strict=True))
            after.append(np.maximum(found, 0))
        fields = after
    return list(fields)
