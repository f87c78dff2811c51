"""Item vectors that models of an experiment ask for by name: found once, kept by the run, put beside each stage's data.

A file is the same at every stage. RUN/ID is that run's model as it was fitted for the stage, from the same data and
split: what is hidden from a model is then hidden from what it begins at as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from matinee.config import Experiment, recipes_in
from matinee.contract import ItemVectorScorer, Recommender
from matinee.data.dataset import Dataset
from matinee.data.item_vectors import ItemVectors, is_file, known, read, with_vectors
from matinee.errors import ConfigError, ModelError
from matinee.experiment.folder import RunFolder, Vectors, find
from matinee.experiment.material import Material
from matinee.experiment.two_stage import INNER
from matinee.scoring import store
from matinee.scoring.reweighted import Reweighted


def names_in(recipe: Recommender) -> list[str]:
    """What the recipe, or a model inside it, asks for; each name once."""
    return list(dict.fromkeys(name for one in recipes_in(recipe) for name in one.named_vectors()))


def find_vectors(experiment: Experiment, stuff: Material, runs: Path, say: Callable[[str], None]) -> Vectors:
    """By name and stage. Raises DataError for a file that is none of vectors, or has none of the data's items,
    ModelError for a run that is not there, was made on another split, or has no vectors of items there."""
    found: dict[str, Mapping[str, ItemVectors]] = {}
    stages = [*stuff.split.stages, "final"]
    for name in dict.fromkeys(name for entry in experiment.models for name in names_in(entry.recipe)):
        path = experiment.base / name
        if is_file(name) or path.is_file():
            found[name] = dict.fromkeys(stages, read(path))
        else:
            _refuse_leaks(experiment, name)
            found[name] = dict(_of_run(name, stages, stuff, runs))
        aligned = found[name]["final"].aligned(stuff.dataset.items)
        covered = f"{int(known(aligned).sum()):,} of {len(aligned):,} items"
        say(f"{name}: {covered} have a vector of {aligned.shape[1]} numbers")
    return found


def beside(recipe: Recommender, stage: str, train: Dataset, vectors: Vectors) -> Dataset:
    """The data with what the recipe asks for, as far as it was found; the very same data where it asks for nothing."""
    for name, one in asked(recipe, stage, vectors).items():
        train = with_vectors(train, name, one)
    return train


def asked(recipe: Recommender, stage: str, vectors: Vectors) -> dict[str, ItemVectors]:
    """By name, as far as they were found. A stage inside a stage has the outer one's, which are of a file."""
    return {name: vectors[name][stage.removesuffix(INNER)] for name in names_in(recipe) if name in vectors}


def _refuse_leaks(experiment: Experiment, name: str) -> None:
    """Raises ConfigError where vectors of a run would stand in a first stage, or in an order, that is fitted without
    what the order is taught by: that run's model has learnt from it."""
    for entry in experiment.models:
        if entry.candidates is None or not entry.recipe.learns_candidates:
            continue
        for id_ in (*entry.candidates.sources, entry.id):
            if name in names_in(experiment.model(id_).recipe):
                raise ConfigError("leak", f"{id_} begins at vectors of {name}, which has learnt from what {entry.id} "
                                  "is taught by", "take vectors from a file, or begin at none")


def _of_run(name: str, stages: list[str], stuff: Material, runs: Path) -> Iterator[tuple[str, ItemVectors]]:
    folder, id_ = find(name, runs)
    if id_ is None:
        raise ConfigError("no-vectors", f"{name!r} names a run and none of its entries", "write RUN/ID")
    for what, here in (("data", stuff.dataset.hash), ("split", stuff.split.hash)):
        if folder.manifest[what]["hash"] != here:
            raise ModelError("other-split", f"{name} was made on another {what}, so it may know what is hidden here",
                             "fit it on this data and split", folder.path)
    for stage in stages:
        places = [folder.model(one, id_) for one in ((stage,) if stage != "final" else ("final", "test", "valid"))]
        place = next((one for one in places if one.is_dir()), None)
        if place is None:
            raise ModelError("no-model", f"{name} has no model of the stage {stage}", "see that the run is done",
                             folder.path)
        yield stage, ItemVectors(stuff.dataset.items, _table(name, place, folder).item_vectors())


def _table(name: str, place: Path, folder: RunFolder) -> ItemVectorScorer:
    scorer = None
    if not (place / "ensemble.json").is_file():
        scorer = store.load(place, items_hash=folder.manifest["data"]["items_hash"])[0]
        scorer = scorer.inner if isinstance(scorer, Reweighted) else scorer
    if not isinstance(scorer, ItemVectorScorer):
        kind = "an ensemble" if scorer is None else f"a {type(scorer).__name__}"
        raise ModelError("no-vectors", f"{name} is {kind} and has no vectors of items",
                         "name a model with factors or embeddings, such as als or pure_svd", place)
    return scorer
