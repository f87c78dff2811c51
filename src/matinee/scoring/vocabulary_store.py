"""Raw ids on disk: one safetensors file of bytes and offsets, checked like a model when it is read."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from matinee import durable
from matinee.data.ids import Vocabulary
from matinee.errors import DataError, ModelError
from matinee.scoring import tensors

_AGAIN = "fit the model again, or copy it anew"


def save_vocabulary(vocabulary: Vocabulary, path: Path) -> None:
    """Write raw ids as one safetensors file, replacing an older one. Raises DataError for none at all."""
    if not len(vocabulary):
        raise DataError("no-ids", "a vocabulary without ids cannot be stored", "", path)
    temporary = path.with_name(f"{durable.TEMPORARY}{os.getpid()}-{path.name}")
    tensors.write(temporary, vocabulary.to_arrays())
    os.replace(temporary, path)
    durable.sync_folder(path.parent)


def load_vocabulary(path: Path, *, hash: str | None = None, rows: int | None = None) -> Vocabulary:
    """The raw ids. With `hash`, other ids are refused; with `rows`, another number of ids than an array has rows.

    Raises ModelError; also where ids repeat, are empty or are no UTF-8.
    """
    with tensors.opened(path) as file:
        arrays, _ = tensors.read(file, path.name)
    if set(arrays) != {"bytes", "offsets"}:
        raise ModelError("bad-vocabulary", f"it holds {sorted(arrays)}", _AGAIN, path)
    content, offsets = np.asarray(arrays["bytes"]), np.asarray(arrays["offsets"])
    whole = content.dtype == np.uint8 and offsets.dtype == np.int64 and content.ndim == offsets.ndim == 1
    if not whole or offsets[0] != 0 or offsets[-1] != len(content) or bool(np.any(np.diff(offsets) <= 0)):
        raise ModelError("bad-vocabulary", "its offsets do not cut its bytes into ids", _AGAIN, path)
    try:
        vocabulary = Vocabulary.from_arrays(content.astype(np.uint8), offsets.astype(np.int64))
    except UnicodeDecodeError as error:
        raise ModelError("bad-vocabulary", f"an id is no UTF-8 ({error.reason})", _AGAIN, path) from None
    if hash is not None and vocabulary.hash != hash:
        raise ModelError("other-ids", "these are not the ids that the model was fitted on", _AGAIN, path)
    if rows is not None and len(vocabulary) != rows:
        raise ModelError("bad-vocabulary", f"{len(vocabulary)} ids for {rows} rows", _AGAIN, path)
    return vocabulary
