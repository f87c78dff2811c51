"""A Dataset or a Split as plain arrays in a folder: what the cache keeps and what serving needs beside the models."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from safetensors.numpy import load_file

from matinee import durable
from matinee.data.columns import Categories, Column, Features, Numbers, Texts
from matinee.data.dataset import Dataset, Facts
from matinee.data.ids import Vocabulary
from matinee.data.interactions import Interactions
from matinee.errors import ModelError
from matinee.scoring import tensors
from matinee.split.parts import Split, Stage, Truth

Arrays = dict[str, NDArray[Any]]


def save_dataset(dataset: Dataset, folder: Path) -> None:
    """Write `folder` whole: arrays.safetensors and dataset.json."""
    log = dataset.log
    arrays: Arrays = {"indptr": log.indptr, "items": log.items, "values": log.values, "times": log.times}
    arrays |= {f"column.{name}": column for name, column in log.columns.items()}
    arrays |= {f"users.{name}": array for name, array in dataset.users.to_arrays().items()}
    arrays |= {f"item_ids.{name}": array for name, array in dataset.items.to_arrays().items()}
    about = {
        "hash": dataset.hash,
        "n_items": log.n_items,
        "facts": {"name": dataset.facts.name, "repeats": dataset.facts.repeats, "notes": dict(dataset.facts.notes)},
        "item_features": _pack(dataset.item_features, "item", arrays),
        "user_features": _pack(dataset.user_features, "user", arrays),
    }
    write_arrays(folder, arrays, "dataset.json", about)


def load_dataset(folder: Path) -> Dataset:
    """The inverse of `save_dataset`. Raises ModelError where the content is not what was written."""
    arrays, about = read_arrays(folder, "dataset.json")
    prefix = "column."
    log = Interactions(
        arrays["indptr"],
        arrays["items"],
        arrays["values"],
        arrays["times"],
        about["n_items"],
        {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)},
    )
    facts = about["facts"]
    dataset = Dataset(
        log,
        Vocabulary.from_arrays(arrays["users.bytes"], arrays["users.offsets"]),
        Vocabulary.from_arrays(arrays["item_ids.bytes"], arrays["item_ids.offsets"]),
        _unpack(about["item_features"], "item", log.n_items, arrays),
        _unpack(about["user_features"], "user", log.n_users, arrays),
        Facts(name=facts["name"], repeats=facts["repeats"], notes=facts["notes"]),
    )
    if dataset.hash != about["hash"]:
        raise ModelError("damaged", "the stored data set is not what was written", "delete the folder", folder)
    return dataset


def save_split(split: Split, folder: Path) -> None:
    arrays: Arrays = {}
    for name, stage in split.stages.items():
        arrays |= {
            f"{name}.fit": stage.fit,
            f"{name}.given": stage.given,
            f"{name}.users": stage.truth.users,
            f"{name}.indptr": stage.truth.indptr,
            f"{name}.items": stage.truth.items,
            f"{name}.parts": stage.truth.parts,
        }
    about = {
        "hash": split.hash,
        "settings": dict(split.settings),
        "notes": dict(split.notes),
        "stages": list(split.stages),
    }
    write_arrays(folder, arrays, "split.json", about)


def load_split(folder: Path) -> Split:
    """The inverse of `save_split`. Raises ModelError where the content is not what was written."""
    arrays, about = read_arrays(folder, "split.json")
    stages = {
        name: Stage(
            arrays[f"{name}.fit"],
            arrays[f"{name}.given"],
            Truth(*(arrays[f"{name}.{part}"] for part in ("users", "indptr", "items", "parts"))),
        )
        for name in about["stages"]
    }
    split = Split(about["settings"], stages, about["notes"])
    if split.hash != about["hash"]:
        raise ModelError("damaged", "the stored split is not what was written", "delete the folder", folder)
    return split


def write_arrays(folder: Path, arrays: Arrays, name: str, about: Mapping[str, Any]) -> None:
    """Write `folder` whole: arrays.safetensors, and `about` as JSON under `name`."""
    with durable.publishing(folder) as fresh:
        tensors.write(fresh / "arrays.safetensors", arrays)
        durable.write_json(fresh / name, about)


def read_arrays(folder: Path, name: str) -> tuple[Arrays, dict[str, Any]]:
    """The inverse of `write_arrays`. Raises ModelError where there is no such folder."""
    durable.recover(folder)
    if not (folder / name).is_file():
        raise ModelError("damaged", f"{name} is missing", "run the experiment again", folder)
    return load_file(folder / "arrays.safetensors"), json.loads((folder / name).read_text())


def _pack(features: Features, side: str, arrays: Arrays) -> dict[str, Any]:
    """Puts the arrays of `features` into `arrays`; returns what is left of them as JSON."""
    about: dict[str, Any] = {}
    for name, column in features.columns.items():
        key = f"{side}.{name}"
        if isinstance(column, Numbers):
            arrays[key] = column.values
            about[name] = {"kind": "numbers"}
        elif isinstance(column, Texts):
            about[name] = {"kind": "texts", "values": list(column.values)}
        else:
            arrays.update({f"{key}.indptr": column.indptr, f"{key}.codes": column.codes})
            if column.weights is not None:
                arrays[f"{key}.weights"] = column.weights
            about[name] = {"kind": "categories", "names": list(column.names)}
    return about


def _unpack(about: Mapping[str, Any], side: str, n: int, arrays: Arrays) -> Features:
    columns: dict[str, Column] = {}
    for name, column in about.items():
        key = f"{side}.{name}"
        if column["kind"] == "numbers":
            columns[name] = Numbers(arrays[key])
        elif column["kind"] == "texts":
            columns[name] = Texts(tuple(column["values"]))
        else:
            columns[name] = Categories(
                arrays[f"{key}.indptr"], arrays[f"{key}.codes"], tuple(column["names"]), arrays.get(f"{key}.weights")
            )
    return Features(n, columns)
