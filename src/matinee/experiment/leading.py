"""One run shared by the processes that torchrun starts: process 0 does it, the others follow it into each neural fit.

Process 0 reads, fits, ranks, measures and writes as if it were alone, and says before each fit of a network which one
it is. The others learn from the run's folder what the stages may know, compute along, and keep nothing: they never
write, lock or look into the cache, so whatever process 0 finds or skips, nobody waits for a fit that does not come.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matinee.config import Experiment, ModelEntry, recipes_in
from matinee.contract import Run, Scorer
from matinee.data.dataset import Dataset
from matinee.errors import ConfigError
from matinee.experiment.folder import RunFolder, Vectors
from matinee.experiment.item_vectors import beside
from matinee.experiment.stages import split_stages
from matinee.experiment.two_stage import INNER, inner_stage
from matinee.features.fitted import with_features
from matinee.nn import processes
from matinee.nn.recipe import Trained
from matinee.scoring.weighted import fit_weighted


def is_neural(entry: ModelEntry) -> bool:
    """Is it, or a model inside it, trained by steps?"""
    return any(isinstance(recipe, Trained) for recipe in recipes_in(entry.recipe))


def check(experiment: Experiment) -> None:
    """Raises ConfigError where several processes are to train what learns from candidates, which one alone has."""
    for entry in experiment.models if processes.count() > 1 else ():
        recipe = entry.recipe
        if is_neural(entry) and entry.candidates and (recipe.learns_candidates or recipe.wants_candidates):
            raise ConfigError("one-process", f"{entry.id} learns from candidates, which one process alone has",
                              "run this experiment without torchrun")


def fit_entry(entry: ModelEntry, train: Dataset, run: Run) -> Scorer:
    """The entry's features stand beside `train`. Raises ConfigError where a confidence is asked of a model that cannot
    honour it."""
    if entry.weights is None:
        return entry.recipe.fit(train, run)
    return fit_weighted(entry.recipe, entry.weights, train, run)


def begin(folder: RunFolder, threads: int) -> None:
    """Say where the run's data and split stand."""
    processes.told({"folder": str(folder.path), "threads": threads})


def announce(entry: ModelEntry, stage: str, run: Run) -> None:
    """Say that this fit comes now, to whoever has to compute along."""
    if is_neural(entry):
        processes.told({"entry": entry.id, "stage": stage, "stop_at": run.stop_at, "validates": bool(run.validate)})


def end(folder: RunFolder) -> None:
    processes.told({"done": str(folder.path)})


def follow(experiment: Experiment) -> RunFolder:
    """Compute along until process 0 is done; the folder that it has written. Raises ResourceError where it dies."""
    entries = {entry.id: entry for entry in experiment.models}
    trains: dict[str, Dataset] = {}
    vectors: Vectors = {}
    threads = 1
    while True:
        match processes.told():
            case {"done": str(folder)}:
                return RunFolder(Path(folder))
            case {"folder": str(folder), "threads": int(threads)}:
                trains, vectors = _trains(RunFolder(Path(folder))), RunFolder(Path(folder)).vectors
            case {"entry": str(id_), "stage": str(stage), "stop_at": stop_at, "validates": validates}:
                judge = _unasked if validates else None
                run = Run(seed=experiment.seed, threads=threads, stop_at=stop_at, validate=judge)
                if stage not in trains:
                    outer = stage.removesuffix(INNER)
                    trains[stage] = inner_stage(experiment.split, outer, trains[outer]).fit
                train = beside(entries[id_].recipe, stage, trains[stage], vectors)
                fit_entry(entries[id_], with_features(train, entries[id_].features), run)


def _trains(folder: RunFolder) -> dict[str, Dataset]:
    """What each stage may learn from."""
    dataset = folder.dataset
    return {**{name: stage.fit for name, stage in split_stages(dataset, folder.split, ()).items()}, "final": dataset}


def _unasked(scorer: Any) -> float:
    """Process 0 validates; models that choose by it in a way of their own choose for nothing here."""
    return 0.0
