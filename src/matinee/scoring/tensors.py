"""Named arrays in one safetensors file: written as the library writes it, checked before a byte is believed.

The library copies every array before it writes one, and a full disk is an error of its own kind to it; so the writing
is here as well. The format is eight bytes of header length, a JSON header, then the arrays end to end. A hostile header
can claim anything, so the length, the keys, the types, the shapes and the offsets are all checked against the
size of the file before memory is asked for. What was checked, what is hashed and what is parsed are the
same bytes: the file is opened once, without following links, and read once.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from matinee.errors import ModelError

Arrays = Mapping[str, NDArray[np.generic]]

MOST_TEXT = 1 << 20
"""Bytes of JSON that a header or a manifest may have."""

DTYPES = {"U64": np.uint64, "I64": np.int64, "F64": np.float64, "F32": np.float32, "U32": np.uint32, "I32": np.int32,
          "F16": np.float16, "U16": np.uint16, "I16": np.int16, "I8": np.int8, "U8": np.uint8, "BOOL": np.bool_}
"""In the order in which a file holds them."""
_AGAIN = "fit the model again, or copy it anew"


def write(path: Path, arrays: Arrays) -> str:
    """Write non-empty arrays as one file that only its owner may read, and return the SHA-256 of its bytes.

    They are the bytes that the library writes, and no array is copied for them. Raises OSError.
    """
    codes: dict[np.dtype[Any], str] = {np.dtype(kind): code for code, kind in DTYPES.items()}
    order = list(codes)
    named = sorted(arrays.items(), key=lambda item: (order.index(item[1].dtype), item[0].encode()))
    header, at = {}, 0
    for name, array in named:
        header[name] = {"dtype": codes[array.dtype], "shape": array.shape, "data_offsets": (at, at + array.nbytes)}
        at += array.nbytes
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    digest = hashlib.sha256()
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb", buffering=0) as file:
        os.fchmod(file.fileno(), 0o600)
        _write(file, len(text).to_bytes(8, "little") + text, digest)
        for _, array in named:
            _write(file, np.asarray(array, order="C").reshape(-1).view(np.uint8).data, digest)
    return digest.hexdigest()


@contextmanager
def opened(name: str | Path, *, folder: int | None = None) -> Iterator[IO[bytes]]:
    """A plain file of one name, open for reading. Raises ModelError for a link, a device, or a file with two names."""
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except OSError as error:
        raise ModelError("no-file", f"cannot open {name} ({error.strerror})", _AGAIN, str(name)) from None
    with open(descriptor, "rb", buffering=0) as file:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode) or facts.st_nlink != 1:
            raise ModelError("not-a-file", f"{name} is a link or a device", "keep plain files in a model's folder",
                             str(name))
        yield file


def read(file: IO[bytes], name: str) -> tuple[dict[str, NDArray[np.generic]], str]:
    """The arrays, read-only, and the SHA-256 of the bytes they were read from.

    Raises ModelError where the file is no safetensors file or its header does not fit the file.
    """
    size = os.fstat(file.fileno()).st_size
    digest = hashlib.sha256()
    length = int.from_bytes(_exactly(file, 8, name, digest).tobytes(), "little")
    if not 2 <= length <= min(MOST_TEXT, size - 8) or length % 8:
        raise ModelError("bad-tensors", f"the header claims {length} bytes in a file of {size}", _AGAIN, name)
    header = json_object(_exactly(file, length, name, digest).tobytes(), name)
    header.pop("__metadata__", None)
    places = _places(header, size - 8 - length, name)
    body = _exactly(file, size - 8 - length, name, digest)
    body.setflags(write=False)
    arrays = {key: body[begin:end].view(dtype).reshape(shape) for key, (dtype, shape, begin, end) in places.items()}
    return arrays, digest.hexdigest()


def json_object(content: bytes, name: str) -> dict[str, Any]:
    """One JSON object of bounded size, no key twice. Raises ModelError."""
    try:
        if len(content) > MOST_TEXT:
            raise ValueError(f"more than {MOST_TEXT} bytes")
        found = json.loads(content.decode(), object_pairs_hook=_once, parse_constant=_no_constant)
        if not isinstance(found, dict):
            raise ValueError(f"a {type(found).__name__} where an object is needed")
    except (ValueError, RecursionError) as error:
        raise ModelError("bad-json", f"{name} holds no acceptable JSON ({error})", _AGAIN, name) from None
    return found


def faults(array: NDArray[np.generic]) -> tuple[int, int, int]:
    """(entries that are NaN or infinite, row of the first one or -1, subnormal entries) of any array."""
    if array.dtype.kind != "f":
        return 0, -1, 0
    flat: NDArray[Any] = array.reshape(-1)
    tiny = np.finfo(flat.dtype).tiny
    bad, first, subnormal = 0, -1, 0
    for start in range(0, flat.size, 1 << 18):
        size = np.abs(flat[start : start + (1 << 18)])
        finite = size < np.inf
        wrong = int(finite.size - np.count_nonzero(finite))
        if wrong and not bad:
            first = start + int(np.argmin(finite))
        bad += wrong
        subnormal += int(np.count_nonzero((size < tiny) & (size > 0)))
    return bad, first // max(1, math.prod(array.shape[1:])) if bad else -1, subnormal


def _exactly(file: IO[bytes], count: int, name: str, digest: Any) -> NDArray[np.uint8]:
    content = np.empty(count, np.uint8)
    view, got = content.data, 0
    while got < count:
        step = file.readinto(view[got : got + (1 << 24)])  # type: ignore[attr-defined]
        if not step:
            raise ModelError("bad-tensors", f"{name} ends {count - got} bytes too early", _AGAIN, name)
        digest.update(view[got : got + step])
        got += step
    return content


def _write(file: IO[bytes], content: bytes | memoryview, digest: Any) -> None:
    digest.update(content)
    left = memoryview(content)
    while left:
        left = left[file.write(left) :]


Places = dict[str, tuple[Any, tuple[int, ...], int, int]]


def _places(header: dict[str, Any], size: int, name: str) -> Places:
    """Type, shape, begin and end of each array; they must cover the `size` bytes end to end."""
    places: Places = {}
    for key, entry in header.items():
        match entry:
            case {"dtype": str(code), "shape": list(shape), "data_offsets": [int(begin), int(end)], **rest} if not rest:
                pass
            case _:
                raise ModelError("bad-tensors", f"{key!r} is described in a way the format does not know", _AGAIN, name)
        whole = all(type(n) is int and n > 0 for n in shape)
        if code not in DTYPES or not whole or len(shape) > 8:
            raise ModelError("bad-tensors", f"{key!r} has type {code!r} and shape {shape}", _AGAIN, name)
        width = np.dtype(DTYPES[code]).itemsize
        if begin < 0 or end > size or end - begin != math.prod(shape) * width or begin % width:
            raise ModelError("bad-tensors", f"{key!r} of shape {shape} claims bytes {begin} to {end} of {size}",
                             _AGAIN, name)
        places[key] = DTYPES[code], tuple(shape), begin, end
    at = 0
    for key, (_, _, begin, end) in sorted(places.items(), key=lambda item: item[1][2]):
        if begin != at:
            raise ModelError("bad-tensors", f"{key!r} begins at byte {begin} where {at} comes next", _AGAIN, name)
        at = end
    if at != size:
        raise ModelError("bad-tensors", f"{size - at} bytes belong to no array", _AGAIN, name)
    return places


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _no_constant(text: str) -> float:
    raise ValueError(f"{text} is no number")
