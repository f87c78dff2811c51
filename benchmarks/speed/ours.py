"""Matinee's side, one stage a process, in the order a user meets them; prints JSON.

    python -m benchmarks.speed.ours csv FOLDER
    python -m benchmarks.speed.ours ease FOLDER LISTS.npz [EVERY]     ten for users whose id it divides
    python -m benchmarks.speed.ours slim FOLDER LISTS.npz L1 L2
    python -m benchmarks.speed.ours item_knn FOLDER LISTS.npz NEIGHBOURS
    python -m benchmarks.speed.ours (als | bpr) FOLDER (LISTS.npz | -) DIM EPOCHS ...
    python -m benchmarks.speed.ours multi_vae FOLDER EPOCHS BATCH HIDDEN CODE PRECISION
    python -m benchmarks.speed.ours metrics FOLDER
    python -m benchmarks.speed.ours scoring SYNTHETIC
    python -m benchmarks.speed.ours warm                    kernels compiled and stored, so that no figure holds that

What is timed against a peer is done once on a few rows before, on both sides: loading code is not the stage.
"""

from __future__ import annotations

import ctypes
import gc
import json
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from benchmarks.speed.held_out import held_out, in_raw_ids, now, sample, seconds_of
from numpy.typing import NDArray

import matinee
from matinee.experiment.stages import StageData, final_stage
from matinee.numerics.item_item import FEW
from matinee.ranking.recommend import recommend_blocks

Numbers = NDArray[np.int64]

TEN = ("recall@10", "ndcg@10", "hit_rate@10", "precision@10", "map@10", "mrr@10", "novelty@10", "diversity@10",
       "popularity@10", "coverage@10")
FIVE = ("recall@10", "mrr@10", "ndcg@10", "hit_rate@10", "precision@10")  # what RecBole's evaluation computes
SEGMENTS = ("hidden_part", "history_length", "active_span")
ALS = {"unobserved_weight": 0.5, "l2": 10.0, "regularisation_exponent": 0.0}  # the peer's objective: peer_implicit.py
PERSONAL = ("item_knn", "ease", "als")


def csv(folder: str) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as few:
        Path(few, "train").mkdir()
        Path(few, "train", "train_ratings.csv").write_text("user,item,time\n1,1,1\n1,2,2\n2,1,3\n")
        matinee.load(few)
    start = now()
    dataset = matinee.load(folder)
    took = seconds_of("dataset", start, now())
    return {**took, "users": dataset.n_users, "items": dataset.n_items, "events": len(dataset.log)}


def ease(folder: str, target: str, every: str = "1") -> dict[str, float]:
    return _fit_and_rank(folder, target, "ease", {"l2": 500.0}, int(every))


def slim(folder: str, target: str, l1: str, l2: str) -> dict[str, float]:
    """The peer's objective and tolerance."""
    params = {"l1": float(l1), "l2": float(l2), "regularisation_exponent": 0.0, "passes": 1000, "tolerance": 1e-4}
    return _fit_and_rank(folder, target, "slim", params)


def item_knn(folder: str, target: str, neighbours: str) -> dict[str, float]:
    settings = {"similarity": "cosine", "neighbours": int(neighbours), "shrink": 0.0}  # what implicit's cosine is
    return _fit_and_rank(folder, target, "item_knn", settings)


def als(folder: str, target: str, dim: str, *epochs: str) -> dict[str, float]:
    return _after_epochs(folder, target, "als", {**ALS, "dim": int(dim)}, epochs)


def bpr(folder: str, target: str, dim: str, *epochs: str) -> dict[str, float]:
    return _after_epochs(folder, target, "bpr", {"dim": int(dim)}, epochs)


def multi_vae(folder: str, epochs: str, batch: str, hidden: str, code: str, precision: str) -> dict[str, float]:
    """The first epoch holds all that is made before it."""
    stage, few = held_out(folder), _few()
    settings = {"batch_size": int(batch), "hidden": [int(hidden)], "dim": int(code), "dropout": 0.5,
                "precision": precision}
    few.measure(few.recommend(matinee.recipe("multi_vae", {**settings, "epochs": 1}).fit(few.fit), 10), FIVE)
    times = [now()]
    run = matinee.Run(journal=lambda facts: times.append(now()))
    scorer = matinee.recipe("multi_vae", {**settings, "epochs": int(epochs)}).fit(stage.fit, run)
    each = [seconds_of("epoch", start, end) for start, end in pairwise(times)]
    start = now()
    figures = {row.metric: row.value for row in stage.measure(stage.recommend(scorer, 10), FIVE)}
    evaluation = seconds_of("evaluation", start, now())
    return {**{name: median(one[name] for one in each) for name in each[0]}, **evaluation,
            "evaluation_of_many": evaluation["evaluation"], "evaluation_of_many_cpu": evaluation["evaluation_cpu"],
            "users": len(stage.users), "ndcg@10": figures["ndcg@10"]}


def _after_epochs(
    folder: str, target: str, name: str, params: dict[str, Any], epochs: tuple[str, ...]
) -> dict[str, float]:
    stage = held_out(folder)
    matinee.recipe(name, params).fit(_few().fit)
    took: dict[str, float] = {}
    lists: dict[str, Numbers] = {}
    for count in epochs:
        recipe = matinee.recipe(name, {**params, "epochs": int(count)})
        start = now()
        scorer = recipe.fit(stage.fit)
        took |= seconds_of(f"fit_{count}", start, now())
        if target != "-":
            lists["users"], lists[f"items_{count}"] = in_raw_ids(stage, stage.recommend(scorer, 10))
    if lists:
        np.savez(target, **lists)
    return took


def _fit_and_rank(folder: str, target: str, name: str, params: dict[str, Any], every: int = 1) -> dict[str, float]:
    stage, recipe, few = held_out(folder), matinee.recipe(name, params), _few()
    few.recommend(recipe.fit(few.fit), 10)
    start = now()
    scorer = recipe.fit(stage.fit)
    fitted = now()
    users, items = in_raw_ids(stage, stage.recommend(scorer, 10, users=sample(stage, every)))
    ranked = now()
    np.savez(target, users=users, items=items)
    return {**seconds_of("fit", start, fitted), **seconds_of("top10", fitted, ranked)}


def _few() -> StageData:
    """Enough users that everything is loaded which ranks many at a time."""
    return matinee.stages(matinee.load(f"synthetic:{FEW + 500}x300"))["test"]


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
    stage = _few()
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
        "csv": csv, "ease": ease, "slim": slim, "item_knn": item_knn, "als": als, "bpr": bpr, "multi_vae": multi_vae,
        "metrics": metrics,
        "scoring": scoring, "warm": warm,
    }
    print(json.dumps(stages[what](*paths)))
