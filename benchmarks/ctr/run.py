"""Who will like what he has watched? Models of features by AUC and log loss.

    python -m benchmarks.ctr.run [--models ...]

MovieLens-1M as RecBole's click-through benchmark has it: a rating of 3 is dropped, one above 3 is a like, the others
are none; rows are split at random, 8:1:1. Fields: user, age, gender, occupation, item, genre, year; vectors of 16
numbers. A model learns from the labels of the training rows (nn/labelled_pairs.py), stops by the AUC of the valid ones,
and is measured once on the test rows. No history, and nothing drawn: this is not how lists are made.

Results are written as they come (results.json); what is there already is not run again.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.provenance import provenance, table, told, write
from numpy.typing import NDArray
from scipy.stats import rankdata

import matinee
from matinee import config
from matinee.contract import PairScorer, Queries, Run, Scorer
from matinee.data.dataset import Dataset
from matinee.features.fitted import with_features
from matinee.nn.attentive_pairs import AttentivePairNet
from matinee.nn.autoencoder import seeded
from matinee.nn.deep_pairs import DeepPairNet
from matinee.nn.drawn_pairs import PairNet
from matinee.nn.feature_fields import Sides, sides_of
from matinee.nn.field_factors import FieldFactors
from matinee.nn.labelled_pairs import Labelled, fit_labelled

HERE = Path(__file__).parent
SEED = 0
FEATURES = ("age", "gender", "occupation", "genre", "release_year")
SHARED = {"history": False, "dim": 16, "numbers": "buckets", "buckets": 100, "batch_size": 2048, "patience": 3,
          "epochs": 60}
"""`buckets`: more than there are years, so that each has its own vector."""
SETTINGS: dict[str, dict[str, Any]] = {
    "fm": {"lr": 0.001, "weight_decay": 0.1},
    "wide_deep": {"lr": 0.001, "hidden": [64, 32], "dropout": 0.1, "crosses": "features", "weight_decay": 0.1},
    "deep_fm": {"lr": 0.001, "hidden": [64, 32], "dropout": 0.1, "weight_decay": 0.1},
    "auto_int": {"lr": 0.001, "layers": 2, "heads": 2, "head_dim": 16, "dropout": 0.0, "weight_decay": 0.1},
}
AT_LEAST = {"fm": 0.80, "wide_deep": 0.82, "deep_fm": 0.82, "auto_int": 0.82}
"""AUC at test."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", default=list(SETTINGS))
    parser.add_argument("--set", type=json.loads, default={}, help="other settings, as JSON; nothing is written then")
    asked = parser.parse_args()
    data, parts = rows_of(matinee.load(Path(os.environ["MATINEE_TEST_DATA"]) / "ml-1m"))
    kept = HERE / "results.json"
    results: dict[str, Any] = json.loads(kept.read_text()) if kept.exists() else {"rows": {}}
    for model in asked.models:
        settings = {**SHARED, **SETTINGS[model], **asked.set}
        if asked.set:
            print(model, settings, measured(model, settings, data, parts, verbose=True), flush=True)
        elif results["rows"].get(model, {}).get("settings") != settings:
            results["rows"][model] = {"settings": settings, **measured(model, settings, data, parts)}
            results["origin"] = provenance([SEED], os.cpu_count() or 1)
            write(HERE, results, page(results))
            print(f"{model}: {results['rows'][model]}", flush=True)
    if not asked.set:
        write(HERE, results, page(results))
    return 0


def rows_of(dataset: Dataset) -> tuple[Dataset, dict[str, Labelled]]:
    """The data without a rating of 3, its log what may be learnt from; and the rows of `train`, `valid` and `test`."""
    log = dataset.log.select(dataset.log.columns["rating"] != 3)
    order = np.random.default_rng([SEED, 0]).permutation(len(log))
    ends = [round(0.8 * len(log)), round(0.9 * len(log))]
    rows = {name: np.sort(part) for name, part in zip(("train", "valid", "test"), np.split(order, ends), strict=True)}
    likes = (log.columns["rating"] > 3).astype(np.float32)
    pairs = {name: Labelled(log.users[part], log.items[part], likes[part]) for name, part in rows.items()}
    learnt = np.zeros(len(log), bool)
    learnt[rows["train"]] = True
    return with_features(dataset.with_log(log.select(learnt)), FEATURES), pairs


def measured(
    model: str, settings: dict[str, Any], data: Dataset, parts: dict[str, Labelled], *, verbose: bool = False
) -> dict[str, Any]:
    recipe: Any = config.recipe(model, settings)
    sides = sides_of(recipe, data, model)
    net = NETWORKS[model](recipe, sides, data)
    losses: list[float] = []

    def journal(facts: Any) -> None:
        losses.append(facts["loss"])
        if verbose:
            print(dict(facts), flush=True)

    run = Run(seed=SEED, threads=1, journal=journal,
              validate=lambda scorer: auc(parts["valid"].labels, scored(scorer, data, parts["valid"])))
    began = time.process_time()
    scorer, epochs = fit_labelled(model, recipe, net, parts["train"], data, run)
    seconds = time.process_time() - began
    found = {name: scored(scorer, data, parts[name]) for name in ("valid", "test")}
    return {"epochs": epochs, "cpu_seconds": round(seconds), "loss": [round(losses[at], 4) for at in (0, epochs - 1)],
            **{name: figures(parts[name].labels, one) for name, one in found.items()}}


def figures(labels: NDArray[np.float32], scores: NDArray[np.float64]) -> dict[str, float]:
    return {"auc": round(auc(labels, scores), 4), "logloss": round(logloss(labels, scores), 4)}


def _deep(model: str, recipe: Any, sides: Sides, data: Dataset) -> PairNet:
    return DeepPairNet(recipe, sides, data, SEED, meet=model == "deep_fm", crossed=getattr(recipe, "crosses", "none"))


def _attentive(recipe: Any, sides: Sides, data: Dataset) -> AttentivePairNet:
    net: AttentivePairNet = recipe.net(data, SEED)
    return net


def _factors(recipe: Any, sides: Sides, data: Dataset) -> FieldFactors:
    return FieldFactors(sides, data.log.matrix(), recipe.dim, recipe.init_scale, seeded(SEED), apart=False)


NETWORKS: dict[str, Callable[[Any, Sides, Dataset], PairNet]] = {
    "fm": _factors, "wide_deep": partial(_deep, "wide_deep"), "deep_fm": partial(_deep, "deep_fm"),
    "auto_int": _attentive,
}


def scored(scorer: Scorer, data: Dataset, pairs: Labelled) -> NDArray[np.float64]:
    """(N,) the score of each pair."""
    out = np.empty(len(pairs))
    users, owners, counts = np.unique(pairs.users, return_inverse=True, return_counts=True)
    order = np.argsort(owners, kind="stable")
    ends = np.concatenate([[0], np.cumsum(counts)])
    for start in range(0, len(users), 512):
        block = users[start : start + 512]
        queries = Queries.of(data.log.take(block), block, attributes=data.user_features.take(block))
        some = order[ends[start] : ends[start + len(block)]]
        rows = owners[some] - start
        places = np.arange(len(some)) - (ends[start : start + len(block)] - ends[start])[rows]
        candidates = np.full((len(block), int(places.max()) + 1), -1, np.int32)
        candidates[rows, places] = pairs.items[some]
        if isinstance(scorer, PairScorer):
            out[some] = scorer.score_pairs(queries, candidates)[rows, places]
        else:
            out[some] = scorer.score(queries)[rows, pairs.items[some]]
    return out


def auc(labels: NDArray[np.float32], scores: NDArray[np.float64]) -> float:
    """How often a like has a higher score than what is none, ties as half."""
    likes = labels > 0.5
    n, others = int(likes.sum()), int((~likes).sum())
    return float((rankdata(scores)[likes].sum() - n * (n + 1) / 2) / (n * others))


def logloss(labels: NDArray[np.float32], scores: NDArray[np.float64]) -> float:
    return float(np.mean(np.logaddexp(0, scores) - labels * scores))


def page(results: dict[str, Any]) -> list[str]:
    head = ["model", "AUC, valid", "AUC, test", "log loss, test", "wanted", "epochs", "loss, first and best epoch",
            "CPU seconds"]
    lines = [[model, row["valid"]["auc"], row["test"]["auc"], row["test"]["logloss"], f">= {AT_LEAST[model]:.2f}",
              row["epochs"], " and ".join(map(str, row["loss"])), row["cpu_seconds"]]
             for model, row in results["rows"].items()]
    return ["# Click-through figures on MovieLens-1M", "",
            "Made by `python -m benchmarks.ctr.run`, which says what is learnt from and measured. The settings of "
            "each model stand in results.json.", "", *table(head, lines), "", *told(results["origin"])]


if __name__ == "__main__":
    sys.exit(main())
