"""A fitted scorer on disk: a folder of one manifest and one safetensors file. No pickle, so loading runs no code.

A form is a frozen dataclass of arrays, settings and other forms. Arrays go into `arrays.safetensors` under
the path of their field (`inner.weights`, `members.1.items`), everything else into `manifest.json`, which
also holds the form names, what each array must look like, and the SHA-256 of the file and of itself. The
folder appears by one rename. `load` believes nothing: see `tensors.py` for the bytes, below for their meaning.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
import warnings
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

import numpy as np
from numpy.typing import NDArray

from matinee import durable
from matinee.contract import Scorer
from matinee.errors import MatineeError, ModelError, UsageError
from matinee.scoring import tensors
from matinee.scoring.forms import FORMS

MANIFEST, ARRAYS = "manifest.json", "arrays.safetensors"
FORMAT = 1
_AGAIN = "fit the model again, or copy it anew"
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9_-])?")


def checked_name(name: str) -> str:
    """`name` if a model may be called so. Raises UsageError."""
    if not _NAME.fullmatch(name):
        raise UsageError("bad-name", f"{name!r} is no name for a model",
                         "use up to 64 of a-z, 0-9, '.', '_' and '-', a letter or digit first and no '.' last")
    return name


def save(scorer: Scorer, folder: Path, *, about: Mapping[str, Any]) -> None:
    """Publish `scorer` as `folder`, replacing an older one by one rename.

    `about` is JSON-able: model name, recipe, seed, data hash, versions, and `users_hash` and `items_hash` of
    the vocabularies that the arrays speak in. A list in the settings of a form comes back as a tuple.
    Raises ModelError for a form that is not one of `FORMS`, an array of another type than its field says, or
    an array with NaN or infinity; ResourceError where it cannot be written.
    """
    arrays: dict[str, NDArray[np.generic]] = {}
    tree = _tree(scorer, "", arrays)
    filled = {name: array for name, array in arrays.items() if array.size}
    manifest = {
        "format": FORMAT,
        "scorer": tree,
        "n_items": scorer.n_items,
        "tensors": {name: _looks(name, array) for name, array in arrays.items()},
        "files": {},
        "about": dict(about),
    }
    with durable.publishing(folder) as temporary:
        if filled:
            manifest["files"] = {ARRAYS: tensors.write(temporary / ARRAYS, filled)}
        durable.write_json(temporary / MANIFEST, {**manifest, "sha256": digest_of(manifest)})


def load(
    folder: Path, *, users_hash: str | None = None, items_hash: str | None = None
) -> tuple[Scorer, dict[str, Any]]:
    """The scorer and its `about`. With hashes, a model of other users or items is refused.

    Raises ModelError where anything in the folder is not as its manifest says, naming what.
    """
    place = _opened_folder(folder)
    try:
        names = set(os.listdir(place))
        if MANIFEST not in names:
            raise ModelError("no-manifest", f"{folder.name} has no {MANIFEST}", _AGAIN, folder)
        with tensors.opened(MANIFEST, folder=place) as file:
            manifest = tensors.json_object(file.read(tensors.MOST_TEXT + 1) or b"", MANIFEST)
        _check_manifest(manifest, names, folder)
        for key, wanted in (("users_hash", users_hash), ("items_hash", items_hash)):
            if wanted is not None and manifest["about"].get(key) != wanted:
                raise ModelError("other-ids", f"the model was fitted on other {key[:5]} than these",
                                 "load it beside the data it was fitted on", folder)
        arrays: dict[str, NDArray[np.generic]] = {}
        if manifest["files"]:
            with tensors.opened(ARRAYS, folder=place) as file:
                arrays, digest = tensors.read(file, ARRAYS)
            if digest != manifest["files"][ARRAYS]:
                raise ModelError("damaged", f"{ARRAYS} is not what its manifest says: SHA-256 {digest}", _AGAIN, folder)
    finally:
        os.close(place)
    arrays = _checked_arrays(arrays, manifest["tensors"], folder)
    scorer = _scorer(manifest["scorer"], "", arrays, folder)
    if arrays:
        raise ModelError("bad-model", f"no form asks for array {min(arrays)!r}", _AGAIN, folder)
    try:
        fits, what = scorer.n_items == manifest["n_items"], f"{scorer.n_items} items"
    except (TypeError, ValueError, IndexError, AttributeError) as error:
        fits, what = False, f"nobody can tell how many items ({error})"
    if not fits:
        raise ModelError("bad-model", f"{what} where the manifest says {manifest['n_items']}", _AGAIN, folder)
    return scorer, manifest["about"]


def digest_of(manifest: Mapping[str, Any]) -> str:
    """SHA-256 of a manifest, whatever the order of its keys, without the one that holds this."""
    content = json.loads(json.dumps({key: value for key, value in manifest.items() if key != "sha256"}))
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _tree(scorer: Scorer, path: str, arrays: dict[str, NDArray[np.generic]]) -> dict[str, Any]:
    """What JSON keeps of a form; its arrays are put into `arrays` under their path."""
    form = next((name for name, kind in FORMS.items() if kind is type(scorer)), None)
    if form is None:
        raise ModelError("unknown-form", f"a {type(scorer).__name__} cannot be stored",
                         f"return one of the forms in matinee.scoring: {', '.join(FORMS)}")
    types = get_type_hints(type(scorer))
    kept: dict[str, Any] = {}
    for field in fields(scorer):  # type: ignore[arg-type]
        if field.init:
            kept[field.name] = _kept(getattr(scorer, field.name), types[field.name], path + field.name, arrays)
    return {"form": form, "fields": kept}


def _kept(value: Any, annotation: Any, path: str, arrays: dict[str, NDArray[np.generic]]) -> dict[str, Any]:
    _check_type(value, annotation, path)
    if isinstance(value, np.ndarray):
        arrays[path] = value
        return {"array": path}
    if isinstance(value, Scorer):
        return {"scorer": _tree(value, f"{path}.", arrays)}
    if isinstance(value, tuple) and value and all(isinstance(part, Scorer) for part in value):
        return {"scorers": [_tree(part, f"{path}.{n}.", arrays) for n, part in enumerate(value)]}
    if isinstance(value, Mapping) and value and all(isinstance(part, np.ndarray) for part in value.values()):
        for key, part in value.items():
            arrays[f"{path}.{key}"] = part
        return {"arrays": sorted(value)}
    return {"value": value}


def _check_type(value: Any, annotation: Any, path: str) -> None:
    """Raises ModelError where a field said to be NDArray[np.float32] or a Scorer holds something else."""
    named = _named_types(annotation)
    scalars = [kind for kind in named if issubclass(kind, np.generic)]
    if isinstance(value, np.ndarray):
        fits, what = any(np.issubdtype(value.dtype, scalar) for scalar in scalars), str(value.dtype)
    elif issubclass(get_origin(annotation) or object, Mapping):
        fits, what = isinstance(value, Mapping), type(value).__name__
    else:
        wanted = [Scorer] if any(issubclass(kind, Scorer) for kind in named) else [np.ndarray] * bool(scalars)
        parts = value if isinstance(value, tuple) else (value,)
        fits = not wanted or (value is None and NoneType in named) or all(isinstance(part, wanted[0]) for part in parts)
        what = type(value).__name__
    if not fits:
        said = " or ".join(kind.__name__ for kind in scalars or named)
        raise ModelError("bad-model", f"{path} is {what} where its form says {said}", _AGAIN)


def _named_types(annotation: Any) -> list[type]:
    """The types inside an annotation, however deep."""
    parts = get_args(annotation)
    if parts:
        return [kind for part in parts for kind in _named_types(part)]
    return [annotation] if isinstance(annotation, type) else []


def _looks(name: str, array: NDArray[np.generic]) -> dict[str, Any]:
    bad, row, subnormal = tensors.faults(array)
    if bad:
        raise ModelError("not-finite", f"{name} has {bad} entries that are NaN or infinite, the first in row {row}",
                         "the model did not converge: fit it with other settings")
    return {"dtype": array.dtype.name, "shape": list(array.shape), "subnormal": subnormal}


def _opened_folder(folder: Path) -> int:
    try:
        place = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise ModelError("no-model", f"there is no model here ({error.strerror})", "see what the run stored",
                         folder) from None
    if os.fstat(place).st_mode & stat.S_IWOTH:
        warnings.warn(f"{folder}: everybody may write here; chmod 0700 keeps others out", stacklevel=3)
    return place


def _check_manifest(manifest: dict[str, Any], names: set[str], folder: Path) -> None:
    match manifest:
        case {"format": int(version)} if version != FORMAT:
            raise ModelError("other-format", f"written in format {version}; this is format {FORMAT}",
                             "use the version of matinee that wrote it, or fit the model again", folder)
        case {"format": int(), "scorer": dict(), "n_items": int(), "tensors": dict(), "files": dict(files),
              "about": dict(), "sha256": str(digest), **rest} if not rest:
            pass
        case _:
            raise ModelError("bad-manifest", f"its keys are {sorted(manifest)}", _AGAIN, folder)
    if digest != digest_of(manifest):
        raise ModelError("damaged", f"{MANIFEST} is not what was written", _AGAIN, folder)
    if not set(files) <= {ARRAYS}:
        raise ModelError("bad-manifest", f"it names the file {min(set(files) - {ARRAYS})!r}",
                         f"a model has only {MANIFEST} and {ARRAYS}", folder)
    wanted = {MANIFEST, *files}
    if names != wanted:
        missing, extra = sorted(wanted - names), sorted(names - wanted)
        what = f"{missing[0]!r} is missing" if missing else f"{extra[0]!r} does not belong here"
        raise ModelError("other-files", what, _AGAIN, folder)


def _checked_arrays(
    arrays: dict[str, NDArray[np.generic]], looks: dict[str, Any], folder: Path
) -> dict[str, NDArray[np.generic]]:
    """`arrays` with the empty ones put back, each as the manifest says it looks."""
    found = dict(arrays)
    for name, look in looks.items():
        match look:
            case {"dtype": str(dtype), "shape": list(shape), "subnormal": int(allowed)} if dtype in _DTYPES:
                pass
            case _:
                raise ModelError("bad-manifest", f"array {name!r} looks like {look!r}", _AGAIN, folder)
        if 0 in shape and name not in found and all(type(n) is int and n >= 0 for n in shape):
            found[name] = np.empty(shape, dtype)
            found[name].setflags(write=False)
        if name not in found:
            raise ModelError("bad-model", f"array {name!r} is missing", _AGAIN, folder)
        array = found[name]
        if array.dtype.name != dtype or list(array.shape) != shape:
            raise ModelError("bad-model", f"array {name!r} is {array.dtype} {list(array.shape)} where the manifest "
                                          f"says {dtype} {shape}", _AGAIN, folder)
        bad, row, subnormal = tensors.faults(array)
        if bad or subnormal != allowed:
            kind = f"{bad} NaN or infinite entries, the first in row {row}" if bad else f"{subnormal} subnormal entries"
            raise ModelError("not-finite", f"array {name!r} has {kind}", _AGAIN, folder)
    if set(found) != set(looks):
        raise ModelError("bad-model", f"the manifest does not know array {min(set(found) - set(looks))!r}", _AGAIN,
                         folder)
    return found


_DTYPES = {np.dtype(kind).name for kind in tensors.DTYPES.values()}


def _scorer(tree: Any, path: str, arrays: dict[str, NDArray[np.generic]], folder: Path) -> Scorer:
    """The form that `tree` describes; takes its arrays out of `arrays`."""
    where = path.rstrip(".") or "scorer"
    match tree:
        case {"form": str(form), "fields": dict(kept)} if form in FORMS:
            pass
        case {"form": form}:
            raise ModelError("unknown-form", f"{where} is of the form {form!r}", f"known: {', '.join(FORMS)}", folder)
        case _:
            raise ModelError("bad-manifest", f"{where} is no scorer", _AGAIN, folder)
    kind = FORMS[form]
    types = get_type_hints(kind)
    known = {field.name for field in fields(kind) if field.init}  # type: ignore[arg-type]
    if set(kept) != known:
        raise ModelError("bad-manifest", f"{where} ({form}) has fields {sorted(kept)}; due: {sorted(known)}", _AGAIN,
                         folder)
    values = {name: _value(part, path + name, arrays, folder) for name, part in kept.items()}
    for name, value in values.items():
        _check_type(value, types[name], path + name)
    try:
        return kind(**values)
    except (MatineeError, TypeError, ValueError, IndexError) as error:
        raise ModelError("bad-model", f"{where} ({form}) does not fit together: {error}", _AGAIN, folder) from error


def _value(part: Any, path: str, arrays: dict[str, NDArray[np.generic]], folder: Path) -> Any:
    def taken(name: str) -> NDArray[np.generic]:
        if name not in arrays:
            raise ModelError("bad-model", f"array {name!r} is missing", _AGAIN, folder)
        return arrays.pop(name)

    match part:
        case {"array": str(name), **rest} if not rest and name == path:
            return taken(name)
        case {"arrays": list(keys), **rest} if not rest:
            return {key: taken(f"{path}.{key}") for key in keys}
        case {"scorer": tree, **rest} if not rest:
            return _scorer(tree, f"{path}.", arrays, folder)
        case {"scorers": list(trees), **rest} if not rest:
            return tuple(_scorer(tree, f"{path}.{n}.", arrays, folder) for n, tree in enumerate(trees))
        case {"value": value, **rest} if not rest:
            return _tuples(value)
        case _:
            raise ModelError("bad-manifest", f"{path} is neither an array, a scorer nor a setting", _AGAIN, folder)


def _tuples(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_tuples(part) for part in value)
    return {key: _tuples(part) for key, part in value.items()} if isinstance(value, dict) else value
