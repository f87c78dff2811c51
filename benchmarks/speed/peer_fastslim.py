"""fastslim's side. Run by its own interpreter; prints JSON.

    PYTHON peer_fastslim.py slim TRAIN.npz LISTS.npz L1 L2

It is done once on a few rows before it is timed: loading code is not the stage.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np
from fastslim import SLIM
from scipy.sparse import csr_matrix

PASSES = 50
"""As in the peer's own benchmark; its default of 1000 takes longer, to the same lists but for a few."""


def slim(log: csr_matrix, l1: str, l2: str) -> tuple[dict[str, float], np.ndarray]:
    model = SLIM(lambd=float(l1), beta=float(l2), max_iter=PASSES)
    model.fit(log[:100, :500]).recommend(log[:100, :500], k=10)
    start = _now()
    model.fit(log)
    fitted = _now()
    items = model.recommend(log, k=10, batch_size=1024)
    ranked = _now()
    return {**_took("fit", start, fitted), **_took("top10", fitted, ranked)}, items


def _now() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def _took(name: str, start: tuple[float, float], end: tuple[float, float]) -> dict[str, float]:
    return {name: end[0] - start[0], f"{name}_cpu": end[1] - start[1]}


def main() -> None:
    _, train, target, *more = sys.argv[1:]
    stored = np.load(Path(train))
    users, rows = np.unique(stored["users"], return_inverse=True)
    items, columns = np.unique(stored["items"], return_inverse=True)
    log = csr_matrix((np.ones(len(rows)), (rows, columns)), shape=(len(users), len(items)))
    took, found = slim(log, *more)
    np.savez(target, users=users, items=items[found])
    print(json.dumps(took))


if __name__ == "__main__":
    main()
