"""Candidates of several models, and what an order makes of them, one user at a time, in Python."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def union(lists: Sequence[Sequence[int]]) -> dict[int, list[int]]:
    """Of the lists of one user: each item, in the order of places, and where it stands in each list; 0 is nowhere."""
    found: dict[int, list[int]] = {}
    for place in range(max((len(one) for one in lists), default=0)):
        for source, one in enumerate(lists):
            if place < len(one):
                found.setdefault(int(one[place]), [0] * len(lists))[source] = place + 1
    return found


def best(scores: Array, depth: int, seen: set[int]) -> list[int]:
    """The items of the highest scores that are not seen; equal scores in the order of items."""
    order = sorted(range(len(scores)), key=lambda item: (-scores[item], item))
    return [item for item in order if item not in seen][:depth]


def standardised(scores: Array) -> Array:
    wide = scores.astype(np.float64)
    spread = wide.std()
    return (wide - wide.mean()) / spread if spread > 0 else 0 * wide


def order(candidates: Sequence[int], values: Sequence[float], first: Array) -> list[int]:
    """All items: the candidates by their values, then the others as the first model has them."""
    rest = [item for item in range(len(first)) if item not in set(candidates)]
    return [item for _, item in sorted(zip([-v for v in values], candidates, strict=True))] + sorted(
        rest, key=lambda item: (-first[item], item))
