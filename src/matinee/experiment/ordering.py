"""Fit what puts into order the candidates that other models of the experiment find."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from matinee.config import CandidateSettings, ModelEntry
from matinee.contract import Scorer
from matinee.data.candidates import Candidates
from matinee.data.dataset import Dataset
from matinee.errors import ModelError
from matinee.experiment import candidates_store, fingerprint
from matinee.experiment.cache import Cache
from matinee.experiment.fitting import Fitter
from matinee.experiment.stages import StageData
from matinee.experiment.two_stage import candidates, inner_stage, second_stage


@dataclass(frozen=True, eq=False)
class Ordering:
    """Second stages of one experiment."""

    fitter: Fitter
    cache: Cache
    say: Callable[[str], None]
    knowing: Callable[[Sequence[str], StageData], tuple[Scorer, ...]]
    """First-stage models of these ids, as they were fitted for a stage."""
    found: Mapping[str, int | None]
    """By id, the number, of epochs or of clusters, that validation chose."""

    def fit(
        self, entry: ModelEntry, settings: CandidateSettings, stage: StageData, valid: StageData | None,
        inner: StageData | None = None,
    ) -> Scorer:
        """Where it learns from candidates, those are of a first stage that was fitted without their answers; it is
        asked beside the stage's own. inner: what `hiding` came to, where it is at hand. Raises what fitting and finding
        raise."""
        if not entry.recipe.learns_candidates:
            knowing = self.knowing(settings.sources, stage)
            return self.fitter.fit(entry, stage, valid, self.found.get(entry.id), knowing)
        inner = inner or self.hiding(stage)

        def teach(data: Dataset) -> Scorer:
            return self.fitter.fit(entry, replace(inner, fit=data), None, self.found.get(entry.id))

        found = self.candidates(entry.id, settings, inner)
        return second_stage(found, inner, stage.fit, teach=teach, knowing=self.knowing(settings.sources, stage))

    def hiding(self, stage: StageData) -> StageData:
        """What the stage may learn from, with a part of it hidden to teach by."""
        return inner_stage(self.fitter.experiment.split, stage.name, stage.fit)

    def candidates(self, for_: str, settings: CandidateSettings, inner: StageData) -> Candidates:
        """What the first stage finds without what is hidden at `inner`; found again where nothing of it has changed."""
        experiment = self.fitter.experiment
        first = [experiment.model(id_) for id_ in settings.sources]
        assert inner.truth is not None
        keys = [self.fitter.key(one, inner, None, self.found.get(one.id)) for one in first]
        code = fingerprint.source_hash(fingerprint.PACKAGE / "experiment/two_stage.py")
        key = fingerprint.digest([keys, settings.plain(), inner.truth.hash, experiment.seed, code])
        place = self.cache.place("candidates", key)
        with contextlib.suppress(ModelError):  # not there, or damaged: finding them again is the cure for both
            found = candidates_store.load(place)
            self.say(f"{for_}: candidates reused")
            return found
        sources = []
        for one in first:
            self.say(f"{for_}: {one.id} without what the order is taught by")
            sources.append(self.fitter.fit(one, inner, None, self.found.get(one.id)))
            self.fitter.forget(one, inner)
        found = candidates(sources, inner, settings, experiment.seed, self.fitter.progress)
        candidates_store.save(found, place)
        return found
