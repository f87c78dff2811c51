"""User kNN as loops over plain numbers: slow and obvious."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
from numpy.typing import NDArray

from matinee.data.interactions import Interactions
from tests.reference.item_item import distinct


def weights(log: Interactions, weighting: str) -> dict[int, float]:
    """item -> what it counts for in a similarity."""
    having = Counter(item for user in range(log.n_users) for item in distinct(log, user))
    users = sum(1 for user in range(log.n_users) if distinct(log, user))
    if weighting == "idf":
        return {item: math.log(1 + users / max(1, having[item])) for item in range(log.n_items)}
    if weighting == "bm25":
        return {item: math.log(1 + (users - having[item] + 0.5) / (having[item] + 0.5)) for item in range(log.n_items)}
    return dict.fromkeys(range(log.n_items), 1.0)


def similarity(one: dict[int, float], two: dict[int, float], by: dict[int, float], settings: dict) -> float:
    """Of two histories, item -> confidence."""
    def told(row: dict[int, float]) -> dict[int, float]:
        if settings["weighting"] == "bm25":
            row = {item: 2.2 * c / (c + 1.2) for item, c in row.items()}
        return {item: c * by[item] for item, c in row.items()}

    shared = set(one) & set(two)
    if not shared:
        return 0.0
    x, y = told(one), told(two)
    product = math.fsum(x[item] * y[item] for item in shared)
    a, b = math.fsum(c * c for c in x.values()), math.fsum(c * c for c in y.values())
    sim = product / (a + b - product) if settings["similarity"] == "jaccard" else product / math.sqrt(a * b)
    return sim * len(shared) / (len(shared) + settings["shrink"])


def places(near: dict[int, float], n: int) -> dict[int, float]:
    """Voter -> his share of a place; who is equally near (as float32) at the edge shares what is left."""
    out: dict[int, float] = {}
    left = float(n)
    for level in sorted({np.float32(s) for s in near.values()}, reverse=True):
        here = [voter for voter, s in near.items() if np.float32(s) == level]
        share = min(1.0, left / len(here))
        if share <= 0:
            break
        out |= dict.fromkeys(here, share)
        left -= share * len(here)
    return out


def votes(log: Interactions, near: dict[int, float], settings: dict) -> NDArray[np.float64]:
    """(I,) of one user, whose neighbours to be are in `near`."""
    having = Counter(item for user in range(log.n_users) for item in distinct(log, user))
    out, total = np.zeros(log.n_items), 0.0
    binary = settings["vote"] == "binary"
    for voter, share in places(near, settings["neighbours"]).items():
        weight = share * (1.0 if binary else near[voter] ** settings["power"])
        total += weight
        for item, c in distinct(log, voter).items():
            out[item] += weight * (1.0 if binary else c)
    if settings["normalise"] and total:
        out /= total
    return out * [max(1, having[item]) ** -settings["damping"] for item in range(log.n_items)]


def scores(log: Interactions, history: Interactions, rows: list[int], settings: dict) -> NDArray[np.float64]:
    """(B, I)."""
    by = weights(log, settings["weighting"])
    out = []
    for user, row in enumerate(rows):
        mine = distinct(history, user)
        near = {v: similarity(mine, distinct(log, v), by, settings) for v in range(log.n_users) if v != row}
        out.append(votes(log, {v: s for v, s in near.items() if s > 0}, settings))
    return np.array(out)
