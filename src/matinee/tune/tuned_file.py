"""A search to an experiment file that runs as it is, with comments that say where its numbers come from."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from matinee import catalog, config
from matinee.config import Experiment, parameters, recipes_in
from matinee.config.naming import derived
from matinee.contract import Recommender

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_@/-]*(\.[A-Za-z0-9_@/-]+)*")
_TAKEN = {"null", "true", "false", "yes", "no", "on", "off", "y", "n", "nan", "inf"}
_GENERATED = ("embedded:", "synthetic")


def tuned_file(
    experiment: Experiment, metric: str, settings: Mapping[str, Mapping[str, Any]], comments: Mapping[str, str],
    heading: Sequence[str], folder: Path,
) -> str:
    """The text of an experiment file to stand in `folder`: `experiment` with these settings of its models.

    metric    what was searched by: it stands first, so that the models stop by it as they did in the search
    comments  by id: what is said above an entry
    """
    plain = experiment.resolved()
    metrics = plain["evaluate"]["metrics"]
    plain["evaluate"]["metrics"] = [metric, *(one for one in metrics if one != metric)]
    plain["name"] = derived(experiment.name, "-tuned")
    plain = _moved(plain, set(_paths(experiment)), experiment.base.resolve(), folder.resolve())
    lines = [f"# {line}".rstrip() for line in heading]
    for key in ("name", "seed", "question", "expect"):
        if plain[key] is not None:
            lines.append(f"{key}: {_flow(plain[key])}")
    for key in ("data", "split", "evaluate", "filters"):
        if section := _without_defaults(experiment, key, plain[key]):
            lines.append(f"{key}: {_flow(section)}")
    lines.append("models:")
    for entry, given in zip(plain["models"], experiment.models, strict=True):
        own = {**entry, **settings.get(given.id, {})}
        lines += [f"  # {line}" for line in comments.get(given.id, "").splitlines()]
        lines.append(f"  - {_flow(_entry(own, given.recipe, settings.get(given.id, ())))}")
    if plain["ensembles"]:
        lines += ["ensembles:", *(f"  - {_flow(_filled(one))}" for one in plain["ensembles"])]
    for key in ("output", "tracking"):
        if section := _without_defaults(experiment, key, plain[key]):
            lines.append(f"{key}: {_flow(section)}")
    return "\n".join(lines) + "\n"


def _entry(entry: Mapping[str, Any], recipe: Recommender, searched: Collection[str]) -> dict[str, Any]:
    """What was searched, and what is not as the model has it by itself."""
    model, id_ = entry["model"], entry["id"]
    usual = _usual(type(recipe))
    default = Path(model).stem if catalog.is_path(model) else model
    kept = {key: value for key, value in entry.items()
            if key in searched or (usual[key] != value if key in usual else value not in (None, []))}
    return {**({"id": id_} if id_ != default else {}), "model": model,
            **{key: value for key, value in kept.items() if key not in {"id", "model"}}}


def _usual(cls: type[Any]) -> dict[str, Any]:
    """The defaults of a dataclass; none where it cannot be made of nothing."""
    if any(one.init and one.default is MISSING and one.default_factory is MISSING for one in fields(cls)):
        return {}
    return parameters(cls())


def _filled(given: Mapping[str, Any]) -> dict[str, Any]:
    """Without keys that say nothing."""
    return {key: value for key, value in given.items() if value not in (None, [], {})}


def _without_defaults(experiment: Experiment, key: str, plain: Any) -> Any:
    if not isinstance(plain, Mapping):
        return plain
    usual: dict[str, Any] = {}
    if key in {"evaluate", "output", "tracking"}:
        usual = _usual(type(getattr(experiment, key)))
    if key == "data":
        usual = parameters(config.DataSettings(path="x"))
    return {name: value for name, value in plain.items() if name not in usual or usual[name] != value}


def _paths(experiment: Experiment) -> Iterator[str]:
    """Every text of the experiment that is a path, as `resolved` writes it."""
    data = experiment.data
    yield from (path for path in (data.path, *data.side) if not path.startswith(_GENERATED))
    yield from (one.file for entry in experiment.ensembles for one in entry.members if one.file)
    yield from [experiment.output.users] if experiment.output.users else []
    for entry in experiment.models:
        yield from (name for name in experiment.model_files(entry) if catalog.is_path(name))
        names = [name for recipe in recipes_in(entry.recipe) for name in recipe.named_vectors()]
        yield from (name for name in names if (experiment.base / name).is_file())
    recipes = [recipe for entry in experiment.models for recipe in recipes_in(entry.recipe)]
    for holder in [experiment.split, *experiment.filters, *recipes]:
        for name, value in parameters(holder, experiment.base).items():
            if isinstance(getattr(holder, name), Path):
                yield value


def _moved(value: Any, paths: set[str], base: Path, folder: Path) -> Any:
    """With every path counted from `folder` in the place of `base`; an absolute one stays."""
    if isinstance(value, Mapping):
        return {key: inner if key == "id" else _moved(inner, paths, base, folder) for key, inner in value.items()}
    if isinstance(value, list):
        return [_moved(inner, paths, base, folder) for inner in value]
    if isinstance(value, str) and value in paths:
        return value if Path(value).is_absolute() else Path(os.path.relpath(base / value, folder)).as_posix()
    return value


def _flow(value: Any) -> str:
    """On one line, as people write it."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_flow(key)}: {_flow(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, str) and _WORD.fullmatch(value) and value.lower() not in _TAKEN:
        return value
    return json.dumps(value, ensure_ascii=False)
