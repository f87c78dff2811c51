"""SLIM's columns by coordinate descent over dense X in float64, one coordinate after the other: slow and obvious."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from matinee.data.interactions import Interactions
from tests.reference.item_item import dense


def ridges(log: Interactions, l2: float, exponent: float) -> NDArray[np.float64]:
    """(I,) l2 of each item's weights: in proportion to a power of its squared confidences, l2 at their mean."""
    mass = (dense(log) ** 2).sum(axis=0)
    mean = sum(mass) / sum(mass > 0)
    return np.array([l2 * (one / mean) ** exponent if one else l2 for one in mass])


def slim(
    log: Interactions, l1: float, l2: NDArray[np.float64], *, non_negative: bool, sweeps: int = 3000
) -> NDArray[np.float64]:
    """(I, I) column i: the weights of the items that speak for item i."""
    x = dense(log)
    n = log.n_items
    out = np.zeros((n, n))
    for i in range(n):
        weights, residual = out[:, i], x[:, i].copy()
        for _ in range(sweeps):
            before = weights.copy()
            for k in range(n):
                if k == i or not x[:, k].any():
                    continue
                pull = x[:, k] @ (residual + x[:, k] * weights[k])
                size = max(abs(pull) - l1, 0.0)
                new = np.sign(pull) * size / (x[:, k] @ x[:, k] + l2[k])
                new = max(new, 0.0) if non_negative else new
                residual += x[:, k] * (weights[k] - new)
                weights[k] = new
            if np.abs(weights - before).max() < 1e-12:
                break
    return out


def worst_slope(
    log: Interactions, weights: NDArray[np.float64], l1: float, l2: NDArray[np.float64], *, non_negative: bool
) -> float:
    """By how much the optimality conditions fail at worst, in the units of X'X: 0 at the optimum (KKT)."""
    x, worst = dense(log), 0.0
    slopes = x.T @ (x - x @ weights) - l2[:, None] * weights
    for i in range(log.n_items):
        for k in range(log.n_items):
            slope, weight = slopes[k, i], weights[k, i]
            if k == i:
                assert weight == 0
            elif weight != 0:
                worst = max(worst, abs(slope - l1 * np.sign(weight)))
            else:
                worst = max(worst, slope - l1, 0.0 if non_negative else -slope - l1)
            assert weight >= 0 or not non_negative
    return worst
