"""Copies that a run keeps of the files its experiment names beside the data, so that it can be done again without them.

Models from outside with their settings stand in `outside/`, everything else (lists of other people, filters' files,
answers of a split, users) in `inputs/`, each below a folder named after its content: two files of one name do not meet.
"""

from __future__ import annotations

import copy
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from matinee import catalog
from matinee.config import Experiment, experiment_from, parameters
from matinee.experiment import fingerprint
from matinee.experiment.folder import RunFolder
from matinee.experiment.material import file_hash

OUTSIDE, INPUTS = "outside", "inputs"


def keep_models(folder: Path, experiment: Experiment) -> dict[str, dict[str, Any]]:
    """Outside models by their name in the experiment: their files below `outside/`, the source first."""
    found: dict[str, dict[str, Any]] = {}
    files = {name: file for entry in experiment.models for name, file in experiment.model_files(entry).items()}
    for name, source in files.items():
        if catalog.is_path(name):
            kept = [_keep(folder / OUTSIDE, file, file_hash(source))
                    for file in (source, source.with_suffix(".yaml")) if file.is_file()]
            found[name] = {"files": kept, "hash": content_of(source)}
    return found


def keep_inputs(folder: Path, experiment: Experiment) -> dict[str, dict[str, str]]:
    """Other named files by their text in the resolved experiment: the copy below `inputs/` and its SHA-256."""
    found = {}
    for text, path in named_files(experiment).items():
        if path.is_file():
            digest = file_hash(path)
            found[text] = {"file": _keep(folder / INPUTS, path, digest), "sha256": digest}
    return found


def named_files(experiment: Experiment) -> dict[str, Path]:
    """By the text that the resolved experiment has of each."""
    found: dict[str, Path] = {}
    recipes: list[Any] = [experiment.split, *experiment.filters]
    for recipe in recipes:
        said = parameters(recipe, experiment.base)
        for one in fields(recipe):
            if isinstance(path := getattr(recipe, one.name), Path):
                found[said[one.name]] = path
    texts = [member.file for entry in experiment.ensembles for member in entry.members if member.file]
    texts += [experiment.output.users] if experiment.output.users else []
    return found | {text: experiment.base / text for text in texts}


def experiment_of(folder: RunFolder) -> Experiment:
    """The experiment of a run, by its own copies. Raises ConfigError where this matinee cannot mean what it says."""
    base = Path(folder.manifest["base"])
    return experiment_from(config_of(folder, lambda name: True), base if base.is_dir() else folder.path.resolve())


def still_here(folder: RunFolder) -> dict[str, Any]:
    """The plain experiment, with the run's own copies in place only of what is gone or has changed since."""
    return config_of(folder, lambda name: bool(changed_since(folder, name)))


def changed_since(folder: RunFolder, name: str) -> str:
    """What became of a model file or another named file since the run: `gone`, `changed`, or nothing."""
    path, outside = Path(folder.manifest["base"]) / name, folder.manifest["outside"]
    if not path.is_file():
        return "gone"
    if name in outside:
        return "" if content_of(path) == outside[name]["hash"] else "changed"
    return "" if file_hash(path) == folder.manifest["inputs"][name]["sha256"] else "changed"


def copies_of(folder: RunFolder) -> dict[str, Path]:
    """The copy of each outside model and each other named file, by its name in the experiment."""
    outside = {name: folder.path / OUTSIDE / kept["files"][0] for name, kept in folder.manifest["outside"].items()}
    inputs = {text: folder.path / INPUTS / kept["file"] for text, kept in folder.manifest.get("inputs", {}).items()}
    return {name: path.resolve() for name, path in (outside | inputs).items()}


def config_of(folder: RunFolder, wanted: Callable[[str], bool]) -> dict[str, Any]:
    """The plain experiment with copies in place of the names that are `wanted`."""
    copies = {name: str(path) for name, path in copies_of(folder).items() if wanted(name)}
    return pointed_to(folder.manifest["config"], copies)


def pointed_to(config: Mapping[str, Any], copies: Mapping[str, str]) -> dict[str, Any]:
    """A plain experiment with other files in place of those it names."""
    plain = copy.deepcopy(dict(config))
    for model in plain["models"]:
        _point_models(model, copies)
    places = [plain["split"], *plain["filters"], plain["output"]]
    places += [member for entry in plain["ensembles"] for member in entry["members"] if isinstance(member, dict)]
    for place in places:
        for key in ("valid", "test", "file", "users"):
            if isinstance(place.get(key), str) and place[key] in copies:
                place[key] = copies[place[key]]
    return plain


def models_from_outside(config: Mapping[str, Any]) -> list[str]:
    """Names of models, those inside models as well, that are files: to do it again is to run them."""
    return [name for name in dict.fromkeys(model_names(config["models"])) if catalog.is_path(name)]


def content_of(source: Path) -> str:
    """What decides whether a model file is the same."""
    return fingerprint.digest(source.read_text())


def model_names(value: Any) -> Iterator[str]:
    """Of plain entries, those of models inside models as well."""
    if isinstance(value, Mapping) and isinstance(value.get("model"), str):
        yield value["model"]
    for inner in value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ():
        yield from model_names(inner)


def _point_models(entry: dict[str, Any], copies: Mapping[str, str]) -> None:
    if entry.get("model") in copies:
        entry["model"] = copies[entry["model"]]
    for inner in entry.values():
        if isinstance(inner, dict):
            _point_models(inner, copies)


def _keep(root: Path, file: Path, digest: str) -> str:
    """Copy a file below `root`; its place there, made of letters, digits, dots, dashes and underscores."""
    name = re.sub(r"[^\w.-]", "_", file.name).lstrip(".").rstrip(".")[-80:] or "file"
    place = root / digest[:16] / name
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, place)
    return str(place.relative_to(root))
