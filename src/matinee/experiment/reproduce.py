"""Do a run again from its manifest and compare the two, bit by bit."""

from __future__ import annotations

import copy
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from matinee.config import Experiment, experiment_from
from matinee.errors import DataError, ModelError
from matinee.experiment import fingerprint
from matinee.experiment.cache import Cache
from matinee.experiment.folder import RunFolder
from matinee.experiment.material import Material, material
from matinee.experiment.run import run
from matinee.nn import processes


@dataclass(frozen=True)
class Verdict:
    again: RunFolder
    surroundings: tuple[str, ...]
    """What is not as it was: code, packages, threads, data; in words."""
    results: tuple[str, ...]
    """What came out otherwise; empty where every bit is the same."""
    compared: int
    """Files compared."""


def reproduce(
    original: RunFolder, into: Path, *, progress: Callable[[str, int, int], None], say: Callable[[str], None]
) -> Verdict:
    """Repeat `original` below `into` from its manifest and its own copies of outside models and vectors, all anew.

    The data is read again from where it was; where it is gone or has changed, the run's own copy is used and the
    difference is told. Raises ModelError where the run is not whole.
    """
    if not original.is_done:
        raise ModelError(
            "not-done",
            "the run was stopped before its end, so there is nothing to compare with",
            "run the experiment again first; it goes on where it stopped",
            original.path,
        )
    manifest = original.manifest
    experiment = _experiment_of(original)
    surroundings = list(_surroundings(manifest))
    stuff = None if processes.rank() else _material_of(original, experiment, into, surroundings, progress)
    threads = int(manifest["threads"])
    if threads > (os.cpu_count() or 1):
        surroundings.append(f"threads: {threads} then, {os.cpu_count()} cores now")
    again = run(experiment, into, again=True, use_cache=False, threads=threads, stuff=stuff, progress=progress, say=say)
    names = _artefacts(original)
    return Verdict(again, tuple(surroundings), tuple(_differences(original, again, names)), len(names))


def _experiment_of(original: RunFolder) -> Experiment:
    config = copy.deepcopy(original.manifest["config"])
    copies = {name: str((original.path / "outside" / outside["files"][0]).resolve())
              for name, outside in original.manifest["outside"].items()}
    for model in config["models"]:
        _point_to(copies, model)
    return experiment_from(config, Path(original.manifest["base"]))


def _point_to(copies: dict[str, str], entry: dict[str, Any]) -> None:
    """Name the run's own copies of outside models, in a model's entry and in those inside it."""
    if entry.get("model") in copies:
        entry["model"] = copies[entry["model"]]
    for inner in entry.values():
        if isinstance(inner, dict):
            _point_to(copies, inner)


def _material_of(
    original: RunFolder,
    experiment: Experiment,
    into: Path,
    surroundings: list[str],
    progress: Callable[[str, int, int], None],
) -> Material:
    stored = Material(original.dataset, original.split, (), original.vectors, original.path / "members")
    try:
        fresh = material(experiment, Cache(into / ".cache"), progress)
    except DataError as error:
        surroundings.append(f"data: cannot be read where it was ({error}); the run's own copy is used")
        return stored
    if fresh.dataset.hash != stored.dataset.hash:
        surroundings.append(
            f"data: {stored.dataset.hash[:12]} then, {fresh.dataset.hash[:12]} now; the run's own copy is used"
        )
        return stored
    if fresh.split.hash != stored.split.hash:
        surroundings.append(f"split: {stored.split.hash[:12]} then, {fresh.split.hash[:12]} now; the run's own is used")
        return stored
    return replace(fresh, vectors=stored.vectors, lists=stored.lists)


def _surroundings(manifest: dict[str, Any]) -> Iterator[str]:
    now = fingerprint.code_state()
    then = manifest["code"]
    if then["package"] != now["package"]:
        yield f"code: package {then['package'][:12]} then, {now['package'][:12]} now"
        if then["commit"] != now["commit"]:
            yield f"code: commit {then['commit']} then, {now['commit']} now"
        elif then["diff"] != now["diff"]:
            yield "code: the same commit with another uncommitted change; the manifest keeps the one of then"
    packages = fingerprint.versions()
    for name in sorted(then_packages := manifest["packages"]):
        if name in fingerprint.COMPUTING and packages.get(name) != then_packages[name]:
            yield f"{name}: {then_packages[name]} then, {packages.get(name, 'absent')} now"
    if manifest.get("processes", 1) != processes.count():
        yield f"processes: {manifest.get('processes', 1)} then, {processes.count()} now"
    if manifest["machine"]["processor"] != fingerprint.machine()["processor"]:
        yield f"processor: {manifest['machine']['processor']} then, {fingerprint.machine()['processor']} now"


def _artefacts(folder: RunFolder) -> list[Path]:
    """Every result, relative to the run: fitted arrays, lists, truth, figures, submissions."""
    patterns = (
        "models/**/*.safetensors",
        "models/**/ensemble.json",
        "lists/**/*.parquet",
        "truth/*.parquet",
        "submission/*.csv",
        "metrics.json",
    )
    return sorted(path.relative_to(folder.path) for pattern in patterns for path in folder.path.glob(pattern))


def _differences(one: RunFolder, two: RunFolder, names: list[Path]) -> Iterator[str]:
    for name in names:
        first, second = one.path / name, two.path / name
        if not second.is_file():
            yield f"{name}: missing the second time"
        elif hashlib.sha256(first.read_bytes()).digest() != hashlib.sha256(second.read_bytes()).digest():
            yield f"{name}: {_how(first, second)}"
    for name in _artefacts(two):
        if name not in names:
            yield f"{name}: only the second time"


def _how(first: Path, second: Path) -> str:
    """In what two files of one name differ."""
    if first.suffix == ".parquet":
        a, b = pl.read_parquet(first), pl.read_parquet(second)
        if a.shape != b.shape:
            return f"{a.height} rows then, {b.height} now"
        apart = (a["item"] != b["item"]).sum() if "item" in a.columns else 0
        return f"{apart} of {a.height} items differ" if apart else "the same items with other scores"
    if first.name == "metrics.json":
        a, b = (json.loads(path.read_text())["rows"] for path in (first, second))
        for x, y in zip(a, b, strict=False):
            if x != y:
                return f"{x['id']} {x['part']} {x['metric']}: {x['value']} then, {y['value']} now"
    return "other bytes"
