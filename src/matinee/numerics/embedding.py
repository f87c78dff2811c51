"""Points of many dimensions on a page: t-SNE, which keeps near what is near and lets go of the rest.

van der Maaten, Hinton, Visualizing Data using t-SNE, JMLR 2008, over all pairs: N points take N^2 x (D + 10 STEPS)
operations and 40 N^2 bytes, so a few hundred. It starts from the two widest directions and draws nothing at random.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

STEPS, EARLY = 300, 80
"""Of descent; in the first of them nearness counts four times, so that clumps find together."""
NEIGHBOURS = 20
"""So many points are about what a point keeps near: the perplexity."""

Points = NDArray[np.float64]


def widest(points: Points) -> tuple[Points, float]:
    """points (N, D), N and D at least 2 -> their two principal components (N, 2), and the share of the variance there.

    The sign of each is such that its longest entry is positive.
    """
    with threadpool_limits(1, "blas"):  # more threads would part the sums, and so the bits, in another way
        left, sizes, _ = np.linalg.svd(points - points.mean(axis=0), full_matrices=False)
    left = left[:, :2] * np.sign(left[np.abs(left[:, :2]).argmax(axis=0), [0, 1]] + 1e-300)
    total = float(np.square(sizes).sum())
    return left * sizes[:2], float(np.square(sizes[:2]).sum()) / total if total else 0.0


def on_a_page(points: Points) -> Points:
    """points (N, D) -> (N, 2), the widest direction across."""
    start = widest(points)[0]
    near = _nearness(points)
    y = start / max(float(start.std()), 1e-12) * 1e-2
    speed = np.zeros_like(y)
    with threadpool_limits(1, "blas"):
        for step in range(STEPS):
            early = step < EARLY
            pull = 1 / (1 + _distances(y))
            np.fill_diagonal(pull, 0)
            force = ((4 if early else 1) * near - pull / pull.sum()) * pull
            slope = force.sum(axis=1)[:, None] * y - force @ y
            speed = (0.5 if early else 0.8) * speed - len(y) * slope
            y = y + speed
    return widest(y)[0]


def _nearness(points: Points) -> Points:
    """(N, N) the joint probabilities of the paper; each row's bell is as wide as takes in NEIGHBOURS points."""
    away = _distances(points)
    np.fill_diagonal(away, np.inf)
    away -= away.min(axis=1)[:, None]
    wanted = np.log(min(NEIGHBOURS, (len(points) - 1) / 3))
    low, high = np.full(len(points), 1e-6), np.full(len(points), 1e6)
    for _ in range(50):
        middle = np.sqrt(low * high)
        share = np.exp(-away * middle[:, None])
        share /= share.sum(axis=1)[:, None]
        wide = -(share * np.log(np.maximum(share, 1e-300))).sum(axis=1) > wanted
        low, high = np.where(wide, middle, low), np.where(wide, high, middle)
    joint: Points = (share + share.T) / (2 * len(points))
    return joint


def _distances(points: Points) -> Points:
    """(N, N) squared."""
    lengths = np.square(points).sum(axis=1)
    squares: Points = lengths[:, None] + lengths - 2 * points @ points.T
    return np.maximum(squares, 0, out=squares)
