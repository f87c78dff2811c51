"""Matinee's side, one stage a process, in the order a user meets them; prints JSON.

    python -m benchmarks.speed.ours csv FOLDER
    python -m benchmarks.speed.ours ease FOLDER LISTS.npz
    python -m benchmarks.speed.ours metrics FOLDER
    python -m benchmarks.speed.ours scoring SYNTHETIC
    python -m benchmarks.speed.ours warm                    kernels compiled and stored, so that no figure holds that
"""

from __future__ import annotations

import ctypes
import gc
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.speed.held_out import held_out

import matinee
from matinee.experiment.stages import StageData, final_stage
from matinee.ranking.recommend import recommend_blocks

TEN = ("recall@10", "ndcg@10", "hit_rate@10", "precision@10", "map@10", "mrr@10", "novelty@10", "diversity@10",
       "popularity@10", "coverage@10")
SEGMENTS = ("hidden_part", "history_length", "active_span")
PERSONAL = ("item_knn", "ease", "als")


def csv(folder: str) -> dict[str, float]:
    load = matinee.load  # what it imports is not the stage, on either side
    start, cpu = time.perf_counter(), time.process_time()
    dataset = load(folder)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    return {"dataset": seconds, "dataset_cpu": cpu, "users": dataset.n_users, "items": dataset.n_items,
            "events": len(dataset.log)}


def ease(folder: str, lists: str) -> dict[str, float]:
    stage = held_out(folder)
    recipe = matinee.recipe("ease", {"l2": 500.0})
    start = time.perf_counter(), time.process_time()
    scorer = recipe.fit(stage.fit)
    fitted = time.perf_counter(), time.process_time()
    found = stage.recommend(scorer, 10)
    users, items = stage.fit.users.decode(found.users), stage.fit.items.decode(found.items.ravel())
    ranked = time.perf_counter(), time.process_time()
    np.savez(lists, users=users.cast(int).to_numpy(), items=items.cast(int).to_numpy().reshape(-1, 10))
    return {"fit": fitted[0] - start[0], "fit_cpu": fitted[1] - start[1],
            "top10": ranked[0] - fitted[0], "top10_cpu": ranked[1] - fitted[1]}


def metrics(folder: str) -> dict[str, float]:
    stage = held_out(folder)
    lists = stage.recommend(matinee.recipe("item_knn", {}).fit(stage.fit), 10)
    seconds = {"ten": _seconds(lambda: stage.measure(lists, TEN))}
    seconds["ten_again"] = _seconds(lambda: stage.measure(lists, TEN))
    seconds["ten_in_segments"] = _seconds(lambda: stage.measure(lists, TEN, SEGMENTS))
    return {**seconds, "users": len(lists)}


def scoring(spec: str) -> dict[str, Any]:
    """Of each model: what ranking everybody, block by block, adds to the resident size, in MB."""
    dataset = matinee.load(spec)
    out: dict[str, Any] = {"users": dataset.n_users, "items": dataset.n_items, "events": len(dataset.log),
                           "log_mb": _log_mb(dataset.log)}
    stage = final_stage(dataset, np.arange(dataset.n_users), ())
    for name in PERSONAL:
        scorer = matinee.recipe(name, {}).fit(dataset)
        out[name] = _added_mb(stage, scorer)
    return out


def warm() -> dict[str, float]:
    stage = matinee.stages(matinee.load("synthetic:400x300"))["test"]
    for name in PERSONAL:
        stage.measure(stage.recommend(matinee.recipe(name, {}).fit(stage.fit), 10), TEN, SEGMENTS)
    return {}


def _added_mb(stage: StageData, scorer: Any) -> float:
    ask, fallback = stage.ask, stage.fallback  # the stage makes these once, whoever scores
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # memory freed before must not serve unseen
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
    before = _status_mb("VmRSS")
    for _ in recommend_blocks(scorer, ask, stage.users, 10, repeats=False, fallback=fallback):
        pass
    return _status_mb("VmHWM") - before


def _status_mb(name: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(name + ":"))


def _log_mb(log: Any) -> float:
    arrays = (log.indptr, log.items, log.values, log.times, *log.columns.values())
    return sum(array.nbytes for array in arrays) / 2**20


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    what, *paths = sys.argv[1:]
    stages: dict[str, Callable[..., dict[str, Any]]] = {
        "csv": csv, "ease": ease, "metrics": metrics, "scoring": scoring, "warm": warm}
    print(json.dumps(stages[what](*paths)))
