"""Lists of a few users from plain Python, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from matinee.ranking.lists import Lists


def lists_of(
    rows: Mapping[int, Sequence[int]], depth: int | None = None, filled: Mapping[int, int] | None = None
) -> Lists:
    """user -> items, best first; `filled`: user -> how many at the end the fallback gave."""
    users = sorted(rows)
    depth = max((len(row) for row in rows.values()), default=1) if depth is None else depth
    items = np.full((len(users), depth), -1, np.int32)
    flags = np.zeros(items.shape, bool)
    for at, user in enumerate(users):
        size = len(rows[user])
        items[at, :size] = rows[user]
        flags[at, size - (filled or {}).get(user, 0) : size] = True
    scores = np.where(items >= 0, 1 / np.arange(1, depth + 1), -np.inf).astype(np.float32)
    return Lists(np.array(users, np.int64), items, scores, flags)


def rows_of(lists: Lists) -> dict[int, list[int]]:
    """user -> items, best first; checks what every list must be."""
    assert (lists.scores[:, 1:] <= lists.scores[:, :-1]).all()
    assert (np.isneginf(lists.scores) == (lists.items < 0)).all()
    rows = {}
    for user, items in zip(lists.users.tolist(), lists.items.tolist(), strict=True):
        size = sum(item >= 0 for item in items)
        assert all(item < 0 for item in items[size:])
        assert len(set(items[:size])) == size
        rows[user] = items[:size]
    return rows


def listed_of(lists: Lists, user: int) -> list[tuple[int, bool]]:
    """[(item, filled), ...] of one user."""
    one = lists.of(np.array([user]))
    return [(item, flag) for item, flag in zip(one.items[0].tolist(), one.filled[0].tolist(), strict=True) if item >= 0]
