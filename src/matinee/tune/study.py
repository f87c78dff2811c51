"""The trials of one model: which settings come next, what each came to, and what a stop in between leaves.

The sampler is the tree-structured Parzen estimator over all fields together (Bergstra et al. 2011; Optuna's own
defaults). It is made anew for each trial, its seed of (seed of the search, model, number of trials before): the next
trial is decided by the trials before it, so a search that was killed goes on to the very trials it would have made.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from matinee.config import Choices, Range, Space
from matinee.tune.storage import calmly, require_optuna

MOST = 200
"""Trials of a model where the budget names none, however quick they are."""
FEWEST = 12
"""Finished trials from which on it is told which fields mattered."""
REDRAWS = 64
"""Proposals in a row that were tried before: then the space has nothing new."""
STARTUP, WARMUP, BEFORE_PRUNING = 10, 2, 4
"""Trials at random first; validations that no trial is stopped before; trials without pruning."""

Settings = dict[str, Any]


@dataclass(frozen=True)
class Outcome:
    """What one trial came to."""

    state: str
    """done, pruned, failed; or cut, where the minutes were over"""
    seconds: float
    value: float | None = None
    """Of a pruned one the last that was validated."""
    peak_mb: float | None = None
    why: str = ""


@dataclass(frozen=True)
class Trial:
    number: int
    """Its place among those that came to an end: 0 is the model as it is written."""
    settings: Settings
    outcome: Outcome
    reports: tuple[float, ...] = ()
    """What was validated on the way."""

    @property
    def done(self) -> bool:
        return self.outcome.state == "done"

    @property
    def value(self) -> float:
        assert self.outcome.value is not None
        return self.outcome.value


@dataclass(frozen=True, eq=False)
class Study:
    """One model's search in a storage that several share."""

    storage: Any
    id: str
    spaces: Mapping[str, Space]
    first: Settings
    """The settings of trial 0: the model as it is written."""
    seed: int
    proposals: dict[int, Any] = field(default_factory=dict)
    """Trials that have begun, by number."""

    @cached_property
    def study(self) -> Any:
        """Trials that an earlier process left unfinished are over; what they were trying is asked for again."""
        optuna = require_optuna()
        with calmly():
            pruner = optuna.pruners.MedianPruner(n_startup_trials=BEFORE_PRUNING, n_warmup_steps=WARMUP)
            study = optuna.create_study(storage=self.storage, study_name=self.id, direction="maximize",
                                        load_if_exists=True, pruner=pruner)
            for trial in study.get_trials(deepcopy=False):
                if trial.state == optuna.trial.TrialState.RUNNING:
                    study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
                    if "settings" in trial.user_attrs:
                        again = {"settings": trial.user_attrs["settings"]}
                        study.enqueue_trial(trial.params, user_attrs=again)
        return study

    @property
    def trials(self) -> list[Trial]:
        """Those that came to an end, in their order; without what was interrupted, cut, or proposed twice."""
        found: list[Trial] = []
        for one in self._told():
            outcome = Outcome(**one.user_attrs["outcome"])
            reports = tuple(value for _, value in sorted(one.intermediate_values.items()))
            if outcome.state != "cut":
                found.append(Trial(len(found), one.user_attrs["settings"], outcome, reports))
        return found

    @property
    def cut(self) -> int:
        """Trials that the end of the minutes cut off: a larger budget makes them again."""
        return sum(one.user_attrs["outcome"]["state"] == "cut" for one in self._told())

    @property
    def seconds(self) -> float:
        """Spent on all of them."""
        return float(sum(one.user_attrs["outcome"]["seconds"] for one in self._told()))

    def _told(self) -> list[Any]:
        return [one for one in self.study.get_trials(deepcopy=False)
                if "outcome" in one.user_attrs and one.state.is_finished()]

    @property
    def size(self) -> float:
        """Settings that the space holds; infinite where a number is between two ends."""
        size = 1.0
        for space in self.spaces.values():
            size *= space.size
        return size

    def ask(self) -> tuple[int, Settings] | None:
        """The next trial's number and settings; None where the space has nothing new."""
        optuna = require_optuna()
        trials = self.trials
        tried = {canonical(trial.settings) for trial in trials}
        if not trials and not self.study.get_trials(deepcopy=False, states=[optuna.trial.TrialState.WAITING]):
            self.study.enqueue_trial(self._params(self.first), user_attrs={"settings": self.first})
        for attempt in range(REDRAWS):
            with calmly():
                self.study.sampler = optuna.samplers.TPESampler(
                    n_startup_trials=STARTUP, seed=zlib.crc32(f"{self.seed} {self.id} {len(trials)} {attempt}".encode())
                )
                proposal = self.study.ask(self._distributions)
            settings = proposal.user_attrs.get("settings") or self._settings(proposal.params)
            if canonical(settings) not in tried:
                proposal.set_user_attr("settings", settings)
                self.proposals[len(trials)] = proposal
                return len(trials), settings
            self.study.tell(proposal, state=optuna.trial.TrialState.FAIL)
        return None

    def report(self, number: int, step: int, value: float) -> bool:
        """Take one validation of a trial; may it go on?"""
        proposal = self.proposals[number]
        proposal.report(value, step)
        return not proposal.should_prune()

    def tell(self, number: int, outcome: Outcome) -> None:
        state = require_optuna().trial.TrialState
        proposal = self.proposals.pop(number)
        proposal.set_user_attr("outcome", vars(outcome))
        if outcome.state == "done":
            self.study.tell(proposal, outcome.value)
        else:
            self.study.tell(proposal, state=state.PRUNED if outcome.state == "pruned" else state.FAIL)

    def importances(self) -> dict[str, float]:
        """How much of being among the best quarter is due to each field, as shares (PED-ANOVA, Watanabe et al. 2023).

        Empty below FEWEST trials: too few to say anything.
        """
        optuna = require_optuna()
        if sum(trial.done for trial in self.trials) < FEWEST or not self.spaces:
            return {}
        with calmly():
            found = optuna.importance.get_param_importances(
                self.study, evaluator=optuna.importance.PedAnovaImportanceEvaluator(target_quantile=0.25)
            )
        return {name: round(float(share), 6) for name, share in found.items()}

    @property
    def _distributions(self) -> dict[str, Any]:
        optuna = require_optuna()
        kinds = optuna.distributions
        found: dict[str, Any] = {}
        for name, space in self.spaces.items():
            if isinstance(space, Choices):
                found[name] = kinds.CategoricalDistribution([canonical(value) for value in self._choices(name, space)])
            elif space.whole:
                found[name] = kinds.IntDistribution(space.low, space.high, log=space.log)
            else:
                found[name] = kinds.FloatDistribution(space.low, space.high, log=space.log)
        return found

    def _choices(self, name: str, space: Choices) -> tuple[Any, ...]:
        return space.with_(self.first[name]).of

    def _params(self, settings: Settings) -> dict[str, Any]:
        """As Optuna sees them. A number outside its range stands at the nearer end, and what is none in the middle:
        the sampler learns of one point not quite where it was, and `settings` keep what it was."""
        return {name: canonical(settings[name]) if isinstance(space, Choices) else _inside(space, settings[name])
                for name, space in self.spaces.items()}

    def _settings(self, params: Mapping[str, Any]) -> Settings:
        return {name: json.loads(params[name]) if isinstance(space, Choices) else space.rounded(params[name])
                for name, space in self.spaces.items()}


def canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _inside(space: Range, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        middle = (space.low * space.high) ** 0.5 if space.log else (space.low + space.high) / 2
        return space.rounded(middle)
    return min(max(round(value) if space.whole else float(value), space.low), space.high)
