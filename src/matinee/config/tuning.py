"""The blocks `tune` and `sweep` of an experiment file: what is searched, by which budget; which cells a grid has."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Annotated, Any

from annotated_types import Ge, Gt, Le

from matinee.config.typed import At, build, convert, keys, shown
from matinee.errors import ConfigError, MatineeError
from matinee.evaluation.accuracy import is_accuracy
from matinee.evaluation.names import parse, require_depth
from matinee.ranking.lists import DEPTH

MOST_CELLS = 64
"""Of a sweep. Each is a run of its own; what has more is a search, and `tune` has a budget."""
_KEYS = ("models", "metric", "budget", "seed", "search")


@dataclass(frozen=True, kw_only=True)
class Budget:
    """What each model may spend: the same for all."""

    minutes: Annotated[float, Gt(0), Le(100_000)] | None = None
    """Of trials; one that would go on beyond is stopped."""
    trials: Annotated[int, Ge(1), Le(10_000)] | None = None
    """The first of which is the model as it is written."""
    memory: Annotated[float, Gt(0), Le(100_000)] | None = None
    """GB of the whole process; a trial that takes more is stopped, and has failed. null: nine tenths of the machine."""

    @property
    def seconds(self) -> float | None:
        return None if self.minutes is None else 60 * self.minutes


@dataclass(frozen=True, kw_only=True)
class TuneSettings:
    models: tuple[str, ...] = ()
    """Ids; none: all that have something to search."""
    metric: str | None = None
    """null: the first of `evaluate.metrics`."""
    budget: Budget = Budget(minutes=10)
    seed: Annotated[int, Ge(0), Le(2**31 - 1)] = 0
    """Of the search; the models keep the experiment's own."""
    search: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """By id: fields to search otherwise than the model's own file says."""


def tune_settings(given: Any, at: At) -> TuneSettings:
    """Raises ConfigError; ids and fields are checked once the models are known."""
    checked = keys(given, _KEYS, at)
    budget = build(Budget, checked.pop("budget", None) or {"minutes": 10}, at / "budget")
    if budget.minutes is None and budget.trials is None:
        raise (at / "budget").error("missing-key", "nothing here ends the search", "say minutes, or trials, or both")
    search = checked.pop("search", None) or {}
    if not isinstance(search, Mapping) or not all(isinstance(one, Mapping) for one in search.values()):
        raise (at / "search").error("wrong-type", f"{shown(search, at)} stands where models and fields are expected",
                                    "such as {ease: {l2: {low: 10, high: 1000, log: true}}}")
    settings = build(TuneSettings, {key: value for key, value in checked.items() if value is not None}, at)
    if settings.metric is not None:
        _check_metric(settings.metric, at / "metric")
    return TuneSettings(models=settings.models, metric=settings.metric, budget=budget, seed=settings.seed,
                        search=search)


def _check_metric(name: str, at: At) -> None:
    try:
        require_depth([parse(name)], DEPTH)
    except MatineeError as error:
        raise at.placed(error) from None
    if not is_accuracy(parse(name)):
        raise at.error("not-accuracy", f"{name} does not compare lists with what was hidden", "such as ndcg@10")


def sweep_settings(given: Any, at: At) -> dict[str, tuple[Any, ...]]:
    """Dotted keys, as after `--set`, and the values that each takes. Raises ConfigError."""
    if not isinstance(given, Mapping):
        raise at.error("wrong-type", f"{shown(given, at)} stands where keys and lists are expected",
                       "such as {models.ease.l2: [100, 300, 1000]}")
    found: dict[str, tuple[Any, ...]] = {}
    for key, values in given.items():
        spot = at / str(key)
        if str(key).split(".")[0] in {"sweep", "tune", "name", "question", "expect", "conclusion", "tracking"}:
            raise spot.error("bad-override", "this changes no result", "such as models.ease.l2", of_key=True)
        found[str(key)] = convert(tuple[Any, ...], values, spot)
        if not found[str(key)]:
            raise spot.error("bad-value", "an empty list leaves nothing to run", "give at least one value")
        if len({json.dumps(value, sort_keys=True) for value in found[str(key)]}) < len(found[str(key)]):
            raise spot.error("duplicate-name", "a value is given twice", "keep one of them")
    cells = math.prod(map(len, found.values()))
    if cells > MOST_CELLS:
        raise at.error("too-large", f"a grid of {cells:,} cells, where {MOST_CELLS} are the most",
                       "give fewer values, or search with `tune`, which has a budget")
    return found


def cells(sweep: Mapping[str, tuple[Any, ...]]) -> list[dict[str, Any]]:
    """Every combination, the last key changing first; the first is the one that others are compared with."""
    return [dict(zip(sweep, values, strict=True)) for values in product(*sweep.values())]


def as_overrides(cell: Mapping[str, Any]) -> list[str]:
    """As they would stand after `--set`."""
    return [f"{key}={json.dumps(value)}" for key, value in cell.items()]


def no_sweep(experiment_sweep: Mapping[str, Any], verb: str) -> None:
    """Raises ConfigError where a file has a grid, and what is asked for is one run."""
    if experiment_sweep:
        raise ConfigError("sweep", f"this file has a sweep, which is many runs; {verb} takes one",
                          "leave `sweep` out, or give the file to `matinee run`")
