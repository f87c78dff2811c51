"""Histories times item-item weights, popularity, item kNN and EASE as loops over plain numbers: slow and obvious."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from matinee.data.interactions import Interactions


def distinct(log: Interactions, user: int) -> dict[int, float]:
    """item -> its largest confidence, items ascending."""
    out: dict[int, float] = {}
    for event in range(log.indptr[user], log.indptr[user + 1]):
        item, value = int(log.items[event]), float(log.values[event])
        out[item] = max(value, out.get(item, -np.inf))
    return dict(sorted(out.items()))


def scores(weights: NDArray[np.float32], history: Interactions) -> NDArray[np.float32]:
    """weights (I, I), history of B users -> (B, I), summed in float32 in ascending order of the history's items."""
    out = np.zeros((history.n_users, len(weights)), np.float32)
    for user in range(history.n_users):
        for item, value in distinct(history, user).items():
            for target in range(len(weights)):
                out[user, target] = np.float32(out[user, target] + np.float32(value) * weights[item, target])
    return out


def dense(log: Interactions) -> NDArray[np.float64]:
    """(U, I) a pair's largest confidence, 0 where nothing was observed."""
    out = np.zeros((log.n_users, log.n_items))
    for user in range(log.n_users):
        for item, value in distinct(log, user).items():
            out[user, item] = value
    return out


def gram(log: Interactions) -> NDArray[np.float64]:
    """(I, I) sum over users of x_ui x_uj."""
    out = np.zeros((log.n_items, log.n_items))
    for user in range(log.n_users):
        mine = distinct(log, user)
        for i, x in mine.items():
            for j, y in mine.items():
                out[i, j] += x * y
    return out


def item_knn(
    log: Interactions, neighbours: int, shrink: float, similarity: str = "cosine", alpha: float = 0.5
) -> NDArray[np.float64]:
    """(I, I) weights: column i holds the `neighbours` largest similarities of item i, all else zero.

    Similarities are equal, and the smaller item goes first, where they are equal as float32.
    """
    columns = told(log, similarity)
    n = log.n_items
    out = np.zeros((n, n))
    for i in range(n):
        similar = []
        for j in range(n):
            both, mine, theirs = (sum(columns[user][a] * columns[user][b] for user in range(log.n_users))
                                  for a, b in ((i, j), (i, i), (j, j)))
            bottom = {
                "asymmetric_cosine": mine ** (1 - alpha) * theirs**alpha,
                "jaccard": mine + theirs - both,
                "bm25": 1,
            }.get(similarity, np.sqrt(mine) * np.sqrt(theirs))
            if i != j and both > 0:
                similar.append((-np.float32(both / (bottom + shrink)), j))
        for value, j in sorted(similar)[:neighbours]:
            out[j, i] = -value
    return out


def told(log: Interactions, similarity: str) -> NDArray[np.float64]:
    """(U, I) confidences, for tfidf and bm25 weighted by who has them and by who else has the item."""
    out = np.zeros((log.n_users, log.n_items))
    for user in range(log.n_users):
        for item, value in distinct(log, user).items():
            out[user, item] = value
    lengths = out.sum(axis=0)
    for user in range(log.n_users):
        n = (out[user] > 0).sum()
        for item in np.flatnonzero(out[user]):
            x = out[user, item]
            if similarity == "tfidf":
                out[user, item] = x * np.log(1 + log.n_items / n)
            if similarity == "bm25":
                saturated = x * 2.2 / (x + 1.2 * (0.2 + 0.8 * lengths[item] / lengths.mean()))
                out[user, item] = saturated * np.log(1 + (log.n_items - n + 0.5) / (n + 0.5))
    return out


def pooled(weights: NDArray[np.float64], history: Interactions, pool: str) -> NDArray[np.float64]:
    """(B, I) the largest or the mean of value x weight over the history's items that have a weight; 0 of none."""
    out = np.zeros((history.n_users, len(weights)))
    for user in range(history.n_users):
        for target in range(len(weights)):
            said = [value * weights[item, target] for item, value in distinct(history, user).items()
                    if weights[item, target]]
            if said:
                out[user, target] = max(said) if pool == "max" else sum(said) / len(said)
    return out


def ease(log: Interactions, l2: float, dropout: float = 0.0) -> NDArray[np.float64]:
    """(I, I) each column the ridge regression of one item on all others (Steck 2019, before the closed form).

    Of a history whose events are kept with a chance q = 1 - dropout, and then stand for 1 / q, the mean square is
    1 / q and not 1: the ridge of dropout (Steck 2020).
    """
    products = gram(log)
    n = log.n_items
    out = np.zeros((n, n))
    for i in range(n):
        others = [j for j in range(n) if j != i]
        left = products[np.ix_(others, others)] + l2 * np.eye(n - 1)
        for at, j in enumerate(others):
            left[at, at] += products[j, j] * (1 / (1 - dropout) - 1)
        out[others, i] = np.linalg.solve(left, products[others, i])
    return out


def pair_features(log: Interactions, pairs: list[tuple[int, int]]) -> NDArray[np.float64]:
    """(U, I + M) of each user the items, then the pairs, at the smaller of the two confidences."""
    out = np.zeros((log.n_users, log.n_items + len(pairs)))
    for user in range(log.n_users):
        mine = distinct(log, user)
        for item, value in mine.items():
            out[user, item] = value
        for at, (i, j) in enumerate(pairs):
            if i in mine and j in mine:
                out[user, log.n_items + at] = min(mine[i], mine[j])
    return out


def frequent_pairs(log: Interactions, count: int) -> list[tuple[int, int]]:
    """The pairs with the largest entries of X'X, where that is above zero; the smaller items first among equals."""
    products = gram(log)
    n = log.n_items
    order = sorted((-products[i, j], i, j) for i in range(n) for j in range(i + 1, n) if products[i, j] > 0)
    return sorted((i, j) for _, i, j in order[:count])


def ease_pairs(log: Interactions, pairs: list[tuple[int, int]], l2: float, l2_pairs: float) -> NDArray[np.float64]:
    """(I + M, I) each column the ridge regression of an item on all others and on the pairs that do not hold it."""
    features, n = pair_features(log, pairs), log.n_items
    out = np.zeros((features.shape[1], n))
    for i in range(n):
        others = [j for j in range(n) if j != i] + [n + at for at, pair in enumerate(pairs) if i not in pair]
        ridge = np.diag([l2 if j < n else l2_pairs for j in others])
        x = features[:, others]
        out[others, i] = np.linalg.solve(x.T @ x + ridge, x.T @ features[:, i])
    return out
