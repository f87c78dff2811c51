"""What a first stage found, as plain arrays in a folder of the cache: another second stage begins at them."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np
from safetensors import SafetensorError

from matinee.data.candidates import Candidates
from matinee.errors import ModelError
from matinee.experiment.dataset_store import read_arrays, write_arrays

ABOUT = "candidates.json"


def save(found: Candidates, folder: Path) -> None:
    arrays = {field.name: getattr(found, field.name) for field in fields(found)
              if isinstance(getattr(found, field.name), np.ndarray)}
    write_arrays(folder, arrays, ABOUT, {"sources": list(found.sources), "depth": found.depth, "hash": found.hash()})


def load(folder: Path) -> Candidates:
    """Raises ModelError where there are none, or they are not what was written."""
    try:
        arrays, about = read_arrays(folder, ABOUT)
        found = Candidates(**arrays, sources=tuple(about["sources"]), depth=about["depth"])
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise ModelError("damaged", f"no candidates can be read here: {error}", "run the experiment again",
                         folder) from None
    if found.hash() != about["hash"]:
        raise ModelError("damaged", "these candidates are not what was written", "run the experiment again", folder)
    return found

