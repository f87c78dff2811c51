"""What it takes to do a run again, written before the first model is fitted."""

from __future__ import annotations

import os
import time

from matinee import catalog
from matinee.config import Experiment
from matinee.data.describe import describe
from matinee.experiment import fingerprint, own_copies
from matinee.experiment.folder import RunFolder
from matinee.experiment.material import Material, file_hash
from matinee.nn import processes


def run_id(experiment: Experiment, material: Material) -> str:
    """The name and eight hex digits of all that decides the result: the same experiment is the same folder."""
    outside = [
        own_copies.content_of(file)
        for entry in experiment.models
        for name, file in experiment.model_files(entry).items()
        if catalog.is_path(name)
    ]
    contents = [file_hash(path) for path in own_copies.named_files(experiment).values() if path.is_file()]
    contents += [one.hash for stages in material.vectors.values() for one in stages.values()]
    data, split, package = material.dataset.hash, material.split.hash, fingerprint.package_hash()
    decides = [experiment.identity(), contents, data, split, package, outside]
    return f"{experiment.name}-{fingerprint.digest(decides)[:8]}"


def write_manifest(folder: RunFolder, experiment: Experiment, material: Material, threads: int) -> None:
    """manifest.json, and copies of the files that the experiment names beside the data."""
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
                "files": list(material.sources),
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
            "project": fingerprint.checkout(experiment.base),
            "outside": own_copies.keep_models(folder.path, experiment),
            "inputs": own_copies.keep_inputs(folder.path, experiment),
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
