"""Do the models reach the figures of bands.yaml on real data? Exit status 1 where one does not.

    MATINEE_TEST_DATA=FOLDER python -m benchmarks.quality.run [--only PROTOCOL]

Each model is fitted at its defaults, but for what `recipe` says, on what the test stage may learn from, and measured
at test. `within` asks for a figure as near as that on either side: the same model on the same protocol must give the
same figure. `at_least` asks for a floor. Writes results.json and results.md beside this file, unless `--only` is given.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.provenance import load, provenance, told, write
from benchmarks.quality.report import lines
from numpy.typing import NDArray
from ruamel.yaml import YAML

import matinee
from matinee.evaluation import accuracy, compare

HERE = Path(__file__).parent
METRICS = ("recall@10", "ndcg@10", "hit_rate@10", "recall_all@10", "mrr@10")
MAIN = "recall@10"
NOT_FIGURES = ("recipe", "within", "at_least")

Values = dict[str, NDArray[np.float64]]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=os.environ.get("MATINEE_TEST_DATA"))
    parser.add_argument("--only", help="one protocol of bands.yaml; nothing is written")
    asked = parser.parse_args()
    if asked.data is None:
        parser.error("say where the data sets are: --data or MATINEE_TEST_DATA")
    bands = YAML(typ="safe", pure=True).load(HERE / "bands.yaml")
    chosen = {name: block for name, block in bands.items() if asked.only in (None, name)}
    if not chosen:
        parser.error(f"no protocol is called {asked.only}; known: {', '.join(bands)}")
    seeds = sorted({seed for block in chosen.values() for seed in block["seeds"]})
    results: dict[str, Any] = {"origin": provenance(seeds, matinee.Run().threads), "protocols": {}}
    for name, block in chosen.items():
        print(f"{name}: {block['split']}", flush=True)
        results["protocols"][name] = measured(block, Path(asked.data))
    results["load_average_at_the_end"] = load()
    results["missed"] = missed(results["protocols"])
    text = ["# Quality: figures against their bands", "", *told(results["origin"]), "", *lines(results["protocols"])]
    print("\n" + "\n".join(text))
    if asked.only is None:
        write(HERE, results, text)
    for miss in results["missed"]:
        print(f"MISSED: {miss}", file=sys.stderr)
    return 1 if results["missed"] else 0


def measured(block: Mapping[str, Any], data: Path) -> dict[str, Any]:
    """One protocol: its data, and of each model the figures of every seed, their mean and how they stand to the bands.

    Raises SystemExit where the data are not those that the bands were made for.
    """
    settings = dict(block["data"])
    dataset = matinee.load(data / settings.pop("path"), **settings)
    counts = {"users": dataset.n_users, "items": dataset.n_items, "events": len(dataset.log)}
    if counts != block["counts"]:
        raise SystemExit(f"the data have {counts} where the bands were made for {block['counts']}")
    models: dict[str, list[dict[str, Any]]] = {name: [] for name in block["models"]}
    for seed in block["seeds"]:
        stage = matinee.stages(dataset, {**block["split"], "seed": seed})["test"]
        values: dict[str, Values] = {}
        for name, band in block["models"].items():
            found, values[name] = one_model(stage, name, band["recipe"], seed)
            models[name].append(found)
            shown = ", ".join(f"{metric} {figure:.4f}" for metric, figure in found["figures"].items())
            print(f"  {name} seed {seed}: {shown}", flush=True)
    out: dict[str, Any] = {"data": dict(block["data"]), "counts": counts, "split": dict(block["split"]),
                           "seeds": list(block["seeds"]), "tested_users": len(stage.truth or ()),
                           "models": {name: against(block["models"][name], runs) for name, runs in models.items()}}
    if not any(bands_of(band) for band in block["models"].values()):
        out["order"] = order(values)
    return out


def one_model(stage: Any, name: str, recipe: Mapping[str, Any], seed: int) -> tuple[dict[str, Any], Values]:
    """Figures, intervals, parts and seconds of one fit; and the values of each tested user."""
    chosen = matinee.recipe(name, dict(recipe))
    start = time.perf_counter()
    scorer = chosen.fit(stage.fit, matinee.Run(seed=seed))
    fitted = time.perf_counter()
    lists = stage.recommend(scorer, 10, name=name, personal=chosen.personal)
    ranked = time.perf_counter()
    rows = stage.measure(lists, METRICS, segments=("hidden_part",), seed=seed)
    found = {
        "seed": seed,
        "figures": {row.metric: row.value for row in rows if row.segment is None},
        "intervals": {row.metric: [row.low, row.high] for row in rows if row.segment is None},
        "parts": {row.segment: {"recall": row.value, "low": row.low, "high": row.high, "users": row.users}
                  for row in rows if row.segment and row.metric == MAIN},
        "fit_seconds": round(fitted - start, 3),
        "rank_seconds": round(ranked - fitted, 3),
    }
    return found, accuracy.per_user(lists, stage.truth, [MAIN, "ndcg@10"])


def against(band: Mapping[str, Any], runs: list[dict[str, Any]]) -> dict[str, Any]:
    """The mean over seeds, and each bound with the figure and the answer."""
    figures = {metric: float(np.mean([run["figures"][metric] for run in runs])) for metric in METRICS}
    bounds = []
    for metric, wanted in bands_of(band).items():
        floor = bool(band.get("at_least"))
        low, high = (wanted, None) if floor else (wanted - band["within"], wanted + band["within"])
        reached = figures[metric] >= low and (high is None or figures[metric] <= high)
        bounds.append({"metric": metric, "wanted": wanted, "within": band.get("within"), "figure": figures[metric],
                       "reached": reached})
    return {"recipe": dict(band["recipe"]), "figures": figures, "bounds": bounds, "runs": runs}


def bands_of(band: Mapping[str, Any]) -> dict[str, float]:
    return {metric: wanted for metric, wanted in band.items() if metric not in NOT_FIGURES}


def order(values: Mapping[str, Values]) -> dict[str, Any]:
    """The models best first by each metric, and the verdict on every pair (Holm-corrected)."""
    out: dict[str, Any] = {}
    for metric in (MAIN, "ndcg@10"):
        columns = {name: found[metric] for name, found in values.items()}
        best = sorted(columns, key=lambda name: -float(columns[name].mean()))
        pairs = compare.compare_all({name: columns[name] for name in best}, seed=0)
        out[metric] = {"models": best, "pairs": [
            {"first": a, "second": b, "difference": c.difference, "low": c.low, "high": c.high, "p": c.p,
             "verdict": c.verdict} for (a, b), c in pairs.items()]}
    return out


def missed(protocols: Mapping[str, Any]) -> list[str]:
    return [f"{protocol}: {name} {bound['metric']} {bound['figure']:.4f}, wanted {bound['wanted']}"
            for protocol, block in protocols.items() for name, model in block["models"].items()
            for bound in model["bounds"] if not bound["reached"]]


if __name__ == "__main__":
    sys.exit(main())
