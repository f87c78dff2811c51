"""What it takes to go on with a training after a stop: written whole or not at all, checked before it is believed.

    <checkpoint>/00012-000000000/   after 12 whole epochs: network, optimisers, and where in the loop it stood
    <checkpoint>/best-00009/        the best validated network, as it was after epoch 9

The newest stands before an older one goes. Two are kept, so one that is damaged costs an epoch; and one more where both
rest on the same best network, so that one may be damaged too. Draws hang on (seed, epoch, step), so the place in the
loop is the state of every generator.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from matinee import durable
from matinee.errors import DamagedWarning, ModelError
from matinee.nn.identity import Identity, differences
from matinee.scoring import tensors

FORMAT = 1
KEPT = 2
MANIFEST, ARRAYS = "manifest.json", "state.safetensors"
OURS = {MANIFEST, ARRAYS}
ANEW = "to train from the start"
_NAME, _BEST = re.compile(r"\d{5}-\d{9}"), re.compile(r"best-\d{5}")
_KINDS: dict[str, tuple[type, ...]] = {"int": (int,), "float": (float, int), "bool": (bool,), "None": (type(None),)}

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

    @classmethod
    def read(cls, found: Any) -> Place:
        """Raises ModelError where a field is missing, unknown or of another type: none has a default."""
        due = {field.name: [_KINDS[kind] for kind in str(field.type).split(" | ")] for field in fields(cls)}
        whole = isinstance(found, dict) and set(found) == set(due) and all(
            any(type(found[name]) in kinds for kinds in wanted) for name, wanted in due.items())
        if not whole:
            raise ModelError("bad-checkpoint", f"its place in the loop is {found!r}; due: {', '.join(due)}")
        return cls(**found)


@dataclass(frozen=True)
class State:
    place: Place
    tensors: Tensors
    best: Tensors | None


class Checkpoints:
    """The checkpoints of one training, in a folder that it holds alone."""

    def __init__(self, folder: Path, key: Identity) -> None:
        self.folder, self.key = folder, key
        self._best: str | None = None  # what was written or read whole in this process
        self._damaged: set[str] = set()
        durable.sweep(folder)

    def save(self, state: State) -> None:
        """Raises ResourceError where it could not be written; what was there before is untouched then."""
        place, best = state.place, None
        if state.best is not None:
            best = f"best-{place.best_epoch:05d}"
            if best != self._best:
                self._write(best, state.best, {})
                self._best = best
        name = f"{place.epoch:05d}-{place.step:09d}"
        self._write(name, state.tensors, {"place": asdict(place), "best": best})
        self._damaged.discard(name)
        self._prune(name, best)

    def newest(self) -> State | None:
        """The newest whole one; None where there is none. A damaged one is named, and the one before it taken.

        Raises ModelError where all are damaged, or one was made of other data, settings, versions or code.
        """
        wrong: dict[str, str] = {}
        for name in reversed(self._names()):
            try:
                state = self._read(name)
            except ModelError as error:
                if error.code in ("other-training", "other-format"):
                    raise
                wrong[name] = error.what
                continue
            except OSError as error:
                wrong[name] = f"it cannot be read ({error.strerror})"
                continue
            for damaged, what in wrong.items():
                warnings.warn(DamagedWarning(f"checkpoint {self.folder / damaged} is damaged and was passed over for "
                                             f"{name}: {what}"), stacklevel=2)
            self._damaged = set(wrong)
            return state
        if wrong:
            raise ModelError("damaged", "no checkpoint can be used: "
                             + "; ".join(f"{name}: {what}" for name, what in wrong.items()),
                             f"remove the folder {ANEW}", self.folder)
        return None

    def _names(self) -> list[str]:
        """Checkpoints, oldest first; links and folders of such a name without a file of ours are somebody else's."""
        return sorted(path.name for path in self.folder.iterdir() if _NAME.fullmatch(path.name) and _files(path) & OURS)

    def _write(self, name: str, found: Tensors, about: Mapping[str, Any]) -> None:
        arrays = {key: tensor.detach().numpy() for key, tensor in found.items()}
        with durable.publishing(self.folder / name) as place:
            digest = tensors.write(place / ARRAYS, arrays)
            manifest = {"format": FORMAT, "key": self.key, "arrays": digest, **about}
            durable.write_json(place / MANIFEST, {**manifest, "sha256": _digest(manifest)})

    def _read(self, name: str) -> State:
        about, found = self._whole(name)
        place, best = Place.read(about.get("place")), about.get("best")
        due = f"best-{place.best_epoch:05d}" if place.best_epoch is not None else None
        if best != due or name != f"{place.epoch:05d}-{place.step:09d}":
            raise ModelError("bad-checkpoint", f"it is of epoch {place.epoch}, step {place.step}, best {best!r}")
        kept = None if due is None else self._whole(due)[1]
        self._best = due
        return State(place, found, kept)

    def _whole(self, name: str) -> tuple[dict[str, Any], Tensors]:
        about = self._manifest(name)
        if about.get("format") != FORMAT:
            raise ModelError("other-format", f"{name} is in format {about.get('format')}; this matinee knows {FORMAT}",
                             f"use the version that wrote it, or remove the folder {ANEW}", self.folder)
        told = differences(dict(about.get("key") or {}), self.key)
        if told:
            raise ModelError("other-training", f"{name} is of another training: {told}",
                             f"train as it was, or remove the folder {ANEW}", self.folder)
        with tensors.opened(self.folder / name / ARRAYS) as file:
            arrays, found = tensors.read(file, ARRAYS)
        if found != about.get("arrays"):
            raise ModelError("damaged", f"{name}/{ARRAYS} is not what was written")
        return about, {key: torch.from_numpy(array.copy()) for key, array in arrays.items()}

    def _manifest(self, name: str) -> dict[str, Any]:
        if (self.folder / name).is_symlink():
            raise ModelError("damaged", f"{name} is a link")
        with tensors.opened(self.folder / name / MANIFEST) as file:
            about = tensors.json_object(file.read(tensors.MOST_TEXT + 1), MANIFEST)
        if about.pop("sha256", None) != _digest(about):
            raise ModelError("damaged", f"{name}/{MANIFEST} is not what was written")
        return about

    def _prune(self, name: str, best: str | None) -> None:
        """Delete what is older than `name` and not needed; only after it is in its place."""
        names = [one for one in self._names() if one <= name]
        whole = [one for one in names if one not in self._damaged]
        kept = {one: self._best_of(one) for one in whole[-KEPT:]}
        if best is not None and set(kept.values()) == {best}:
            for one in reversed(whole[:-KEPT]):
                if self._best_of(one) != best:
                    kept[one] = self._best_of(one)
                    break
        for one in names:
            if one not in kept and _files(self.folder / one) <= OURS:
                durable.discard(self.folder / one)
        for path in list(self.folder.iterdir()):
            if _BEST.fullmatch(path.name) and path.name not in kept.values():
                if _files(path) and _files(path) <= OURS:
                    durable.discard(path)
            elif path.name.startswith(".matinee-old-"):  # a save that was killed between its two renames
                shutil.rmtree(path, ignore_errors=True)

    def _best_of(self, name: str) -> str | None:
        try:
            return self._manifest(name).get("best")
        except (ModelError, OSError):  # nothing of it will be used
            return None


def _files(path: Path) -> set[str]:
    """The names in a folder; none where it is a link or no folder."""
    return set() if path.is_symlink() or not path.is_dir() else {inner.name for inner in path.iterdir()}


def _digest(about: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()
