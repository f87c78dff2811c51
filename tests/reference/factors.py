"""Models of factors as dense float64 algebra and loops over plain numbers: slow and obvious."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from matinee.data.interactions import Interactions
from matinee.numerics import fism
from tests.reference.item_item import dense, distinct


def pure_svd(log: Interactions, dim: int, damping: float) -> NDArray[np.float64]:
    """(U, I) scores: the damped matrix projected onto its `dim` largest directions, then scaled back."""
    X = dense(log)
    scale = np.array([max(1, np.count_nonzero(column)) ** -damping for column in X.T])
    _, _, directions = np.linalg.svd(X * scale, full_matrices=False)
    Q = directions[:dim].T
    return (X * scale) @ Q @ Q.T / scale


def fism_loss(
    log: Interactions,
    tables: Iterable[NDArray[np.floating]],
    batch: fism.Batch,
    *,
    exponent: float,
    pairwise: bool,
    l2: float,
) -> float:
    """What `fism.gradients` says that a batch loses, for the negatives that stand in it."""
    encode, decode, bias, user_bias = (table.astype(np.float64) for table in tables)
    bias, user_bias = bias[:, 0], user_bias[:, 0]
    lost = 0.0
    for m, user in enumerate(batch.users.tolist()):
        mine = distinct(log, user)
        lost += l2 * user_bias[user] ** 2

        def score(item: int, without: int | None) -> float:
            others = [j for j in mine if j != without]  # noqa: B023
            z = sum((mine[j] * encode[j] for j in others), np.zeros(encode.shape[1]))  # noqa: B023
            return float(bias[item] + decode[item] @ z * max(1, len(others)) ** -exponent)

        for e in range(batch.starts[m], batch.starts[m + 1]):
            item, *negatives = batch.samples[e].tolist()
            assert batch.weights[e] == np.float32(mine[item])
            lost += l2 * (encode[item] @ encode[item])
            lost += sum(l2 * (decode[s] @ decode[s] + bias[s] ** 2) for s in [item, *negatives])
            if pairwise:
                gaps = [1 - score(item, item) + score(other, item) for other in negatives]
                lost += mine[item] * sum(gap**2 for gap in gaps)
            else:
                lost += mine[item] * (1 - score(item, item) - user_bias[user]) ** 2
                lost += sum((score(other, None) + user_bias[user]) ** 2 for other in negatives)
    return lost / 2
