"""An experiment as typed objects: what is read, how it is split, what is fitted, combined, measured and written."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt, Le, MinLen

from matinee import catalog
from matinee.config.tuning import TuneSettings
from matinee.config.typed import name_of, parameters, recipes_in
from matinee.contract import Recommender
from matinee.data.confidence import CONFIDENCES, Confidence
from matinee.ensemble.method import ListMethod
from matinee.ensemble.score_blend import ScoreBlend
from matinee.errors import ConfigError
from matinee.ranking.filters import FILTERS, Filter
from matinee.ranking.lists import DEPTH
from matinee.split import PROTOCOLS
from matinee.split.protocol import Protocol

Seed = Annotated[int, Ge(0), Le(2**63 - 1)]
Count = Annotated[int, Ge(0), Le(1_000_000_000)]


@dataclass(frozen=True, kw_only=True)
class DataSettings:
    path: Annotated[str, MinLen(1)]
    """A file or a folder; or `embedded:movietweetings`, `synthetic:31360x6807`."""
    layout: Literal["boostcamp", "movielens", "uplus", "recbole", "table"] | None = None
    """null: told from names and headers."""
    side: tuple[str, ...] = ()
    """Folders of further item or user files, joined by raw id."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """For `table`: which column is the user, item, time, rating ..."""
    min_rating: Annotated[float, Ge(0), Le(1e9)] = 0.0
    """Keep ratings of at least this as positive; 0 keeps all."""
    min_user_events: Count = 1
    min_item_events: Count = 1
    duplicates: Literal["keep_all", "last", "first"] = "keep_all"
    """Which rows to keep where a pair stands several times."""
    repeats: bool | None = None
    """May an item be recommended again to somebody who had it? null: as the layout says."""
    sample_users: Annotated[float, Gt(0), Le(1)] = 1.0
    """Share of the users to keep, drawn by a fixed seed, with whole histories."""
    sample_events: Annotated[float, Gt(0), Le(1)] = 1.0
    """Share of each user's events to keep, drawn by a fixed seed: the same users, more sparsely."""
    encoding: str | None = None
    """Of the text files; null: the layout's own."""

    def __post_init__(self) -> None:
        try:
            codecs.lookup(self.encoding or "utf-8")
        except LookupError:
            raise ConfigError("unknown-value", f"there is no encoding {self.encoding!r}",
                              "such as utf-8, latin-1, cp949") from None


@dataclass(frozen=True, kw_only=True)
class EvaluateSettings:
    metrics: Annotated[tuple[str, ...], MinLen(1)] = ("recall@10", "ndcg@10")
    """The first is the one that early stopping and weights are tuned by."""
    segments: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class OutputSettings:
    k: Annotated[int, Ge(1), Le(DEPTH)] = 10
    """Places of each list in a submission."""
    submission: Literal["boostcamp", "uplus", "table"] = "table"
    which: tuple[str, ...] = ()
    """Models and ensembles to write a submission of."""
    users: str | None = None
    """A file of user ids to write lists for; null: everybody in the data."""


@dataclass(frozen=True, kw_only=True)
class TrackingSettings:
    mlflow: bool | None = None
    """Mirror the run in MLflow; null: where MLFLOW_TRACKING_URI says so."""


@dataclass(frozen=True, kw_only=True)
class CandidateSettings:
    """What a second stage puts into order."""

    sources: Annotated[tuple[str, ...], MinLen(1)]
    """`from`: models of the same experiment, by id."""
    depth: Annotated[int, Ge(1), Le(10_000)] = 100
    """Of each model's list."""
    users: Annotated[int, Ge(10), Le(1_000_000_000)] = 20_000
    """To learn the order from, at random, at most."""

    def plain(self) -> dict[str, Any]:
        """As an experiment file would say it."""
        return {"from": list(self.sources), "depth": self.depth, "users": self.users}


@dataclass(frozen=True, kw_only=True)
class ModelEntry:
    id: str
    model: str
    """A name in the catalogue or a path."""
    recipe: Recommender
    weights: Confidence | None = None
    features: tuple[str, ...] = ()
    candidates: CandidateSettings | None = None


@dataclass(frozen=True, kw_only=True)
class Member:
    """One part of an ensemble; exactly one field is set."""

    id: str | None = None
    """Of a model or ensemble of the same experiment."""
    run: str | None = None
    """RUN/ID of another run."""
    file: str | None = None
    """A file of lists."""

    def plain(self) -> str | dict[str, str]:
        """As an experiment file would say it."""
        if self.id is not None:
            return self.id
        return {"run": self.run} if self.run is not None else {"file": str(self.file)}


@dataclass(frozen=True, kw_only=True)
class FromLedger:
    """The best submissions of a ledger as members; which these are is decided when the run begins."""

    top: Annotated[int, Ge(1), Le(100)]
    by: Literal["public", "offline"] = "public"
    """The score of the leaderboard, or the first metric on test."""
    ledger: str | None = None
    """The file; null: ledger.jsonl beside the folder of runs."""

    def plain(self) -> dict[str, str]:
        """As an experiment file would say it."""
        named = {} if self.ledger is None else {"ledger": self.ledger}
        return {"from_ledger": f"top:{self.top}", "by": self.by, **named}


@dataclass(frozen=True, kw_only=True)
class EnsembleEntry:
    id: str
    method: str
    recipe: ListMethod | ScoreBlend
    members: tuple[Member, ...] = ()
    from_ledger: FromLedger | None = None
    """In place of members, until the run begins."""
    weights: tuple[float, ...] | Literal["tuned"] | None = None
    """One number a member; `tuned`: chosen on valid; None: all equal."""


@dataclass(frozen=True, kw_only=True)
class Experiment:
    name: str
    seed: Seed = 0
    """The models' seed; a split has its own."""
    question: str | None = None
    expect: str | None = None
    conclusion: str | None = None
    data: DataSettings
    split: Protocol
    evaluate: EvaluateSettings = EvaluateSettings()
    filters: tuple[Filter, ...] = ()
    models: tuple[ModelEntry, ...] = ()
    ensembles: tuple[EnsembleEntry, ...] = ()
    output: OutputSettings = OutputSettings()
    tracking: TrackingSettings = TrackingSettings()
    tune: TuneSettings = field(default_factory=TuneSettings)
    sweep: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    """Dotted keys, as after `--set`, and the values of each: a grid of runs."""
    base: Path
    """The folder that paths count from: the experiment file's."""

    def resolved(self) -> dict[str, Any]:
        """Everything with its defaults filled in, JSON-able, without `base`. `experiment_from` makes the same of it."""
        plain: dict[str, Any] = {"name": self.name, "seed": self.seed, "question": self.question,
                                 "expect": self.expect, "conclusion": self.conclusion}
        for name in ("data", "evaluate", "output", "tracking", "tune"):
            plain[name] = parameters(getattr(self, name), self.base)
        plain["split"] = self._named(PROTOCOLS, "protocol", self.split)
        plain["filters"] = [self._named(FILTERS, "kind", one) for one in self.filters]
        plain["models"] = [self.entry(model.id) for model in self.models]
        plain["ensembles"] = [self.entry(ensemble.id) for ensemble in self.ensembles]
        plain["sweep"] = {key: list(values) for key, values in self.sweep.items()}
        return {one.name: plain[one.name] for one in fields(self) if one.name != "base"}

    def model_files(self, entry: ModelEntry) -> dict[str, Path]:
        """Of a model and of those in its recipe: the name, as `resolved` says it, and the source file."""
        _, *inner = recipes_in(entry.recipe)
        names = [entry.model, *(name_of(one, self.base) for one in inner)]
        return {name: catalog.source_file(name, self.base) for name in names}

    def identity(self) -> dict[str, Any]:
        """What decides the results: `resolved` without what was only thought, watched or searched."""
        return {key: value for key, value in self.resolved().items()
                if key not in {"question", "expect", "conclusion", "tracking", "tune", "sweep"}}

    def model(self, id_: str) -> ModelEntry:
        """Raises KeyError for an id that is no model's."""
        for model in self.models:
            if model.id == id_:
                return model
        raise KeyError(id_)

    def entry(self, id_: str) -> dict[str, Any]:
        """One model or ensemble as in `resolved`. Raises KeyError for an id that is neither."""
        for model in self.models:
            if model.id == id_:
                weights = None if model.weights is None else self._named(CONFIDENCES, "kind", model.weights)
                return {"id": id_, "model": model.model, **parameters(model.recipe, self.base), "weights": weights,
                        "features": list(model.features),
                        **({"candidates": model.candidates.plain()} if model.candidates else {})}
        for one in self.ensembles:
            if one.id == id_:
                weights_ = list(one.weights) if isinstance(one.weights, tuple) else one.weights
                return {"id": id_, "method": one.method, **parameters(one.recipe, self.base),
                        "members": one.from_ledger.plain() if one.from_ledger else [m.plain() for m in one.members],
                        "weights": weights_}
        raise KeyError(id_)

    def _named(self, registry: Mapping[str, type], key: str, instance: Any) -> dict[str, Any]:
        name = next(name for name, cls in registry.items() if cls is type(instance))
        return {key: name, **parameters(instance, self.base)}
