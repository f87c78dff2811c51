"""The steps of one search: a first trial of each model, what that says of the cost, then each model's budget."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from matinee import durable
from matinee.config import Budget, Experiment, ModelEntry, Space, parameters
from matinee.experiment import fingerprint
from matinee.tune import words
from matinee.tune.result import best_of, comparison, row_of, values_file
from matinee.tune.storage import storage
from matinee.tune.study import MOST, Study
from matinee.tune.tuned_file import tuned_file
from matinee.tune.workshop import Workshop

GIVE_UP = 5
"""Trials of a model that all fail: then it is left alone."""


@dataclass(eq=False)
class Search:
    experiment: Experiment
    models: Mapping[str, str]
    """By id, the name."""
    metric: str
    folder: Path
    workshop: Workshop
    progress: Callable[[str, int, int], None]
    say: Callable[[str], None]
    shown: Callable[[Path], None]
    studies: dict[str, Study] = field(default_factory=dict)
    ended: dict[str, str] = field(default_factory=dict)
    """Of the models that are through, by what."""
    now: tuple[str, int, float] = ("", 0, 0.0)
    """The model at work, its trials and their seconds so far."""

    @property
    def budget(self) -> Budget:
        return self.experiment.tune.budget

    @property
    def most(self) -> int:
        return self.budget.trials or MOST

    def begin(self, searched: Mapping[str, tuple[ModelEntry, Mapping[str, Space]]]) -> None:
        """Each model once as it is written, and what that says of the cost."""
        held = storage(self.folder / "trials.log")
        for id_, (entry, spaces) in searched.items():
            params = parameters(entry.recipe, self.experiment.base)
            first = {name: params[name] for name in spaces}
            self.studies[id_] = Study(held, id_, spaces, first, self.experiment.tune.seed)
        self.say(f"by {self.metric} on valid, {words.of_budget(self.budget)}: {', '.join(self.studies)}")
        for study in self.studies.values():
            if not study.trials and study.seconds < (self.budget.seconds or 1):
                self._one(study)
        for line in words.of_cost(self.studies, self.budget):
            self.say(line)

    def whole(self) -> None:
        """Every model's budget; tune.json and tuned.yaml are made anew after each."""
        for id_, study in self.studies.items():
            self.ended[id_] = self._model(study)
            self.say(f"{id_}: {self.ended[id_]}; {len(study.trials)} trials in {study.seconds:.0f} s")
            self._write()

    def tick(self, seconds: float) -> None:
        """Show how much of the model's budget is spent, its trial having taken so many seconds."""
        id_, done, before = self.now
        if self.budget.trials:
            self.progress(f"{id_}: trials", done, self.budget.trials)
        elif self.budget.seconds:
            self.progress(f"{id_}: seconds", int(before + seconds), int(self.budget.seconds))

    def _model(self, study: Study) -> str:
        """Trials until the budget is spent or the space has nothing new; which of them it was."""
        while True:
            trials = study.trials
            if len(trials) >= self.most:
                return "all trials done"
            if self.budget.seconds is not None and study.seconds >= self.budget.seconds:
                return "the minutes are over"
            if len(trials) >= GIVE_UP and all(trial.outcome.state == "failed" for trial in trials):
                return "left alone, as every trial failed"
            if not self._one(study):
                return "nothing new to try"

    def _one(self, study: Study) -> bool:
        """One trial; False where the space has nothing new."""
        trials, before = study.trials, study.seconds
        asked = study.ask()
        if asked is None:
            return False
        number, settings = asked
        self.now = study.id, len(trials), before
        steps = iter(range(1 << 30))
        values = values_file(self.folder, study.id, number).resolve()
        outcome = self.workshop.trial(
            {"id": study.id, "settings": settings, "values": str(values)},
            None if self.budget.seconds is None else max(0.1, self.budget.seconds - before),
            lambda value: study.report(number, next(steps), value),
        )
        study.tell(number, outcome)
        self.say(words.of_trial(study.id, number, self.metric, outcome, best_of(trials)))
        self.now = study.id, len(trials) + 1, before + outcome.seconds
        self.tick(0)
        return True

    def _write(self) -> None:
        settings = self.experiment.tune
        rows = [row_of(self.studies[id_], self.models[id_], ended, self.folder, self.experiment.seed)
                for id_, ended in self.ended.items()]
        found: dict[str, Any] = {
            "format": 1,
            "search": self.folder.name,
            "metric": self.metric,
            "budget": {**parameters(settings.budget), "words": words.of_budget(settings.budget)},
            "seed": settings.seed,
            "config": self.experiment.resolved(),
            "models": rows,
            "to_come": [id_ for id_ in self.studies if id_ not in self.ended],
            "comparison": comparison(rows, self.folder, self.experiment.seed),
            "threads": self.workshop.begin["threads"],
            "code": fingerprint.code_state(),
            "packages": fingerprint.versions(),
        }
        durable.write_json(self.folder / "tune.json", found)
        best = {row["id"]: row["best"]["settings"] for row in rows if row["best"]}
        if best:
            comments = {row["id"]: words.of_entry(row, self.metric) for row in rows}
            text = tuned_file(self.experiment, self.metric, best, comments, words.heading(found), self.folder)
            durable.write_text(self.folder / "tuned.yaml", text)
        self.shown(self.folder)
