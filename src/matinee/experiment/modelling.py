"""Fit every model at every stage, and write its lists."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from matinee import durable
from matinee.config import CandidateSettings, ModelEntry
from matinee.contract import Scorer
from matinee.errors import ModelError
from matinee.experiment import fingerprint, lists_store
from matinee.experiment.cache import Cache, copy_whole
from matinee.experiment.fitting import KIND, Fitter, kept
from matinee.experiment.folder import RunFolder
from matinee.experiment.ordering import Ordering
from matinee.experiment.stages import StageData
from matinee.experiment.timing import Timings
from matinee.experiment.two_stage import INNER, recalls
from matinee.ranking.lists import DEPTH
from matinee.scoring import store
from matinee.scoring.feature_pairs import FeaturePairs
from matinee.scoring.first_stage import OverFirstStage


@dataclass
class Modelling:
    """Everything a run needs to turn model entries into stored scorers and stored lists."""

    folder: RunFolder
    fitter: Fitter
    cache: Cache
    timings: Timings
    say: Callable[[str], None]
    found: dict[str, int | None] = field(default_factory=dict)
    """Per entry, the number, of epochs or of clusters, that validation chose; later fits take it as it is."""
    keys: dict[tuple[str, str], str] = field(default_factory=dict)
    """Per stage and entry, what its scorer depends on."""

    def model(self, entry: ModelEntry, stages: dict[str, StageData]) -> None:
        """Fit `entry` for each stage and write its lists. Where stages share a fit, it is done once."""
        valid = stages.get("valid")
        scorer: Scorer | None = None
        fitted_on: str | None = None
        for stage in stages.values():
            place = self.folder.model(stage.name, entry.id)
            if scorer is None or self.folder.shared.get(stage.name) != fitted_on:
                sources = [self.keys[stage.name, id_] for id_ in (entry.candidates.sources if entry.candidates else ())]
                key = self.fitter.key(entry, stage, valid, self.found.get(entry.id), sources)
                scorer, stop_at = self._fitted(entry, stage, valid, key, place)
                for name in (stage.name, stage.name + INNER):
                    self.fitter.forget(entry, replace(stage, name=name))
                fitted_on = stage.name
                self.found.setdefault(entry.id, stop_at)
            self.keys[stage.name, entry.id] = key
            if entry.candidates is not None and isinstance(scorer, OverFirstStage) and stage.truth is not None:
                self._tell_recall(entry.id, entry.candidates, scorer, stage)
            self.lists(entry.id, scorer, stage, list_key(key, stage), personal=entry.recipe.personal)

    def _fitted(
        self, entry: ModelEntry, stage: StageData, valid: StageData | None, key: str, place: Path
    ) -> tuple[Scorer, int | None]:
        found = self._found(entry, stage, key, place)
        if found is not None:
            return found
        with self.timings.step(entry.id, f"fit:{stage.name}"):
            if entry.candidates is None:
                scorer = self.fitter.fit(entry, stage, valid, self.found.get(entry.id))
            else:
                scorer = self.ordering.fit(entry, entry.candidates, stage, valid)
        with self.timings.step(entry.id, f"store:{stage.name}"):
            self.fitter.keep(scorer, entry, stage, key, place, self.cache)
        return scorer, scorer.found.get("stop_at")

    @cached_property
    def ordering(self) -> Ordering:
        return Ordering(self.fitter, self.cache, self.say, self._stored, self.found)

    def _stored(self, ids: Sequence[str], stage: StageData) -> tuple[Scorer, ...]:
        return tuple(store.load(self.folder.model(stage.name, id_))[0] for id_ in ids)

    def _tell_recall(self, id_: str, settings: CandidateSettings, scorer: OverFirstStage, stage: StageData) -> None:
        """How much of what is hidden the order could bring up at most; written beside the lists."""
        place = self.folder.path / "candidates" / stage.name / f"{id_}.json"
        if place.is_file():
            return
        with self.timings.step(id_, f"candidates:{stage.name}"):
            shares = recalls(scorer.sources, stage, settings)
        durable.write_json(place, shares)
        told = ", ".join(f"{name} {share:.3f}" for name, share in list(shares.items())[:-2])
        self.say(f"{id_}: at {stage.name} {shares['candidates a user']:.0f} candidates a user hold "
                 f"{shares['together']:.3f} of what is hidden ({told})")

    def _found(
        self, entry: ModelEntry, stage: StageData, key: str, place: Path
    ) -> tuple[Scorer, int | None] | None:
        """The scorer that some run has stored under this key; None where there is none, or it was damaged since."""
        known = self.cache.find(KIND, key)
        if known is None:
            return None
        with self.timings.step(entry.id, f"load:{stage.name}", reused=True):
            try:
                found = kept(known, key)
            except ModelError as error:
                self.say(f"{entry.id}: fitted anew, as what was stored cannot be used: {error}")
                return None
            if found is None:
                return None
            if known != place.resolve():
                copy_whole(known, place)
        self.say(f"{entry.id}: reused for {stage.name}")
        scorer, about = found
        return scorer, about["found"].get("stop_at")

    def lists(self, id_: str, scorer: Scorer, stage: StageData, key: str, *, personal: bool = True) -> None:
        """Write the lists of one scorer, part by part; parts that are there already are kept."""
        target = self.folder.lists(stage.name, id_)
        known = self.cache.find("lists", key)
        if known is not None and known != target.resolve() and lists_store.is_whole(known, key):
            copy_whole(known, target)
        if lists_store.is_whole(target, key):
            return
        dataset = stage.fit
        parts = lists_store.parts_of(stage.users)
        lists_store.begin(target, key, len(parts), min(DEPTH, dataset.n_items))
        if isinstance(scorer, FeaturePairs):
            self.say(f"{id_}: {estimate(scorer, stage)}")
        with self.timings.step(id_, f"score:{stage.name}"):
            for number, users in enumerate(parts):
                if not lists_store.has_part(target, number):
                    block = stage.recommend(
                        scorer,
                        min(DEPTH, dataset.n_items),
                        users=users,
                        name=id_,
                        personal=personal,
                        progress=self.fitter.progress,
                    )
                    lists_store.write_part(target, number, block, dataset.users, dataset.items)
        self.cache.note("lists", key, target)


def estimate(scorer: Scorer, stage: StageData) -> str:
    """How long it takes to score the whole catalogue for everybody at a stage, from what a few users take."""
    users = stage.users[: min(32, len(stage.users))]
    queries = stage.ask(users)
    scorer.score(queries.take(np.arange(min(1, len(users)))))  # compiled, and what is made once is there
    began = time.perf_counter()
    scorer.score(queries)
    seconds = (time.perf_counter() - began) * len(stage.users) / max(1, len(users))
    pairs = len(stage.users) * scorer.n_items
    return f"{pairs:,} pairs at {stage.name}, about {seconds:.0f} s; with `candidates` it would score but some of them"


def list_key(scorer_key: str, stage: StageData) -> str:
    """What stored lists depend on: the scorer, the histories, who is asked, the filters and the ranking code."""
    source = fingerprint.source_hash(fingerprint.PACKAGE / "ranking/recommend.py")
    filters = [fingerprint.fields_hash(fitted) for fitted in stage.filters]
    return fingerprint.digest(
        [
            scorer_key,
            stage.name == "final",
            stage.given.hash(),
            fingerprint.array_hash(stage.users),
            filters,
            source,
            DEPTH,
        ]
    )
