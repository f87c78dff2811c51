"""Ageing histories, half-lives of clusters and foretold ratings, event by event from their formulas."""

from __future__ import annotations

import math

import numpy as np

from matinee.data.interactions import Interactions

DAY = 86_400


def aged_scores(weights: np.ndarray, log: Interactions, rates: list[float], per_span: bool = False) -> np.ndarray:
    """weights (I, I) row = item of the history; rates (I,) halvings a day, or in a user's whole span."""
    out = np.zeros((log.n_users, log.n_items))
    for user in range(log.n_users):
        mine = range(log.indptr[user], log.indptr[user + 1])
        if not mine:
            continue
        newest, oldest = log.times[mine[-1]], log.times[mine[0]]
        told: dict[int, float] = {}
        for event in mine:
            item = int(log.items[event])
            age = (newest - log.times[event]) / (max(newest - oldest, 1) if per_span else DAY)
            told[item] = max(told.get(item, 0.0), float(log.values[event]) * 0.5 ** (age * rates[item]))
        for item, value in told.items():
            out[user] += value * weights[item]
    return out


def learnt(
    weights: np.ndarray, earlier: Interactions, asked: list[int], labels: list[int], grid: list[float]
) -> list[float]:
    """A rate a cluster: the largest cluster (by the history's distinct items) first, the best of the grid for each."""
    seen = [set(earlier.items[earlier.indptr[u] : earlier.indptr[u + 1]].tolist()) for u in range(earlier.n_users)]
    sizes = {cluster: sum(labels[item] == cluster for items in seen for item in items) for cluster in set(labels)}

    def gain(rates: dict[int, float]) -> float:
        scores = aged_scores(weights, earlier, [rates[label] for label in labels]).astype(np.float32)
        total = 0.0
        for user, item in enumerate(asked):
            others = [i for i in range(earlier.n_items) if i != item and i not in seen[user]]
            better = sum(bool(scores[user, i] > scores[user, item]) for i in others)
            equal = sum(bool(scores[user, i] == scores[user, item]) for i in others) + 1
            total += 1 / math.log2(2 + better + equal // 2)
        return total / len(asked)

    rates = dict.fromkeys(sizes, grid[0])
    best = gain(rates)
    for cluster in sorted(sizes, key=lambda cluster: (-sizes[cluster], cluster)):
        for rate in grid[1:]:
            tried = {**rates, cluster: rate}
            if sizes[cluster] and gain(tried) > best:
                best, rates = gain(tried), tried
    return [rates[label] for label in labels]


def foretold(weights: np.ndarray, log: Interactions, ratings: list[float], damping: float) -> np.ndarray:
    """(B, I) the mean of the newest rating of each item of a history, weighted by its value and similarity."""
    out = np.zeros((log.n_users, log.n_items))
    for user in range(log.n_users):
        newest = {int(log.items[e]): (float(log.values[e]), ratings[e])
                  for e in range(log.indptr[user], log.indptr[user + 1])}
        above = sum((value * rating * weights[item] for item, (value, rating) in newest.items()), np.zeros(log.n_items))
        below = sum((value * weights[item] for item, (value, _) in newest.items()), np.zeros(log.n_items))
        out[user] = above / (below + damping)
    return out
