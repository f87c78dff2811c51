"""Hyper-parameters by search: one budget for every model, on the valid part alone, stopped and gone on with at will.

The same experiment is the same folder. What is there counts, so the same command goes on after a stop, and one with a
larger budget goes on where a smaller one ended.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from matinee import durable
from matinee.config import Experiment, ModelEntry, Space, spaces_of
from matinee.errors import ConfigError, UsageError
from matinee.evaluation.accuracy import is_accuracy
from matinee.evaluation.names import parse
from matinee.experiment import fingerprint
from matinee.experiment.cache import Cache
from matinee.experiment.manifest import run_id
from matinee.experiment.material import material
from matinee.nn import processes
from matinee.tune.search import Search
from matinee.tune.storage import require_optuna
from matinee.tune.worker import valid_of
from matinee.tune.workshop import Workshop, machine_mb

Progress = Callable[[str, int, int], None]
Say = Callable[[str], None]


def _unshown(folder: Path) -> None:
    """Nobody looks."""


def tune(
    experiment: Experiment,
    runs: Path,
    *,
    progress: Progress,
    say: Say,
    threads: int | None = None,
    estimate: bool = False,
    shown: Callable[[Path], None] = _unshown,
) -> Path:
    """Search as `experiment.tune` says; the folder with tune.json and, where anything ended well, tuned.yaml.

    `estimate` ends after the first trial of each model, which tells what a trial costs. `shown` is called with the
    folder whenever tune.json is new. Raises ConfigError where there is nothing to search or optuna is not installed,
    DataError where the split has no valid part, ResourceError where the data alone takes more memory than allowed.
    """
    require_optuna()
    if processes.count() > 1:
        raise UsageError("usage", "a search does not run under torchrun", "start it as one process")
    metric, budget = metric_of(experiment), experiment.tune.budget
    entries = searched(experiment, say)
    stuff = material(experiment, Cache(runs / ".cache"), progress)
    valid_of(stuff.split)
    decides = [run_id(experiment, stuff), metric, experiment.tune.seed, experiment.tune.search]
    folder = runs / f"{experiment.name}-tune-{fingerprint.digest(decides)[:8]}"
    config = {**experiment.resolved(), "ensembles": [], "output": {}, "tune": {}, "sweep": {},
              "evaluate": {"metrics": [metric]}}
    begin = {"config": config, "base": str(experiment.base.resolve()), "runs": str(runs.resolve()),
             "threads": threads or os.cpu_count() or 1}
    with durable.lock(folder):
        durable.sweep(folder)
        memory = 1000 * budget.memory if budget.memory else 0.9 * machine_mb()
        with Workshop(begin, memory, say=say) as workshop:
            search = Search(experiment, {id_: entry.model for id_, entry in entries.items()}, metric, folder, workshop,
                            progress, say, shown)
            workshop.tick = search.tick
            search.begin({id_: (entry, spaces(experiment, entry)) for id_, entry in entries.items()})
            if not estimate:
                search.whole()
    return folder


def metric_of(experiment: Experiment) -> str:
    """What is searched by. Raises ConfigError for a metric that is no accuracy."""
    metric = experiment.tune.metric or experiment.evaluate.metrics[0]
    if not is_accuracy(parse(metric)):
        raise ConfigError("not-accuracy", f"{metric} does not compare lists with what was hidden",
                          "say what to search by: `tune: {metric: ndcg@10}`")
    return metric


def searched(experiment: Experiment, say: Say) -> dict[str, ModelEntry]:
    """The models to search, by id. Raises ConfigError where one that is named cannot be, or none is left."""
    named = experiment.tune.models
    asked = [entry for entry in experiment.models if not named or entry.id in named]
    able = {entry.id for entry in asked if spaces(experiment, entry)}
    found = {}
    for entry in asked:
        beneath = [id_ for id_ in (entry.candidates.sources if entry.candidates else ()) if id_ in able]
        if entry.id not in able:
            why, way_out = "it has nothing to search", "leave it out of `tune.models`"
        elif beneath:
            why = f"it puts into order what {', '.join(beneath)} will find otherwise after this search"
            way_out = f"search it afterwards, in the tuned file, with `tune: {{models: [{entry.id}]}}`"
        else:
            found[entry.id] = entry
            continue
        if named:
            raise ConfigError("no-search", f"{entry.id}: {why}", way_out)
        say(f"{entry.id} is left as it is: {why}; {way_out}" if beneath else f"{entry.id} is left as it is: {why}")
    if not found:
        raise ConfigError("no-search", "no model of this experiment has anything to search",
                          "say what to try: `tune: {search: {ID: {l2: {low: 10, high: 1000, log: true}}}}`")
    return found


def spaces(experiment: Experiment, entry: ModelEntry) -> dict[str, Space]:
    return spaces_of(entry, experiment.base, experiment.tune.search.get(entry.id))
