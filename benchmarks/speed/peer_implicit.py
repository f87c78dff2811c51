"""implicit's side. Run by its own interpreter; prints JSON.

    PYTHON peer_implicit.py item_knn TRAIN.npz LISTS.npz NEIGHBOURS
    PYTHON peer_implicit.py (als | bpr) TRAIN.npz (LISTS.npz | -) FACTORS ITERATIONS ...

Each is done once on a few rows before it is timed: loading code is not the stage.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from implicit.als import AlternatingLeastSquares
from implicit.bpr import BayesianPersonalizedRanking
from implicit.nearest_neighbours import CosineRecommender
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_limits

Took = dict[str, float]
Tables = dict[str, np.ndarray]

ALPHA, REGULARISATION = 3.0, 30.0
"""The best of twelve pairs (alpha 1 to 30, regularisation 0.01 to 80) by recall@10 with 64 factors on this log. Its
objective is that of an unobserved weight 1 / (alpha - 1) = 0.5 and l2 10, with all rows regularised alike: the factors
differ by a number alone, so both sides minimise the same."""

BPR = {"learning_rate": 0.02, "regularization": 0.01}
"""Of nine pairs (0.01 to 0.1 by 0.003 to 0.1) the one that is soonest, after ten iterations, within 0.001 of the best
recall@10 that any of them found with 64 factors on this log: 0.0487."""


def item_knn(log: csr_matrix, wanted: bool, neighbours: str) -> tuple[Took, Tables]:
    few, everybody = np.arange(100), np.arange(log.shape[0])
    model = CosineRecommender(K=int(neighbours))
    model.fit(log[few], show_progress=False)
    model.recommend(few, log[few], N=10)
    start = _now()
    model.fit(log, show_progress=False)
    fitted = _now()
    items, _ = model.recommend(everybody, log, N=10, filter_already_liked_items=True)
    ranked = _now()
    return {**_took("fit", start, fitted), **_took("top10", fitted, ranked)}, {"items": items} if wanted else {}


def als(log: csr_matrix, wanted: bool, factors: str, *iterations: str) -> tuple[Took, Tables]:
    def model(count: int) -> AlternatingLeastSquares:
        return AlternatingLeastSquares(factors=int(factors), iterations=count, alpha=ALPHA,
                                       regularization=REGULARISATION, random_state=0)

    return _after_iterations(log, wanted, model, iterations)


def bpr(log: csr_matrix, wanted: bool, factors: str, *iterations: str) -> tuple[Took, Tables]:
    def model(count: int) -> BayesianPersonalizedRanking:
        return BayesianPersonalizedRanking(factors=int(factors), iterations=count, random_state=0, **BPR)

    return _after_iterations(log, wanted, model, iterations)


def _after_iterations(
    log: csr_matrix, wanted: bool, model: Callable[[int], Any], iterations: tuple[str, ...]
) -> tuple[Took, Tables]:
    everybody, took, lists = np.arange(log.shape[0]), {}, {}
    model(1).fit(log[:100], show_progress=False)
    for count in iterations:
        fitted = model(int(count))
        start = _now()
        fitted.fit(log, show_progress=False)
        took |= _took(f"fit_{count}", start, _now())
        if wanted:
            lists[f"items_{count}"], _ = fitted.recommend(everybody, log, N=10, filter_already_liked_items=True)
    return took, lists


def _now() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def _took(name: str, start: tuple[float, float], end: tuple[float, float]) -> Took:
    return {name: end[0] - start[0], f"{name}_cpu": end[1] - start[1]}


def main() -> None:
    what, train, target, *more = sys.argv[1:]
    threadpool_limits(1, "blas")  # as the library asks for: it brings threads of its own
    stored = np.load(Path(train))
    users, rows = np.unique(stored["users"], return_inverse=True)
    items, columns = np.unique(stored["items"], return_inverse=True)
    log = csr_matrix((np.ones(len(rows), np.float32), (rows, columns)), shape=(len(users), len(items)))
    took, lists = {"item_knn": item_knn, "als": als, "bpr": bpr}[what](log, target != "-", *more)
    if lists:
        np.savez(target, users=users, **{name: np.where(found < 0, -1, items[found]) for name, found in lists.items()})
    print(json.dumps(took))


if __name__ == "__main__":
    main()
