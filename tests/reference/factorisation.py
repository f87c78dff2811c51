"""Factorisation machines pair by pair and field by field, in float64."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def fm(inputs: Sequence[Floats], tables: Sequence[Floats], bias: float) -> float:
    """inputs (columns,) of each field of a user and an item, tables (columns, D + 1) the linear weights last."""
    found = [values @ table for values, table in zip(inputs, tables, strict=True)]
    score = bias + sum(one[-1] for one in found)
    for one, two in combinations(found, 2):
        score += one[:-1] @ two[:-1]
    return float(score)


def ffm(inputs: Sequence[Floats], tables: Sequence[Floats], bias: float) -> float:
    """The same; tables (columns, F d + 1): the vector towards field g at g d."""
    found = [values @ table for values, table in zip(inputs, tables, strict=True)]
    dim = (len(found[0]) - 1) // len(found)
    score = bias + sum(one[-1] for one in found)
    for f, g in combinations(range(len(found)), 2):
        score += found[f][g * dim : (g + 1) * dim] @ found[g][f * dim : (f + 1) * dim]
    return float(score)
