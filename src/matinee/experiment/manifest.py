"""What it takes to do a run again, written before the first model is fitted."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import Any

from matinee import catalog
from matinee.config import Experiment
from matinee.data.describe import describe
from matinee.experiment import fingerprint
from matinee.experiment.folder import RunFolder
from matinee.experiment.material import Material, file_hash
from matinee.nn import processes


def run_id(experiment: Experiment, material: Material) -> str:
    """The name and eight hex digits of all that decides the result: the same experiment is the same folder."""
    outside = [
        _content(file)
        for entry in experiment.models
        for name, file in experiment.model_files(entry).items()
        if catalog.is_path(name)
    ]
    named = [
        *(path for recipe in experiment.filters for path in vars(recipe).values() if isinstance(path, Path)),
        *(experiment.base / member.file for entry in experiment.ensembles for member in entry.members if member.file),
        *([experiment.base / experiment.output.users] if experiment.output.users else []),
    ]
    contents = [file_hash(path) for path in named if path.is_file()]
    contents += [one.hash for stages in material.vectors.values() for one in stages.values()]
    data, split, package = material.dataset.hash, material.split.hash, fingerprint.package_hash()
    decides = [experiment.identity(), contents, data, split, package, outside]
    return f"{experiment.name}-{fingerprint.digest(decides)[:8]}"


def write_manifest(folder: RunFolder, experiment: Experiment, material: Material, threads: int) -> None:
    """manifest.json, and copies of outside model files under `outside/`."""
    dataset, split = material.dataset, material.split
    stages = list(split.stages)
    shared = {"test": "valid"} if "valid" in stages and _same_fit(material) else {}
    folder.write_json(
        "manifest.json",
        {
            "format": 1,
            "run": folder.id,
            "made": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "config": experiment.resolved(),
            "base": str(experiment.base.resolve()),
            "data": {
                "hash": dataset.hash,
                "users": dataset.n_users,
                "items": dataset.n_items,
                "events": len(dataset.log),
                "users_hash": dataset.users.hash,
                "items_hash": dataset.items.hash,
                "facts": describe(dataset),
            },
            "split": {
                "hash": split.hash,
                "settings": dict(split.settings),
                "notes": dict(split.notes),
                "stages": stages,
            },
            "shared": shared,
            "seed": experiment.seed,
            "threads": threads,
            "processes": processes.count(),
            "code": fingerprint.code_state(),
            "outside": _copy_outside(folder.path / "outside", experiment),
            "vectors": folder.keep_vectors(material.vectors),
            "packages": fingerprint.versions(),
            "thread_pools": fingerprint.thread_pools(),
            "environment": {
                name: os.environ[name]
                for name in sorted(os.environ)
                if name.endswith("_NUM_THREADS") or name.startswith("OPENBLAS_")
            },
            "machine": fingerprint.machine(),
        },
    )


def _same_fit(material: Material) -> bool:
    stages = material.split.stages
    return bool((stages["valid"].fit == stages["test"].fit).all())


def _copy_outside(target: Path, experiment: Experiment) -> dict[str, dict[str, Any]]:
    """Outside models by their name in the experiment: a copy that stays when the file is edited or deleted."""
    copies: dict[str, dict[str, Any]] = {}
    files = {name: file for entry in experiment.models for name, file in experiment.model_files(entry).items()}
    for name, source in files.items():
        if not catalog.is_path(name):
            continue
        target.mkdir(exist_ok=True)
        names = []
        for file in (source, source.with_suffix(".yaml")):
            if file.is_file():
                shutil.copyfile(file, target / file.name)
                names.append(file.name)
        copies[name] = {"files": names, "hash": _content(source)}
    return copies


def _content(path: Path) -> str:
    return fingerprint.digest(path.read_text())
