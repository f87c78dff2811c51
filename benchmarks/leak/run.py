"""What a validation is worth whose answers stand in the input: python -m benchmarks.leak.run [--models ...]

A report of a team of the film competition of 2022 fed its autoencoders with all that it knew, training and validation
alike, and masked only the loss: at validation the network had the hidden films before its eyes. The same models are
trained here twice on the same split:

    clean   input and loss of the training part; asked, at valid, with the training part
    leaky   input of the training and the valid part, loss of the training part alone; asked, at valid, with both, and
            ranked over what is not in the training part: the valid films may be given back

and early stopping goes by what each sees at valid. At test both are asked with train + valid, which is honest. Results
are written as they come (results.json); what is there already is not run again.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.provenance import provenance, table, told, write
from benchmarks.quality.bench import protocols
from benchmarks.quality.measure import read
from numpy.typing import NDArray

import matinee
from matinee import config
from matinee.contract import FusedScorer, Masks, Run, Scorer
from matinee.data.interactions import Interactions
from matinee.evaluation.accuracy import per_user
from matinee.evaluation.uncertainty import intervals
from matinee.experiment.stages import StageData
from matinee.ranking.lists import Lists

HERE = Path(__file__).parent
MODELS = ("autorec", "dae", "vae", "multi_dae", "multi_vae", "rec_vae")
METRIC, K, BLOCK, SEED = "recall@10", 10, 1024, 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", default=MODELS)
    asked = parser.parse_args()
    block = protocols()["gap_and_tail"]
    stages = matinee.stages(read(block), {**block["split"], "seed": SEED})
    kept = HERE / "results.json"
    results: dict[str, Any] = json.loads(kept.read_text()) if kept.exists() else {"rows": {}}
    for model in asked.models:
        for way in ("clean", "leaky"):
            if f"{model}/{way}" not in results["rows"]:
                results["rows"][f"{model}/{way}"] = measured(model, way == "leaky", stages)
                results["origin"] = provenance([SEED], os.cpu_count() or 1)
                write(HERE, results, page(results))
                print(f"{model}/{way}: {results['rows'][f'{model}/{way}']}", flush=True)
    write(HERE, results, page(results))
    return 0


def measured(model: str, leaky: bool, stages: dict[str, StageData]) -> dict[str, Any]:
    valid, test = stages["valid"], stages["test"]
    train, known = valid.fit, test.given  # what is known at test is train + valid
    data = train.with_log(told_apart(train.log, known)) if leaky else train
    def validate(scorer: Scorer) -> float:
        return float(at_valid(scorer, valid, known if leaky else valid.given).mean())

    started = time.perf_counter()
    scorer = config.recipe(model, {}).fit(data, Run(seed=SEED, threads=1, validate=validate))
    seconds = time.perf_counter() - started
    values = {"valid": at_valid(scorer, valid, known if leaky else valid.given),
              "test": per_user(test.recommend(scorer, K), test.truth, [METRIC])[METRIC]}
    return {"epochs": scorer.found.get("stop_at"), "seconds": round(seconds, 1),
            **{part: figure(found) for part, found in values.items()}}


def told_apart(train: Interactions, known: Interactions) -> Interactions:
    """`known` with confidence 1 on the events of `train`, and 0, which the loss does not see, on the others."""
    pairs = known.users * known.n_items + known.items
    return known.with_values(np.isin(pairs, train.users * train.n_items + train.items).astype(np.float32))


def at_valid(scorer: Scorer, valid: StageData, asked_with: Interactions) -> NDArray[np.float64]:
    """(V,) of each user: ranked over what is not in the training part, whatever the scorer was asked with."""
    assert isinstance(scorer, FusedScorer)
    items = np.full((len(valid.users), K), -1, np.int32)
    scores = np.full(items.shape, -np.inf, np.float32)
    for start in range(0, len(valid.users), BLOCK):
        rows = valid.users[start : start + BLOCK]
        queries, seen = valid.ask(rows), valid.given.take(rows)
        queries = type(queries)(queries.rows, asked_with.take(rows).with_values(
            np.ones(int(asked_with.counts[rows].sum()), np.float32)), queries.at, queries.attributes)
        items[start : start + BLOCK], scores[start : start + BLOCK] = scorer.top_block(
            queries, K, Masks(seen.indptr, seen.items))
    lists = Lists(valid.users, items, scores, np.zeros(items.shape, bool))
    return per_user(lists, valid.truth, [METRIC])[METRIC]


def figure(values: NDArray[np.float64]) -> list[float]:
    """Mean and 95 % interval."""
    (found,) = intervals([(np.arange(len(values)), values[:, None])], len(values), SEED)
    assert found is not None
    return [round(float(number), 4) for number in (values.mean(), *found[0])]


def page(results: dict[str, Any]) -> list[str]:
    rows = results["rows"]
    models = [model for model in MODELS if f"{model}/clean" in rows and f"{model}/leaky" in rows]
    columns = [(way, part) for way in ("leaky", "clean") for part in ("valid", "test")]
    order = {(way, part): ranked(models, rows, way, part) for way, part in columns}
    head = ["model", *(f"{way}: {METRIC} at {part} (place)" for way, part in columns), "epochs, leaky and clean"]
    lines = []
    for model in models:
        cells = []
        for way, part in columns:
            mean, low, high = rows[f"{model}/{way}"][part]
            cells.append(f"{mean:.4f} ({low:.4f} to {high:.4f}), {order[way, part].index(model) + 1}")
        lines.append([model, *cells, f"{rows[f'{model}/leaky']['epochs']}, {rows[f'{model}/clean']['epochs']}"])
    return ["# A validation whose answers stand in the input", "",
            "Made by `python -m benchmarks.leak.run`, which says what clean and leaky are. ML-1M, items with 5 events "
            "or more, gap_and_tail; every model at its defaults. Places are among the models of the table.", "",
            *table(head, lines), "", *(told(results["origin"]) if "origin" in results else [])]


def ranked(models: Sequence[str], rows: dict[str, Any], way: str, part: str) -> list[str]:
    return sorted(models, key=lambda model: -rows[f"{model}/{way}"][part][0])


if __name__ == "__main__":
    sys.exit(main())
