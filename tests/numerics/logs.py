"""Random logs with repeats, empty users and confidences, for the tests of kernels."""

from __future__ import annotations

import numpy as np

from matinee.data.interactions import Interactions


def random_log(seed: int, n_users: int, n_items: int, events: int, *, weighted: bool) -> Interactions:
    """Skewed popularity; pairs repeat; some users and items have no event."""
    rng = np.random.default_rng(seed)
    users = rng.integers(0, n_users, events)
    items = (n_items * rng.random(events) ** 2).astype(np.int64)
    values = rng.choice(np.array([0.25, 1.0, 1.7, 3.1], np.float32), events) if weighted else None
    return Interactions.from_events(users, items, rng.integers(0, 50, events), values, n_users=n_users, n_items=n_items)
