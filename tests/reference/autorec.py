"""AutoRec as dense float64 algebra, one row at a time."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from matinee.data.interactions import Interactions

Known = dict[int, tuple[float, float]]
"""What is known of a row: for each column the number that goes in, and its confidence."""


def known(log: Interactions, user: int, centre: float | None) -> Known:
    """By item: 1, or its newest rating less `centre`; with the largest confidence, or that of the rating."""
    found: Known = {}
    for event in range(log.indptr[user], log.indptr[user + 1]):
        item, value = int(log.items[event]), float(log.values[event])
        if centre is None:
            found[item] = 1.0, max(value, found.get(item, (1.0, -np.inf))[1])
        elif "rating" in log.columns and np.isfinite(log.columns["rating"][event]):
            found[item] = float(log.columns["rating"][event]) - centre, value
    return found


def turned(rows: list[Known], n: int) -> list[Known]:
    """Of each of n columns what its rows are."""
    return [{row: entries[column] for row, entries in enumerate(rows) if column in entries} for column in range(n)]


def copied(row: Known, net: Mapping[str, NDArray[np.floating]], activation: str) -> NDArray[np.float64]:
    """(N,) what one hidden layer makes of a row: V (N, D), m (D,), W (N, D), b (N,)."""
    return net["W"].astype(float) @ hidden(row, net, activation) + net["b"]


def hidden(row: Known, net: Mapping[str, NDArray[np.floating]], activation: str) -> NDArray[np.float64]:
    sums = net["m"].astype(float)
    for column, (number, _) in row.items():
        sums = sums + number * net["V"][column]
    return np.tanh(sums) if activation == "tanh" else 1 / (1 + np.exp(-sums))


def lost(row: Known, scores: NDArray[np.float64], kind: str) -> float:
    """By a network that gives one row these scores: rated, squared or logistic."""
    total = 0.0
    for column, score in enumerate(scores.tolist()):
        number, confidence = row.get(column, (0.0, 1.0))
        if kind == "rated":
            total += confidence * (score - number) ** 2 if column in row else 0.0
        elif kind == "squared":
            total += confidence * (score - number) ** 2
        else:
            total -= confidence * np.log(1 / (1 + np.exp(-score if column in row else score)))
    return total


def folded(row: Known, codes: NDArray[np.floating], l2: float, centre: float | None) -> NDArray[np.float64]:
    """(I,) scores by a ridge regression on codes (I, D), written as least squares with more rows."""
    items = sorted(row) if centre is not None else list(range(len(codes)))
    wanted = [row[item][0] if item in row else 0.0 for item in items]
    rows = np.vstack([codes[items].astype(float), np.sqrt(l2) * np.eye(codes.shape[1])])
    x = np.linalg.lstsq(rows, np.array(wanted + [0.0] * codes.shape[1]), rcond=None)[0]
    return codes @ x + (centre or 0.0)


def biases(ratings: NDArray[np.floating], seen: NDArray[np.bool_], l2: float) -> NDArray[np.float64]:
    """(U, I) mean + user's bias + item's bias, each shrunk as by l2 ratings of the mean."""
    mean = float(ratings[seen].mean())
    rest = np.where(seen, ratings - mean, 0.0)
    users, items = np.zeros(len(rest)), np.zeros(rest.shape[1])
    for _ in range(50):
        items = (rest - seen * users[:, None]).sum(0) / (seen.sum(0) + l2)
        users = (rest - seen * items).sum(1) / (seen.sum(1) + l2)
    return mean + users[:, None] + items
