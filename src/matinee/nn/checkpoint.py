"""What it takes to go on with a training after a stop: written whole or not at all, checked before it is believed.

    <checkpoint>/00012-00000/   after 12 whole epochs: network, optimisers, and where in the loop it stood
    <checkpoint>/best-00009/    the best validated network, as it was after epoch 9

The newest is written under a name of its own before an older one goes, and two are kept: one that is damaged costs an
epoch. Draws hang on (seed, epoch, step), so the place in the loop is the state of every generator.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from matinee import durable
from matinee.errors import ModelError
from matinee.scoring import tensors

FORMAT = 1
KEPT = 2
MANIFEST, ARRAYS = "manifest.json", "state.safetensors"
Tensors = dict[str, Tensor]


@dataclass(frozen=True)
class Place:
    """Where in the loop."""

    epoch: int
    """Whole epochs done."""
    step: int
    """Steps done of the next one."""
    loss: float
    """Sum over these steps."""
    best_value: float | None
    best_epoch: int | None
    since_best: int
    """Validations since then."""
    finished: bool
    """Early stopping, or the last epoch, has been reached."""


@dataclass(frozen=True)
class State:
    place: Place
    tensors: Tensors
    best: Tensors | None


class Checkpoints:
    """The checkpoints of one training, in a folder that it holds alone."""

    def __init__(self, folder: Path, key: str) -> None:
        self.folder, self.key = folder, key

    def save(self, state: State, *, best_changed: bool) -> None:
        """Raises ResourceError where it could not be written; what was there before is untouched then."""
        best = None if state.best is None else f"best-{state.place.best_epoch:05d}"
        if best is not None and state.best is not None and (best_changed or not (self.folder / best).exists()):
            self._write(self.folder / best, state.best, {"key": self.key, "format": FORMAT})
        place = state.place
        name = f"{place.epoch:05d}-{place.step:05d}"
        about = {"key": self.key, "format": FORMAT, "place": asdict(place), "best": best}
        self._write(self.folder / name, state.tensors, about)
        self._prune()

    def newest(self) -> State | None:
        """The newest whole one; None where there is none. A damaged one is named, and the one before it taken.

        Raises ModelError where all are damaged, or one was made of other data, settings or code.
        """
        found, wrong = self._names(), []
        for name in reversed(found):
            try:
                state = self._read(name)
            except ModelError as error:
                if error.code in ("other-training", "other-format"):
                    raise
                wrong.append(f"{name}: {error.what}")
                continue
            for line in wrong:
                warnings.warn(f"a damaged checkpoint is passed over, {line}", stacklevel=2)
            return state
        if wrong:
            raise ModelError("damaged", f"no checkpoint can be used: {'; '.join(wrong)}",
                             f"remove {self.folder} to train from the start")
        return None

    def clear(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def _names(self) -> list[str]:
        """Checkpoints, oldest first; whatever else lies there is left alone."""
        if not self.folder.is_dir():
            return []
        return sorted(path.name for path in self.folder.iterdir()
                      if path.is_dir() and not path.is_symlink() and _is_name(path.name))

    def _write(self, folder: Path, found: Tensors, about: Mapping[str, Any]) -> None:
        arrays = {name: tensor.detach().numpy() for name, tensor in found.items()}
        with durable.publishing(folder) as place:
            tensors.write(place / ARRAYS, arrays)
            manifest = {**about, "arrays": hashlib.sha256((place / ARRAYS).read_bytes()).hexdigest()}
            durable.write_json(place / MANIFEST, {**manifest, "sha256": _digest(manifest)})

    def _read(self, name: str) -> State:
        about, found = self._whole(self.folder / name)
        place, best = about.get("place"), about.get("best")
        due = {field.name for field in fields(Place)}
        if not isinstance(place, dict) or set(place) != due or not (best is None or isinstance(best, str)):
            raise ModelError("bad-checkpoint", f"its place in the loop is {place!r}; due: {', '.join(sorted(due))}")
        if best is not None and not best.startswith("best-"):
            raise ModelError("bad-checkpoint", f"its best network is said to be in {best!r}")
        return State(Place(**place), found, None if best is None else self._whole(self.folder / Path(best).name)[1])

    def _whole(self, folder: Path) -> tuple[dict[str, Any], Tensors]:
        with tensors.opened(folder / MANIFEST) as file:
            about = tensors.json_object(file.read(tensors.MOST_TEXT + 1), MANIFEST)
        digest = about.pop("sha256", None)
        if digest != _digest(about):
            raise ModelError("damaged", f"{folder.name}/{MANIFEST} is not what was written")
        if about.get("format") != FORMAT:
            raise ModelError("other-format", f"{folder} is in format {about.get('format')}; this is format {FORMAT}",
                             "use the version of matinee that wrote it, or remove it to train from the start")
        if about.get("key") != self.key:
            raise ModelError("other-training", f"{folder} is of other data, settings or versions",
                             "remove it to train from the start")
        with tensors.opened(folder / ARRAYS) as file:
            arrays, found = tensors.read(file, ARRAYS)
        if found != about.get("arrays"):
            raise ModelError("damaged", f"{folder.name}/{ARRAYS} is not what was written")
        return about, {name: torch.from_numpy(array.copy()) for name, array in arrays.items()}

    def _prune(self) -> None:
        """Delete all but the newest; only after a newer one is in its place."""
        names = self._names()
        for name in names[:-KEPT]:
            shutil.rmtree(self.folder / name, ignore_errors=True)
        used = {self._best_of(name) for name in names[-KEPT:]}
        for path in self.folder.glob("best-*"):
            if path.name not in used:
                shutil.rmtree(path, ignore_errors=True)

    def _best_of(self, name: str) -> str | None:
        try:
            return str(json.loads((self.folder / name / MANIFEST).read_text())["best"])
        except (OSError, ValueError, KeyError):  # damaged: nothing of it will be used
            return None


def _is_name(name: str) -> bool:
    epoch, dash, step = name.partition("-")
    return bool(dash) and len(epoch) == 5 and epoch.isdigit() and len(step) == 5 and step.isdigit()


def _digest(about: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()
