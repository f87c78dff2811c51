"""What the bits of a training hang on, as plain values: two trainings that agree in all of them are one."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import matinee
from matinee.contract import Run
from matinee.data.dataset import Dataset
from matinee.nn import processes
from matinee.nn.recipe import Trained

Identity = Mapping[str, Any]

COMPUTING = ("numpy", "scipy", "numba", "torch")
SOURCES = ("data", "nn", "numerics", "scoring")
"""Folders of the package that a step runs through."""


def training_key(name: str, recipe: Trained, data: Dataset, run: Run) -> Identity:
    """Of `name` with this recipe on this data."""
    found = {
        "model": name,
        "recipe": dataclasses.asdict(recipe),
        "data": data.hash,
        "seed": run.seed,
        "stop_at": run.stop_at,
        "validates": run.validate is not None,
        "processes": processes.count(),
        "threads": run.threads,
        "versions": {package: version(package) for package in COMPUTING},
        "code": _code(vars(sys.modules[type(recipe).__module__]).get("__file__")),
    }
    plain: Identity = json.loads(json.dumps(found, default=str))
    return plain


def differences(then: Identity, now: Identity) -> str:
    """What was, and is now, in words; empty where nothing differs."""
    return "; ".join(f"{name} was {before} and is {after}" for name, before, after in _pairs(then, now, ""))


def _pairs(then: Identity, now: Identity, path: str) -> Iterator[tuple[str, str, str]]:
    for name in sorted({*then, *now}):
        before, after = then.get(name), now.get(name)
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            yield from _pairs(before, after, f"{path}{name}.")
        elif before != after or (name in then) != (name in now):
            yield f"{path}{name}", _short(before), _short(after)


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:12]}..."


@cache
def _code(model: str | None) -> str:
    """SHA-256 of what computes, and of the model's own file; a notebook has none."""
    package = Path(matinee.__path__[0])
    files = [file for folder in SOURCES for file in sorted((package / folder).rglob("*.py"))]
    total = hashlib.sha256()
    for file in [*files, *([Path(model)] if model else [])]:
        total.update(f"{file.name} {hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode())
    return total.hexdigest()
