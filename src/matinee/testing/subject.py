"""A model under test: its recipe at the tiny settings of its YAML file, and what comes of fitting it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import numpy as np
from numpy.typing import NDArray

from matinee import catalog, config
from matinee.config import CandidateSettings
from matinee.config.yaml_file import read
from matinee.contract import Recommender, Run, Scorer
from matinee.data.dataset import Dataset
from matinee.errors import ConfigError
from matinee.experiment.two_stage import candidates, inner_stage, second_stage
from matinee.features.fitted import with_features
from matinee.numerics.threads import limited
from matinee.split.gap_and_tail import GapAndTail
from matinee.testing.toy import Toy, planted

FIRST_STAGE, DEPTH = ("item_knn", "popularity"), 20
"""What a second stage puts into order here."""
FEATURES = ("item_count", "user_count", "genre", "genre_affinity")


@dataclass(frozen=True)
class Subject:
    name: str
    """As `catalog.load` takes it: `ease`, or `./my_model.py`."""
    beside: Path | None = None
    """The folder that a path counts from."""

    @cached_property
    def kind(self) -> type[Recommender]:
        return catalog.load(self.name, self.beside)

    @cached_property
    def settings(self) -> Mapping[str, Any]:
        """The YAML file beside the model; none at all where there is no such file."""
        path = catalog.settings_file(self.name, self.beside)
        return dict(read(path).content or {}) if path.is_file() else {}

    @property
    def tiny(self) -> dict[str, Any]:
        return dict(self.settings.get("tiny") or {})

    @property
    def unchanged(self) -> Mapping[str, str]:
        """Fields that do not change scores, and why."""
        return dict(self.settings.get("unchanged") or {})

    def recipe(self, **changes: Any) -> Recommender:
        """The recipe at the tiny settings, some of them changed."""
        return config.recipe(self.name, {**self.tiny, **changes}, self.beside)

    def fit(self, toy: Toy, *, recipe: Recommender | None = None, seed: int = 1, threads: int = 1) -> Scorer:
        """A model that stops by validation is judged by what the toy holds out."""
        recipe = recipe or self.recipe()
        run = Run(seed=seed, threads=threads, validate=toy.recall if recipe.validates else None)
        with limited(threads):
            return _second_stage(recipe, toy.data, run) if recipe.learns_candidates else recipe.fit(toy.data, run)

    @cached_property
    def fitted(self) -> Scorer:
        """Fitted on the planted toy."""
        return self.fit(planted())

    @cached_property
    def scores(self) -> NDArray[np.float32]:
        """(U, I) of everybody in the planted toy."""
        return self.fitted.score(planted().queries())

    @cached_property
    def draws(self) -> bool:
        """Does another seed give other scores?"""
        return not np.array_equal(self.fit(planted(), seed=2).score(planted().queries()), self.scores)

    @property
    def fields(self) -> list[str]:
        return [field.name for field in config.fields_of(self.kind)]

    def other_value(self, field: str) -> Any:
        """Another value that the field may have: from `search` in the YAML file, or near the one it has."""
        now = getattr(self.recipe(), field)
        hint = get_type_hints(self.kind)[field]
        for value in (*self.searched().get(field, ()), *_near(now), *_choices(hint)):
            if value != now and self._takes(field, value):
                return value
        raise AssertionError(f"{self.name}.{field}: no second value can be told from `search` or its type {hint}")

    def searched(self) -> dict[str, list[Any]]:
        """For each field in `search`: the values it names, or its two ends."""
        return {field: _ends(space) for field, space in (self.settings.get("search") or {}).items()}

    def _takes(self, field: str, value: Any) -> bool:
        return not refusal(lambda: self.recipe(**{field: value}))


def _second_stage(recipe: Recommender, data: Dataset, run: Run) -> Scorer:
    """Over two models of the first stage, with features of all scopes."""
    first = {name: config.recipe(name, {}) for name in FIRST_STAGE}
    inner = inner_stage(GapAndTail(), "toy", data)
    blind, knowing = ([one.fit(train, run.with_(validate=None)) for one in first.values()]
                      for train in (inner.fit, data))
    found = candidates(blind, inner, CandidateSettings(sources=FIRST_STAGE, depth=DEPTH), run.seed, run.progress)
    return second_stage(found, inner, data, knowing=knowing,
                        teach=lambda train: recipe.fit(with_features(train, FEATURES), run))


def refusal(call: Callable[[], object]) -> str:
    """The text of the ConfigError that `call` ends with; empty where it does not."""
    try:
        call()
    except ConfigError as error:
        return str(error)
    return ""


def _ends(space: Any) -> list[Any]:
    if isinstance(space, Mapping):
        return [space[key] for key in ("low", "high") if key in space] + list(space.get("choices", ()))
    return list(space) if isinstance(space, list | tuple) else []


def _near(now: Any) -> list[Any]:
    if isinstance(now, bool):
        return [not now]
    if isinstance(now, int):
        return [now * 2, now + 1, now // 2, now - 1]
    if isinstance(now, float):
        return [now * 2, now / 2, now + 0.5, now - 0.5]
    return [1, 1.0] if now is None else []


def _choices(hint: Any) -> list[Any]:
    """The values of a Literal, also inside a union."""
    if get_origin(hint) is Literal:
        return list(get_args(hint))
    return [value for part in get_args(hint) for value in _choices(part)]
