"""LensKit's side. Run by its own interpreter; prints JSON.

    PYTHON peer_lenskit.py ease TRAIN.npz LISTS.npz EVERY     EASE: fit, and ten for users whose id it divides

Ranking takes one process; two would at best halve the seconds. All is done once on a few rows before it is timed:
loading code is not the stage.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
from lenskit import batch
from lenskit.data import from_interactions_df
from lenskit.knn import EASEScorer
from lenskit.pipeline import topn_pipeline


def ease(frame: pd.DataFrame, asked: np.ndarray) -> tuple[dict[str, float], np.ndarray]:
    few = from_interactions_df(frame.head(2000).copy())
    warm = topn_pipeline(EASEScorer, {"regularization": 500.0}, n=10)
    warm.train(few)
    batch.recommend(warm, frame["user_id"].head(2000).unique(), n=10, n_jobs=1)
    log = from_interactions_df(frame)
    pipeline = topn_pipeline(EASEScorer, {"regularization": 500.0}, n=10)
    start = _now()
    pipeline.train(log)
    fitted = _now()
    found = batch.recommend(pipeline, asked, n=10, n_jobs=1)
    ranked = _now()
    table = np.full((len(asked), 10), -1, np.int64)
    for key, items in found.items():
        ids = items.ids()
        table[np.searchsorted(asked, key.user_id), : len(ids)] = ids
    return {**_took("fit", start, fitted), **_took("top10", fitted, ranked)}, table


def _now() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def _took(name: str, start: tuple[float, float], end: tuple[float, float]) -> dict[str, float]:
    return {name: end[0] - start[0], f"{name}_cpu": end[1] - start[1]}


def main() -> None:
    _, train, target, every = sys.argv[1:]
    stored = np.load(Path(train))
    asked = np.unique(stored["users"])
    asked = asked[asked % int(every) == 0]
    took, found = ease(pd.DataFrame({"user_id": stored["users"], "item_id": stored["items"]}), asked)
    np.savez(target, users=asked, items=found)
    print(json.dumps(took))


if __name__ == "__main__":
    main()
