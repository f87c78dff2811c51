"""What a first stage found, as plain arrays in a folder of the cache: another second stage begins at them."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file

from matinee import durable
from matinee.data.candidates import Candidates
from matinee.errors import ModelError
from matinee.experiment import fingerprint
from matinee.scoring import tensors

ARRAYS, ABOUT = "arrays.safetensors", "candidates.json"


def save(found: Candidates, folder: Path) -> None:
    arrays = {field.name: getattr(found, field.name) for field in fields(found)
              if isinstance(getattr(found, field.name), np.ndarray)}
    with durable.publishing(folder) as fresh:
        tensors.write(fresh / ARRAYS, arrays)
        durable.write_json(fresh / ABOUT, {"sources": list(found.sources), "depth": found.depth,
                                           "hash": _hash(found)})


def load(folder: Path) -> Candidates:
    """Raises ModelError where there are none, or they are not what was written."""
    durable.recover(folder)
    try:
        about = json.loads((folder / ABOUT).read_text())
        found = Candidates(**load_file(folder / ARRAYS), sources=tuple(about["sources"]), depth=about["depth"])
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise ModelError("damaged", f"no candidates can be read here: {error}", "run the experiment again",
                         folder) from None
    if _hash(found) != about["hash"]:
        raise ModelError("damaged", "these candidates are not what was written", "run the experiment again", folder)
    return found


def _hash(found: Candidates) -> str:
    return fingerprint.digest([fingerprint.array_hash(getattr(found, name))
                               for name in ("users", "items", "scores", "ranks", "hidden")])
