"""Models of factors as dense float64 algebra and loops over plain numbers: slow and obvious."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from matinee.data.interactions import Interactions
from tests.reference.item_item import distinct


def dense(log: Interactions) -> NDArray[np.float64]:
    """(U, I) a pair's largest confidence, 0 where nothing was observed."""
    out = np.zeros((log.n_users, log.n_items))
    for user in range(log.n_users):
        for item, value in distinct(log, user).items():
            out[user, item] = value
    return out


def pure_svd(log: Interactions, dim: int, damping: float) -> NDArray[np.float64]:
    """(U, I) scores: the damped matrix projected onto its `dim` largest directions, then scaled back."""
    X = dense(log)
    scale = np.array([max(1, np.count_nonzero(column)) ** -damping for column in X.T])
    _, _, directions = np.linalg.svd(X * scale, full_matrices=False)
    Q = directions[:dim].T
    return (X * scale) @ Q @ Q.T / scale
