"""Lists and truths out of plain Python, for tests of figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from matinee.ranking.lists import Lists
from matinee.split.parts import PARTS, Truth


def lists_of(items: Mapping[int, Sequence[int]], depth: int) -> Lists:
    """user -> items, best first; shorter lists are padded."""
    users = sorted(items)
    table = np.full((len(users), depth), -1, np.int32)
    for at, user in enumerate(users):
        table[at, : len(items[user])] = items[user]
    scores = np.where(table >= 0, -np.arange(depth, dtype=np.float32), -np.inf).astype(np.float32)
    return Lists(np.array(users, np.int64), table, scores, np.zeros(table.shape, bool))


def truth_of(hidden: Sequence[tuple[int, Sequence[int]]], parts: Sequence[str] | None = None) -> Truth:
    """(user, hidden items) pairs in the order of the truth; parts: one name for each hidden item, in that order."""
    counts = [len(items) for _, items in hidden]
    names = ["all"] * sum(counts) if parts is None else parts
    return Truth(
        np.array([user for user, _ in hidden], np.int64),
        np.array([0, *np.cumsum(counts)], np.int64),
        np.array([item for _, items in hidden for item in items], np.int32),
        np.array([PARTS.index(name) for name in names], np.int8),
    )
