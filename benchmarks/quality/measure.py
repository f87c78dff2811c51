"""Measure one model at one setting on one protocol, in a process of its own:

    python -m benchmarks.quality.measure PROTOCOL MODEL SETTINGS [--seeds N ...] [--hits FILE]

SETTINGS is JSON. Prints one JSON object: of each seed the figures, their intervals, standard errors and seconds. The
file of hits holds the first seed's, a bit a place of each list: what every accuracy metric of each user is made of.
"""

from __future__ import annotations

import argparse
import atexit
import json
import os
import shutil
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.quality.bench import METRICS, protocols
from numpy.typing import NDArray

import matinee
from matinee.config import ModelEntry, experiment_from
from matinee.contract import Scorer
from matinee.data.dataset import Dataset
from matinee.evaluation.accuracy import per_user
from matinee.evaluation.formulas import MEASURES, Hits
from matinee.evaluation.hits import find
from matinee.experiment.fitting import Fitter
from matinee.experiment.stages import StageData
from matinee.ranking.lists import Lists
from matinee.split.parts import Truth

K = 10


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("protocol")
    parser.add_argument("model")
    parser.add_argument("settings", type=json.loads)
    parser.add_argument("--seeds", type=int, nargs="+", help="in place of the protocol's")
    parser.add_argument("--hits", type=Path)
    asked = parser.parse_args()
    block = protocols()[asked.protocol]
    dataset = read(block)
    runs, seeds = [], asked.seeds or block["seeds"]
    for seed in seeds:
        stages = matinee.stages(dataset, {**block["split"], "seed": seed})
        run, lists = one(asked.model, asked.settings, block, stages, seed)
        runs.append(run)
        if asked.hits is not None and seed == seeds[0]:
            keep(lists, stages["test"].truth, asked.hits)
    print(json.dumps({"runs": runs}))


def read(block: Mapping[str, Any]) -> Dataset:
    """The data of a protocol. Raises SystemExit where they are not those that its figures were made for."""
    settings = dict(block["data"])
    dataset = matinee.load(Path(os.environ["MATINEE_TEST_DATA"]) / settings.pop("path"), **settings)
    counts = {"users": dataset.n_users, "items": dataset.n_items, "events": len(dataset.log)}
    if counts != block["counts"]:
        raise SystemExit(f"the data have {counts} where the protocol was made for {block['counts']}")
    return dataset


def entry_of(
    model: str, settings: Mapping[str, Any], block: Mapping[str, Any], seed: int
) -> tuple[ModelEntry, Fitter]:
    """The model as an experiment would have it, which also knows confidences and early stopping."""
    experiment = experiment_from({
        "name": "quality", "seed": seed, "data": {"path": "-"}, "evaluate": {"metrics": [block["main"]]},
        "models": [{"id": "model", "model": model, **settings}]}, Path.cwd())
    checkpoints = Path(tempfile.mkdtemp(prefix="matinee-quality-"))  # a fit of other settings must not find them
    atexit.register(shutil.rmtree, checkpoints, ignore_errors=True)
    fitter = Fitter(experiment, matinee.Run().threads, lambda what, done, total: None, lambda facts: None, checkpoints)
    return experiment.models[0], fitter


def fitted(entry: ModelEntry, fitter: Fitter, stages: Mapping[str, StageData], stage: StageData) -> Scorer:
    """Where the stage learns from the valid part too, the epochs are those that valid chose before."""
    valid = stages["valid"]
    stop_at = None
    if entry.recipe.validates and stage.fit is not valid.fit:
        stop_at = fitter.fit(entry, valid, valid, None).found.get("stop_at")
    return fitter.fit(entry, stage, valid, stop_at)


def one(
    model: str, settings: Mapping[str, Any], block: Mapping[str, Any], stages: Mapping[str, StageData], seed: int
) -> tuple[dict[str, Any], Lists]:
    """Figures, intervals, standard errors, parts and seconds of one fit; and the lists."""
    entry, fitter = entry_of(model, settings, block, seed)
    stage = stages["test"]
    start = time.perf_counter()
    scorer = fitted(entry, fitter, stages, stage)
    after_fit = time.perf_counter()
    lists = stage.recommend(scorer, K, name=model, personal=entry.recipe.personal)
    ranked = time.perf_counter()
    rows = stage.measure(lists, METRICS, segments=("hidden_part",), seed=seed)
    values = per_user(lists, stage.truth, METRICS)
    everybody = [row for row in rows if row.segment is None]
    return {
        "seed": seed,
        "users": len(stage.truth),
        "figures": {row.metric: round(row.value, 6) for row in everybody},
        "intervals": {row.metric: [round(row.low, 6), round(row.high, 6)] for row in everybody},
        "errors": {name: round(float(column.std(ddof=1) / len(column) ** 0.5), 6) for name, column in values.items()},
        "parts": {row.segment.split("=")[1]: round(row.value, 6) for row in rows
                  if row.segment and row.metric == block["main"]},
        "fit_seconds": round(after_fit - start, 2),
        "rank_seconds": round(ranked - after_fit, 2),
        "found": dict(scorer.found),
    }, lists


def keep(lists: Lists, truth: Truth, path: Path) -> None:
    """A few kB: (V,) the places that are hits as bits, and the number of hidden items."""
    hits = find(lists, truth, K)
    bits = np.bincount(hits.users, 1 << (hits.ranks - 1), minlength=len(truth)).astype(np.uint16)
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, bits=bits, hidden=hits.hidden.astype(np.uint16), truth=np.array(truth.hash))


def kept(path: Path, metric: str) -> NDArray[np.float64]:
    """(V,) the metric of each user, from what `keep` has written."""
    stored = np.load(path)
    places = (stored["bits"][:, None] >> np.arange(K)) & 1
    users, ranks = np.nonzero(places)
    nth = places.cumsum(axis=1)[users, ranks]
    hits = Hits(users, ranks + 1, nth, stored["hidden"].astype(np.int64))
    return MEASURES[metric.split("@")[0]](hits, int(metric.split("@")[1]))


if __name__ == "__main__":
    main()
