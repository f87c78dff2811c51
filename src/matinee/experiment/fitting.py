"""One model entry, one stage: the fitted scorer, from the cache where nothing that it depends on has changed."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from matinee import durable
from matinee.config import Experiment, ModelEntry, parameters
from matinee.contract import Run, Scorer
from matinee.evaluation.accuracy import per_user
from matinee.evaluation.names import parse
from matinee.experiment import fingerprint, leading
from matinee.experiment.feature_cache import FeatureCache
from matinee.experiment.folder import Vectors
from matinee.experiment.item_vectors import beside, names_in
from matinee.experiment.stages import StageData
from matinee.features.registry import feature
from matinee.nn import processes

Report = Callable[[Mapping[str, Any]], None]


@dataclass(frozen=True, eq=False)
class Fitter:
    """Fits the entries of one experiment."""

    experiment: Experiment
    threads: int
    progress: Callable[[str, int, int], None]
    journal: Report
    checkpoints: Path
    vectors: Vectors = field(default_factory=dict)
    """What recipes ask for by name."""
    features: FeatureCache = field(default_factory=FeatureCache)

    def key(
        self, entry: ModelEntry, stage: StageData, valid: StageData | None, stop_at: int | None,
        sources: Sequence[str] = (),
    ) -> str:
        """What the fitted bits depend on, as one hash. Equal keys, equal scorers. sources: first-stage keys."""
        train = stage.fit
        about: dict[str, Any] = {
            "model": entry.model,
            "recipe": parameters(entry.recipe),
            "weights": None
            if entry.weights is None
            else [type(entry.weights).__name__, dataclasses.asdict(entry.weights)],
            "features": [[name, fingerprint.source_hash(feature(name).source)] for name in entry.features],
            "seed": self.experiment.seed,
            "events": train.hash,
            "source": [fingerprint.source_hash(file) for file in self.experiment.model_files(entry).values()],
            "versions": fingerprint.computing_versions(),
            "threads": self.threads,
            "stop_at": stop_at,
        }
        if named := [self.vectors[name][stage.name].hash for name in names_in(entry.recipe) if name in self.vectors]:
            about["vectors"] = named
        if entry.recipe.validates and stop_at is None and valid is not None and valid.truth is not None:
            about["validated"] = [valid.truth.hash, valid.given.hash(), self.experiment.evaluate.metrics[0]]
        if entry.candidates is not None:
            code = fingerprint.source_hash(fingerprint.PACKAGE / "experiment/two_stage.py")
            about["candidates"] = [entry.candidates.plain(), list(sources), self.experiment.split.settings, code]
        if processes.count() > 1 and leading.is_neural(entry):
            about["processes"] = processes.count()
        return fingerprint.digest(about)

    def fit(self, entry: ModelEntry, stage: StageData, valid: StageData | None, stop_at: int | None) -> Scorer:
        """Fit `entry` on what `stage` may learn from; validate on `valid` where the recipe stops early.

        Raises ConfigError where a confidence is asked of a model that cannot honour it.
        """
        run = Run(
            seed=self.experiment.seed,
            threads=self.threads,
            progress=self.progress,
            journal=lambda facts: self.journal({"id": entry.id, "part": stage.name, **facts}),
            checkpoint=self._checkpoint(entry, stage) if leading.is_neural(entry) else None,
            validate=self._validator(valid) if entry.recipe.validates and stop_at is None and valid else None,
            stop_at=stop_at,
        )
        leading.announce(entry, stage.name, run)
        train = beside(entry.recipe, stage.name, stage.fit, self.vectors)
        train = self.features.beside(entry.features, train, entry.id)
        return leading.fit_entry(entry, train, run)

    def forget(self, entry: ModelEntry, stage: StageData) -> None:
        """Delete what it would take to go on with a fit; only once the fitted model is stored."""
        place = self._checkpoint(entry, stage)
        if place.is_dir():
            durable.discard(place)
        if place.parent.is_dir():
            durable.sweep(place.parent)  # what an earlier process was killed in deleting
            for folder in (place.parent, self.checkpoints):
                with contextlib.suppress(OSError):  # others stand there
                    folder.rmdir()

    def _checkpoint(self, entry: ModelEntry, stage: StageData) -> Path:
        return self.checkpoints / stage.name / entry.id

    def _validator(self, valid: StageData) -> Callable[[Scorer], float]:
        """The first metric over the valid users; the model gets one number and never sees what is hidden."""
        metric = self.experiment.evaluate.metrics[0]
        truth = valid.truth
        assert truth is not None

        def validate(scorer: Scorer) -> float:
            lists = valid.recommend(scorer, parse(metric).k, name=type(scorer).__name__)
            return float(np.mean(per_user(lists, truth, [metric])[metric]))

        return validate
