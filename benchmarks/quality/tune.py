"""Tune every model alike: the same budget of seconds, over its own `search`, on the valid part of a protocol.

    MATINEE_TEST_DATA=FOLDER python -m benchmarks.quality.tune [--model NAME] [--protocol NAME] [--budget 240] [--write]

The first trial is the defaults; `search.py` says where the others are. The budget counts the seconds of the trials
(fit, rank, measure); a trial that has begun is finished. Each trial is a line of journals/<protocol>/<model>.jsonl,
with its value or its error; a search that was stopped goes on there, with the trials that it would have made.
`--write` tries nothing and prints the best as lines for `bench`.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.quality.bench import HERE, cases, differing, protocols
from benchmarks.quality.measure import entry_of, read
from benchmarks.quality.search import Search, Trial, leader, proposal

import matinee
from matinee import config, durable
from matinee.data.dataset import Dataset
from matinee.errors import MatineeError
from matinee.evaluation.accuracy import per_user
from matinee.experiment import fingerprint

JOURNALS = HERE / "journals"
MOST = 200
"""Trials, however quick they are: one that fails at once costs nothing."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model")
    parser.add_argument("--protocol")
    parser.add_argument("--budget", type=float, default=240.0, help="seconds a model and protocol")
    parser.add_argument("--write", action="store_true", help="print the best of each journal")
    asked = parser.parse_args()
    blocks = protocols()
    wanted = {(case.protocol, case.model): None for case in cases(asked.model or None, asked.protocol or None)}
    data: dict[str, Dataset] = {}
    for protocol, model in wanted:
        search, journal = search_of(model), JOURNALS / protocol / f"{model}.jsonl"
        if not search or blocks[protocol].get("tuned", True) is False:
            continue
        if asked.write:
            print("\n".join(best(model, protocol, blocks[protocol], durable.read_lines(journal))))
            continue
        if protocol not in data:
            data = {protocol: read(blocks[protocol])}  # one at a time
        tune(model, search, blocks[protocol], data[protocol], journal, asked.budget)
    return 0


def search_of(model: str) -> Search:
    return config.own_search(model)


def tune(
    model: str, search: Search, block: Mapping[str, Any], dataset: Dataset, journal: Path, budget: float
) -> None:
    """Trials until the budget is spent, those in the journal included, or the space has nothing new; at most `MOST`."""
    seed = block["seeds"][0]
    stages = matinee.stages(dataset, {**block["split"], "seed": seed})
    defaults = config.parameters(config.recipe(model, {}))
    first = {name: defaults[name] for name in search}
    while True:
        trials = durable.read_lines(journal)
        settings = proposal(search, first, trials, seed)
        if settings is None or len(trials) >= MOST or sum(trial["seconds"] for trial in trials) >= budget:
            break
        start, found = time.perf_counter(), {}
        try:
            entry, fitter = entry_of(model, settings, block, seed)
            scorer = fitter.fit(entry, stages["valid"], stages["valid"], None)
            lists = stages["valid"].recommend(scorer, 10, name=model, personal=entry.recipe.personal)
            values = per_user(lists, stages["valid"].truth, [block["main"]])[block["main"]]
            found["value"] = round(float(values.mean()), 6)
        except MatineeError as error:
            found["error"] = str(error)
        line = {"trial": len(trials), "settings": settings, **found, "seconds": round(time.perf_counter() - start, 4),
                "commit": (fingerprint.code_state()["commit"] or "unknown")[:12]}
        journal.parent.mkdir(parents=True, exist_ok=True)
        durable.append_line(journal, line, sync=True)
        print(f"{journal.parent.name}: {model}: {line}", flush=True)


def best(model: str, protocol: str, block: Mapping[str, Any], trials: Sequence[Trial]) -> list[str]:
    """The lines for `bench` in the model's settings file."""
    if not trials or "value" not in leader(trials):
        return [f"# {model}: {protocol}: nothing tried, or nothing that ended well"]
    found, settings = leader(trials), differing(model, {"recipe": leader(trials)["settings"]})
    seconds, failed = sum(trial["seconds"] for trial in trials), sum("error" in trial for trial in trials)
    tried = f"{len(trials)} trials{f', {failed} of them failed,' if failed else ''} in {seconds:.0f} s"
    return [f"# {model}.yaml", f"  {protocol}:", f"    recipe: {yaml(settings)}", "    source: >-",
            f"      {tried} on the valid part of {protocol}, seed {block['seeds'][0]}:",
            f"      {block['main']} {found['value']:.4f}, {trials[0].get('value', math.nan):.4f} at the defaults."]


def yaml(settings: Mapping[str, Any]) -> str:
    return "{" + ", ".join(f"{name}: {json.dumps(value)}" for name, value in settings.items()) + "}"


if __name__ == "__main__":
    sys.exit(main())
