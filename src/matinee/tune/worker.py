"""The process that fits: it reads what is to be tried, a JSON object a line, and answers with what came of it.

    <- {"config", "base", "runs", "threads"}                   once
    -> {"ready": true}
    <- {"id", "settings", "values"}                            one trial; `values`: where to write each user's value
    -> {"first": ["ease"]}   -> {"prepared": true}             before a second stage's first trial here: FirstStage
    -> {"report": 0.21}      <- {"go_on": true}                after each epoch that is validated
    -> {"again": true}                                         a model's first trial here, done once more: see WARM
    -> {"value", "peak_mb"} | {"pruned": true} | {"error"}     its end

It holds the valid part alone: what a search may not see is not there. It dies with whoever started it.
"""

from __future__ import annotations

import contextlib
import ctypes
import io
import json
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

import numpy as np
from threadpoolctl import threadpool_limits

from matinee import durable
from matinee.config import Experiment, experiment_from
from matinee.errors import DataError, MatineeError
from matinee.evaluation.accuracy import per_user
from matinee.evaluation.names import parse
from matinee.evaluation.uncertainty import mean
from matinee.experiment.cache import Cache
from matinee.experiment.feature_cache import FeatureCache
from matinee.experiment.fitting import Fitter
from matinee.experiment.item_vectors import find_vectors
from matinee.experiment.material import material
from matinee.experiment.stages import StageData, some, split_stages
from matinee.experiment.timing import forget_peak, peak_mb
from matinee.split.parts import Split, Stage
from matinee.tune.first_stage import FirstStage

MOST_USERS = 200_000
"""Whose values are kept for the intervals; all count for the mean."""
WARM = 30.0
"""A model's first trial in a process also imports and compiles. Where it was quicker than so many seconds it is done
once more, and the second time is the one that counts: else the first of the models would pay for all of them."""
_PARENT_DIED = 1  # PR_SET_PDEATHSIG


class Pruned(Exception):
    """The trial need not go on."""


@dataclass(frozen=True, eq=False)
class Bench:
    """All that trials of one experiment share."""

    config: Mapping[str, Any]
    experiment: Experiment
    valid: StageData
    fitter: Fitter
    first: FirstStage

    @classmethod
    def of(cls, config: Mapping[str, Any], base: Path, runs: Path, threads: int) -> Bench:
        experiment, cache = experiment_from(config, base), Cache(runs / ".cache")
        stuff = material(experiment, cache, _unheard)
        vectors = find_vectors(experiment, stuff, runs, _mute)
        split = replace(stuff.split, stages={"valid": valid_of(stuff.split)})
        valid = split_stages(stuff.dataset, split, experiment.filters)["valid"]
        fitter = Fitter(experiment, threads, _unheard, _unnoted, None, vectors, FeatureCache(cache))
        return cls(config, experiment, valid, fitter, FirstStage(fitter, valid, cache, _mute))

    def lacking(self, id_: str) -> tuple[str, ...]:
        """Of a second stage that nothing is prepared for yet, its first stage."""
        entry = self.experiment.model(id_)
        return entry.candidates.sources if entry.candidates and id_ not in self.first.ready else ()

    def prepare(self, id_: str) -> None:
        self.first.prepare(self.experiment.model(id_))

    def trial(
        self, id_: str, settings: Mapping[str, Any], values: Path, go_on: Callable[[float], bool]
    ) -> dict[str, Any]:
        """Fit one model with these settings, rank and measure, as a run would for its valid part."""
        experiment = with_settings(self.config, {id_: settings}, self.experiment.base)
        metric = experiment.evaluate.metrics[0]
        entry = experiment.model(id_)

        def heard(facts: Mapping[str, Any]) -> None:
            if {"epoch", "validation"} <= facts.keys() and not go_on(facts["validation"]):
                raise Pruned

        fitter = replace(self.fitter, experiment=experiment, journal=heard)
        scorer = (self.first.fit(entry, fitter) if entry.candidates is not None
                  else fitter.fit(entry, self.valid, self.valid, None))
        lists = self.valid.recommend(scorer, parse(metric).k, name=id_, personal=entry.recipe.personal)
        assert self.valid.truth is not None
        found = per_user(lists, self.valid.truth, [metric])[metric]
        _write(values, found[some(np.arange(len(found)), MOST_USERS, 0)])
        return {"value": mean(found)}


def valid_of(split: Split) -> Stage:
    """The stage that a search may measure on. Raises DataError where the split has none."""
    if "valid" not in split.stages:
        raise DataError("no-valid", "this split has no valid part, and the test part is not for choosing by",
                        "give the split one, such as `valid: 1` or `valid: 0.1`")
    return split.stages["valid"]


def with_settings(config: Mapping[str, Any], settings: Mapping[str, Mapping[str, Any]], base: Path) -> Experiment:
    """The experiment with other settings in the models of these ids. Raises ConfigError where they cannot be."""
    models = [{**entry, **settings.get(entry["id"], {})} for entry in config["models"]]
    return experiment_from({**config, "models": models}, base)


class Channel:
    """Lines from and to whoever asks; without one, this process has nothing to live for."""

    def __init__(self, asked: IO[str], answers: IO[str]) -> None:
        self.answers = answers
        self.lines: queue.Queue[dict[str, Any]] = queue.Queue()
        threading.Thread(target=self._listen, args=[asked], daemon=True).start()

    def next(self) -> dict[str, Any]:
        return self.lines.get()

    def say(self, facts: Mapping[str, Any]) -> None:
        self.answers.write(json.dumps(facts) + "\n")
        self.answers.flush()

    def may_go_on(self, value: float) -> bool:
        self.say({"report": value})
        return bool(self.next()["go_on"])

    def _listen(self, asked: IO[str]) -> None:
        for line in asked:
            self.lines.put(json.loads(line))
        os._exit(0)


def work(channel: Channel) -> None:
    try:
        told = channel.next()
        bench = Bench.of(told["config"], Path(told["base"]), Path(told["runs"]), told["threads"])
    except MatineeError as error:
        channel.say(_as_answer(error))
        return
    channel.say({"ready": True})
    known: set[str] = set()
    with threadpool_limits(limits=bench.fitter.threads):
        while True:
            channel.say(_one(bench, channel.next(), channel, known))


def _one(bench: Bench, told: Mapping[str, Any], channel: Channel, known: set[str]) -> dict[str, Any]:
    """One trial; `known` are the models that have been fitted before."""
    ask = told["id"], told["settings"], Path(told["values"])
    forget_peak()
    try:
        if first := bench.lacking(told["id"]):
            channel.say({"first": first})
            bench.prepare(told["id"])
            channel.say({"prepared": True})
        start = time.monotonic()
        answer = bench.trial(*ask, channel.may_go_on)
        if told["id"] not in known and time.monotonic() - start < WARM:
            channel.say({"again": True})
            answer = bench.trial(*ask, lambda value: True)
        known.add(told["id"])
    except Pruned:
        answer = {"pruned": True}
    except MatineeError as error:
        answer = _as_answer(error)
    except MemoryError:
        answer = {"error": "there is no more memory to have", "memory": True}
    return {**answer, "peak_mb": round(peak_mb(), 1)}


def _as_answer(error: MatineeError) -> dict[str, Any]:
    return {"error": str(error), "memory": error.code == "out-of-memory"}


def _write(path: Path, values: Any) -> None:
    held = io.BytesIO()
    np.save(held, values.astype(np.float32))
    durable.write_bytes(path, held.getvalue())


def _unheard(what: str, done: int, total: int) -> None:
    """Nobody watches."""


def _unnoted(facts: Mapping[str, Any]) -> None:
    """Nobody keeps it."""


def _mute(line: str) -> None:
    """Nobody listens."""


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever asks decides when to stop
    with contextlib.suppress(OSError, AttributeError):  # Linux: gone at once, also in the middle of a long kernel
        ctypes.CDLL(None).prctl(_PARENT_DIED, signal.SIGKILL)
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a model prints is no answer
    work(Channel(sys.stdin, answers))


if __name__ == "__main__":
    main()
