"""A log whose order says everything: users walk along a line of items, and whoever is asked wants the next one."""

from __future__ import annotations

import numpy as np

from matinee.contract import Masks, Queries, Scorer
from matinee.data.interactions import Interactions

I = 60
STEPS, USERS = 6, 400


def walks(seed: int = 3) -> Interactions:
    """Each from a random place six items up the line, an hour apart."""
    start = np.random.default_rng(seed).integers(0, I - STEPS, USERS)
    items = start[:, None] + np.arange(STEPS)
    users = np.repeat(np.arange(USERS), STEPS)
    return Interactions.from_events(users, items.reshape(-1), np.tile(np.arange(STEPS) * 3600, USERS), n_users=USERS,
                                    n_items=I)


def next_one_first(scorer: Scorer, log: Interactions) -> float:
    """The share of users whose best unseen item is the one that comes next."""
    queries = Queries.of(log, np.arange(log.n_users))
    scores = scorer.score(queries)
    masks = Masks(log.indptr, log.items)
    for user in range(log.n_users):
        scores[user, masks.items[masks.indptr[user] : masks.indptr[user + 1]]] = -np.inf
    return float((scores.argmax(axis=1) == log.items[log.indptr[1:] - 1] + 1).mean())
