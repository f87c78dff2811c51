"""A run as one archive: the same run is the same bytes, and what is read from somebody else's is believed in nothing.

A ZIP file whose entries are stored and not compressed: their bytes hang on no compressor's version, and an entry cannot
become larger than it is. `contents.json` has the SHA-256 of all others. Names are of a fixed list, and an entry is a
plain file.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import stat
import struct
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from matinee import durable
from matinee.errors import ModelError

CONTENTS = "contents.json"
MOST_ENTRIES = 10_000
MOST_JSON = 64 << 20
BLOCK = 1 << 20

_BARE = r"(?!(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$))[\w-][\w.-]{0,99}(?<!\.)"
_HASH = r"[0-9a-f]{16}"
ALLOWED = re.compile(
    r"(?:manifest|metrics|timings|results|contents)\.json|notes\.jsonl|experiment\.yaml|packages\.txt|code\.diff|HOW\.md|"
    rf"(?:outside|inputs)/{_HASH}/{_BARE}|vectors/{_HASH}\.parquet|"
    rf"members/{_HASH}/(?:valid|test|final)/(?:about\.json|part-\d{{5}}\.parquet)|"
    r"dataset/(?:dataset\.json|arrays\.safetensors)|split/(?:split\.json|arrays\.safetensors)",
    re.IGNORECASE,
)
"""What an entry may be called. Letters of any script may stand in the names of people's own files."""


def write(path: Path, entries: Mapping[str, bytes | Path]) -> None:
    """Write content, or files, under these names."""
    digests = {name: _digest(content) for name, content in entries.items()}
    listed = json.dumps({"format": 1, "files": digests}, indent=1, sort_keys=True, ensure_ascii=False).encode()
    everything: dict[str, bytes | Path] = {**entries, CONTENTS: listed}
    with durable.replacing(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(everything):
            content = everything[name]
            info = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            info.create_system, info.external_attr = 3, (stat.S_IFREG | 0o600) << 16
            info.file_size = len(content) if isinstance(content, bytes) else content.stat().st_size
            with archive.open(info, "w") as entry:
                for block in [content] if isinstance(content, bytes) else _blocks(content):
                    entry.write(block)


def unpack(path: Path, folder: Path) -> set[str]:
    """Unpack an archive so that `folder` appears whole or not at all; its names. Raises ModelError for what is none."""
    with contextlib.ExitStack() as stack:
        try:
            file = stack.enter_context(path.open("rb"))
            _check_directory(file, path)
            archive = stack.enter_context(zipfile.ZipFile(file))
            infos = _checked(archive.infolist(), path)
            listed = _contents(archive, infos, path)
            with durable.publishing(folder) as fresh:
                for name, info in infos.items():
                    digest = _extract(archive, info, fresh / name)
                    if name != CONTENTS and digest != listed[name]:
                        raise _bad(path, f"{name} is not what {CONTENTS} says")
        except (zipfile.BadZipFile, RuntimeError, ValueError, OverflowError, EOFError, struct.error) as error:
            raise _bad(path, f"this is no archive of a run ({error})") from None
        return set(infos)


def _check_directory(file: IO[bytes], path: Path) -> None:
    """The number of entries and the size of their directory as they are written at the end, before anything is read."""
    length = file.seek(0, os.SEEK_END)
    file.seek(max(0, length - 98))
    tail = file.read()
    end = tail[-22:]
    if len(end) < 22 or end[:4] != b"PK\x05\x06" or end[-2:] != b"\0\0":
        raise _bad(path, "its end is not that of a ZIP file without a comment")
    claims = [struct.unpack("<4H2LH", end[4:])[3:5]]
    if tail[-42:-38] == b"PK\x06\x07":
        claims.append(struct.unpack("<4sQ2H2L4Q", tail[:56])[7:9])
    for count, size in claims:
        if count > MOST_ENTRIES or size > MOST_ENTRIES * 400:
            raise _bad(path, f"it claims {count:,} entries in {size:,} bytes, and {MOST_ENTRIES:,} are allowed")


def _checked(infos: list[zipfile.ZipInfo], path: Path) -> dict[str, zipfile.ZipInfo]:
    found: dict[str, zipfile.ZipInfo] = {}
    folded: set[str] = set()  # on some disks A and a are one file
    for info in infos:
        name, mode = info.orig_filename, info.external_attr >> 16  # `filename` would end at a zero byte
        if not ALLOWED.fullmatch(name):
            raise _bad(path, f"it holds {name!r}, and only what a packed run holds is allowed")
        if name.casefold() in folded:
            raise _bad(path, f"{name} stands in it twice")
        folded.add(name.casefold())
        if stat.S_IFMT(mode) not in (0, stat.S_IFREG) or mode & 0o7000:
            raise _bad(path, f"{name} is no plain file")
        if info.compress_type != zipfile.ZIP_STORED or info.file_size != info.compress_size or info.flag_bits & 1:
            raise _bad(path, f"{name} is compressed or encrypted")
        found[name] = info
    if sum(info.file_size for info in infos) > path.stat().st_size:
        raise _bad(path, "its entries are larger than itself")
    return found


def _contents(archive: zipfile.ZipFile, infos: Mapping[str, zipfile.ZipInfo], path: Path) -> dict[str, Any]:
    """SHA-256 of each entry. Raises ModelError where one is missing or not listed, or JSON that is none."""
    listed: Any = None
    if CONTENTS not in infos:
        raise _bad(path, f"it has no {CONTENTS}")
    for name in (name for name in infos if name.endswith(".json") and "/" not in name):
        if infos[name].file_size > MOST_JSON:
            raise _bad(path, f"{name} has {infos[name].file_size:,} bytes")
        try:
            content = json.loads(archive.read(name))
        except RecursionError:
            raise _bad(path, f"{name} is nested too deep") from None
        if not isinstance(content, dict):
            raise _bad(path, f"{name} holds no object")
        if name == CONTENTS:
            listed = content.get("files")
    if not isinstance(listed, dict):
        raise _bad(path, f"{CONTENTS} lists no files")
    for name in sorted((infos.keys() - {CONTENTS}) ^ listed.keys()):
        raise _bad(path, f"{name} is {'missing' if name in listed else 'listed nowhere'}")
    return listed


def _extract(archive: zipfile.ZipFile, info: zipfile.ZipInfo, target: Path) -> str:
    """Write one entry to a file that is not there yet; the SHA-256 of what was written."""
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    digest = hashlib.sha256()
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    with archive.open(info) as entry, open(os.open(target, flags, 0o600), "wb") as file:
        while block := entry.read(BLOCK):
            digest.update(block)
            file.write(block)
    return digest.hexdigest()


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            yield block


def _digest(content: bytes | Path) -> str:
    if isinstance(content, bytes):
        return hashlib.sha256(content).hexdigest()
    with content.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _bad(path: Path, what: str) -> ModelError:
    return ModelError("bad-archive", what, "ask for it anew; `matinee pack RUN` makes one", path)
