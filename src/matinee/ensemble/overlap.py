"""How much lists have in common: members that agree on everything gain nothing from each other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from matinee.ranking.lists import Lists


def overlap(members: Sequence[Lists], k: int = 10) -> NDArray[np.float64]:
    """(M, M) items that two members share in their first k places, over the longer of the two, averaged over users.

    Only users for whom both have a list count; NaN where there is none. A filled place counts like any other.
    """
    matrix = np.ones((len(members), len(members)))
    for a, one in enumerate(members):
        for b, other in enumerate(members):
            if a <= b:
                matrix[a, b] = matrix[b, a] = _shared(one, other, k)
    return matrix


def _shared(one: Lists, other: Lists, k: int) -> float:
    users = np.intersect1d(one.users, other.users)
    users = users[users >= 0]
    a, b = (lists.top(k).of(users).items for lists in (one, other))
    longer = np.maximum((a >= 0).sum(axis=1), (b >= 0).sum(axis=1))
    both = (a[:, :1] >= 0).any(axis=1) & (b[:, :1] >= 0).any(axis=1)
    if not both.any():
        return float("nan")
    ordered = np.sort(np.concatenate([a, b], axis=1), axis=1)  # an item of both stands twice side by side
    common = ((ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] >= 0)).sum(axis=1)
    return float((common[both] / longer[both]).mean())
