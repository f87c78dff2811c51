"""Forms made for tests of storing, so that every kind of field is there, and a folder with one of them in it.

Arrays of each shape, an empty one, settings, a scorer inside, several scorers inside, named arrays.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from matinee.contract import Queries, Scorer
from matinee.errors import ModelError
from matinee.scoring import store, tensors
from matinee.scoring.forms import FORMS

U, I, D = 7, 5, 3


@dataclass(frozen=True, eq=False)
class Pair(Scorer):
    user_factors: NDArray[np.float32]
    item_factors: NDArray[np.float32]
    empty: NDArray[np.int64]
    settings: Mapping[str, object]

    @property
    def n_items(self):
        return len(self.item_factors)

    def score(self, queries: Queries):
        return self.user_factors[queries.rows] @ self.item_factors.T


@dataclass(frozen=True, eq=False)
class Group(Scorer):
    members: tuple[Scorer, ...]
    state: Mapping[str, NDArray[np.generic]]

    @property
    def n_items(self):
        return self.members[0].n_items

    def score(self, queries: Queries):
        return sum(member.score(queries) for member in self.members)


def pair(seed=0):
    rng = np.random.default_rng(seed)
    return Pair(rng.normal(size=(U, D)).astype(np.float32), rng.normal(size=(I, D)).astype(np.float32),
                np.empty((0, 4), np.int64), {"name": "영화", "shape": (1, 2.5, None)})


def stored(tmp_path: Path, monkeypatch) -> Path:
    """The folder of a stored group of two pairs; both forms are known until the test ends."""
    monkeypatch.setitem(FORMS, "pair", Pair)
    monkeypatch.setitem(FORMS, "group", Group)
    scorer = Group((pair(1), pair(2)), {"weights": np.arange(I), "flags": np.array([[True, False]])})
    store.save(scorer, tmp_path / "model", about={"model": "als", "users_hash": "u1", "items_hash": "i1"})
    return tmp_path / "model"


def arrays_of(folder: Path):
    with tensors.opened(folder / store.ARRAYS) as file:
        return tensors.read(file, "")[0]


def sign(folder: Path):
    """Make the manifest believe the arrays that are there now."""
    digest = hashlib.sha256((folder / store.ARRAYS).read_bytes()).hexdigest()
    change(folder, lambda manifest: manifest["files"].update({store.ARRAYS: digest}))


def change(folder: Path, edit):
    """Edit a manifest as one who knows how to sign it."""
    path = folder / store.MANIFEST
    manifest = json.loads(path.read_text())
    edit(manifest)
    manifest["sha256"] = store.digest_of(manifest)
    path.write_text(json.dumps(manifest))


def refused(folder: Path, match: str, **settings):
    with pytest.raises(ModelError, match=match) as caught:
        store.load(folder, **settings)
    assert caught.value.exit_code == 4
    return caught.value
