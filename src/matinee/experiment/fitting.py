"""One model entry, one stage: the fitted scorer, from the cache where nothing that it depends on has changed."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from matinee import durable
from matinee.config import Experiment, ModelEntry, parameters
from matinee.contract import PairScorer, Run, Scorer
from matinee.evaluation.accuracy import per_user
from matinee.evaluation.names import parse
from matinee.experiment import fingerprint, leading
from matinee.experiment.cache import Cache
from matinee.experiment.feature_cache import FeatureCache
from matinee.experiment.folder import Vectors
from matinee.experiment.item_vectors import asked, beside
from matinee.experiment.stages import StageData, some
from matinee.experiment.two_stage import unheard
from matinee.features.registry import feature
from matinee.nn import processes
from matinee.scoring import store
from matinee.scoring.reranked import Reranked
from matinee.scoring.weighted import Weighted

KIND = "model"
"""Of what the cache notes."""
SAMPLE = 500
"""Users by whom a model of pairs is validated."""
Report = Callable[[Mapping[str, Any]], None]


@dataclass(frozen=True, eq=False)
class Fitter:
    """Fits the entries of one experiment."""

    experiment: Experiment
    threads: int
    progress: Callable[[str, int, int], None]
    journal: Report
    checkpoints: Path | None
    """None keeps nothing to go on with."""
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
        if named := [one.hash for one in asked(entry.recipe, stage.name, self.vectors).values()]:
            about["vectors"] = named
        if entry.recipe.validates and stop_at is None and valid is not None and valid.truth is not None:
            about["validated"] = [valid.truth.hash, valid.given.hash(), self.experiment.evaluate.metrics[0]]
        if entry.candidates is not None:
            code = fingerprint.source_hash(fingerprint.PACKAGE / "experiment/two_stage.py")
            about["candidates"] = [entry.candidates.plain(), list(sources), self.experiment.split.settings, code]
        if processes.count() > 1 and leading.is_neural(entry):
            about["processes"] = processes.count()
        return fingerprint.digest(about)

    def fit(
        self, entry: ModelEntry, stage: StageData, valid: StageData | None, stop_at: int | None,
        first: Sequence[Scorer] = (),
    ) -> Scorer:
        """Fit `entry` on what `stage` may learn from; validate on `valid` where the recipe stops early.

        first: what a model of pairs that re-ranks is asked beside, when it is validated and afterwards. Raises
        ConfigError where a confidence is asked of a model that cannot honour it.
        """
        judge = self._validator(entry, valid, first) if valid else None
        run = Run(
            seed=self.experiment.seed,
            threads=self.threads,
            progress=self.progress,
            journal=lambda facts: self.journal({"id": entry.id, "part": stage.name, **facts}),
            checkpoint=self._checkpoint(entry, stage) if leading.is_neural(entry) else None,
            validate=judge if entry.recipe.validates and stop_at is None else None,
            stop_at=stop_at,
        )
        leading.announce(entry, stage.name, run)
        train = beside(entry.recipe, stage.name, stage.fit, self.vectors)
        train = self.features.beside(entry.features, train, entry.id)
        if first and entry.candidates is not None and entry.recipe.wants_candidates:
            seed = self.experiment.seed
            train = replace(train, candidates=unheard(first, stage, entry.candidates, seed, self.progress))
        return _over(first, leading.fit_entry(entry, train, run), entry, stage)

    def keep(self, scorer: Scorer, entry: ModelEntry, stage: StageData, key: str, place: Path, cache: Cache) -> None:
        """Store a scorer in `place`, where `kept` finds it by its key."""
        store.save(scorer, place, about={
            "id": entry.id,
            "entry": self.experiment.entry(entry.id),
            "stage": stage.name,
            "seed": self.experiment.seed,
            "key": key,
            "users_hash": stage.fit.users.hash,
            "items_hash": stage.fit.items.hash,
            "events_hash": stage.fit.log.hash(),
            "versions": fingerprint.computing_versions(),
            "found": dict(scorer.found),
        })
        cache.note(KIND, key, place)

    def forget(self, entry: ModelEntry, stage: StageData) -> None:
        """Delete what it would take to go on with a fit; only once the fitted model is stored."""
        place = self._checkpoint(entry, stage)
        if place is None or self.checkpoints is None:
            return
        if place.is_dir():
            durable.discard(place)
        if place.parent.is_dir():
            durable.sweep(place.parent)  # what an earlier process was killed in deleting
            for folder in (place.parent, self.checkpoints):
                with contextlib.suppress(OSError):  # others stand there
                    folder.rmdir()

    def _checkpoint(self, entry: ModelEntry, stage: StageData) -> Path | None:
        return self.checkpoints / stage.name / entry.id if self.checkpoints else None

    def _validator(self, entry: ModelEntry, valid: StageData, first: Sequence[Scorer]) -> Callable[[Scorer], float]:
        """The first metric over the valid users, or over `SAMPLE` of them, always the same, where scores are of pairs;
        the model gets one number and never sees what is hidden."""
        metric = self.experiment.evaluate.metrics[0]
        truth = valid.truth
        assert truth is not None
        few = truth.of(some(valid.users, SAMPLE, self.experiment.seed))

        def validate(scorer: Scorer) -> float:
            asked = few if isinstance(_plain(scorer), PairScorer) else truth
            judged = _over(first, scorer, entry, valid)
            users = asked.users[asked.users >= 0]
            lists = valid.recommend(judged, parse(metric).k, users=users, name=type(judged).__name__)
            return float(np.mean(per_user(lists, asked, [metric])[metric]))

        return validate


def kept(place: Path, key: str) -> tuple[Scorer, dict[str, Any]] | None:
    """The scorer in a place that the cache has noted under this key, and what is told of it; None where another fit has
    used the place since. Raises ModelError where it is damaged."""
    scorer, about = store.load(place)
    return (scorer, about) if about["key"] == key else None


def _plain(scorer: Scorer) -> Scorer:
    """Without a confidence, which in a history says nothing to a model of pairs."""
    return scorer.inner if isinstance(scorer, Weighted) else scorer


def _over(first: Sequence[Scorer], scorer: Scorer, entry: ModelEntry, stage: StageData) -> Scorer:
    """The scorer over first-stage models, where there are any."""
    if not first or entry.candidates is None:
        return scorer
    return Reranked(sources=tuple(first), depth=entry.candidates.depth, repeats=stage.fit.facts.repeats,
                    inner=_plain(scorer))
