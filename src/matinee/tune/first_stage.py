"""What trials of second stages stand over: their first stages, fitted once as the experiment has them.

None of it is part of a trial: it is the same for each of them. Fits of earlier runs and searches are found again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from matinee.config import ModelEntry
from matinee.contract import Scorer
from matinee.errors import ModelError
from matinee.experiment.cache import Cache
from matinee.experiment.fitting import KIND, Fitter, kept
from matinee.experiment.ordering import Ordering
from matinee.experiment.stages import StageData


@dataclass(eq=False)
class FirstStage:
    """First-stage models of an experiment at one stage."""

    fitter: Fitter
    stage: StageData
    cache: Cache
    say: Callable[[str], None]
    fitted: dict[str, Scorer] = field(default_factory=dict)
    inner: StageData | None = None
    """Made where the first order is learnt from candidates."""
    ready: set[str] = field(default_factory=set)
    """Second stages for which everything is there."""

    def prepare(self, entry: ModelEntry) -> None:
        """All that trials of this second stage share. Raises what fitting raises."""
        assert entry.candidates is not None
        for id_ in entry.candidates.sources:
            if id_ not in self.fitted:
                self.fitted[id_] = self._fit(id_)
        if entry.recipe.learns_candidates:
            ordering = self._ordering(self.fitter)
            self.inner = self.inner or ordering.hiding(self.stage)
            ordering.candidates(entry.id, entry.candidates, self.inner)
        self.ready.add(entry.id)

    def fit(self, entry: ModelEntry, fitter: Fitter) -> Scorer:
        """One trial's second stage, once it was prepared."""
        assert entry.candidates is not None
        return self._ordering(fitter).fit(entry, entry.candidates, self.stage, self.stage, self.inner)

    def _fit(self, id_: str) -> Scorer:
        entry = self.fitter.experiment.model(id_)
        key = self.fitter.key(entry, self.stage, self.stage, None)
        known = self.cache.find(KIND, key)
        with suppress(ModelError):  # damaged since: to fit it is the cure
            if known is not None and (found := kept(known, key)) is not None:
                return found[0]
        scorer = self.fitter.fit(entry, self.stage, self.stage, None)
        self.fitter.keep(scorer, entry, self.stage, key, self.cache.place(KIND, key), self.cache)
        return scorer

    def _ordering(self, fitter: Fitter) -> Ordering:
        found = {id_: scorer.found.get("stop_at") for id_, scorer in self.fitted.items()}
        return Ordering(fitter, self.cache, self.say, self._knowing, found)

    def _knowing(self, ids: Sequence[str], stage: StageData) -> tuple[Scorer, ...]:
        return tuple(self.fitted[id_] for id_ in ids)
