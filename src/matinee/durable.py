"""The one door to the disk: write under a temporary name, fsync, rename, fsync the folder.

A reader sees the old content or the new, never a mixture and never nothing. A write that fails
(disk full, quota, read-only) leaves the old content, removes its temporary file and is a
`ResourceError`. A file is 0600 and a folder 0700 until its owner decides otherwise.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import secrets
import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from matinee.errors import ResourceError

TEMPORARY = ".matinee-tmp-"


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """A binary file to write into; it becomes `path` when the block ends without an error."""
    with _resource_errors(path):
        temporary = _temporary_beside(path)
        try:
            with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
            sync_folder(path.parent)
        finally:
            temporary.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes) -> None:
    with replacing(path) as file:
        file.write(content)


def write_text(path: Path, content: str) -> None:
    write_bytes(path, content.encode())


def write_json(path: Path, content: Any) -> None:
    """Readable JSON with sorted keys: the same content is the same bytes. NaN is refused."""
    write_text(path, json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n")


@contextlib.contextmanager
def publishing(folder: Path) -> Iterator[Path]:
    """An empty folder to fill; it becomes `folder` by one rename when the block ends without an error.

    An older `folder` is moved aside first and deleted after the rename; if the machine stops between
    the two renames, `recover` puts the older one back.
    """
    with _resource_errors(folder):
        temporary = _temporary_beside(folder)
        try:
            temporary.mkdir(mode=0o700)
            yield temporary
            for inner, _, names in os.walk(temporary):
                for name in names:
                    _sync_file(Path(inner, name))
                sync_folder(Path(inner))
            aside = folder.parent / f".matinee-old-{folder.name}"
            if folder.exists():
                shutil.rmtree(aside, ignore_errors=True)
                os.rename(folder, aside)
            try:
                os.rename(temporary, folder)
            except OSError:
                recover(folder)
                raise
            sync_folder(folder.parent)
            shutil.rmtree(aside, ignore_errors=True)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def recover(folder: Path) -> None:
    """Undo a `publishing(folder)` that stopped between its two renames."""
    aside = folder.parent / f".matinee-old-{folder.name}"
    if aside.exists():
        if folder.exists():
            shutil.rmtree(aside, ignore_errors=True)
        else:
            os.rename(aside, folder)


def discard(folder: Path) -> None:
    """Delete a folder that was published: it is gone as a whole before its first file is."""
    with _resource_errors(folder):
        temporary = _temporary_beside(folder)
        os.rename(folder, temporary)
        shutil.rmtree(temporary, ignore_errors=True)


def append_line(path: Path, record: dict[str, Any], *, sync: bool = False) -> None:
    """Append one JSON object as a line: the whole of it or nothing. What a killed writer left of a line is cut off."""
    line = (json.dumps(record, ensure_ascii=False) + "\n").encode()
    with _resource_errors(path), open(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b", buffering=0) as file:
        end = _end_of_lines(file)
        try:
            file.truncate(end)
            file.seek(end)
            while line:
                line = line[file.write(line) :]
            if sync:
                os.fsync(file.fileno())
        except OSError:
            file.truncate(end)
            raise


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The whole lines of a journal; a line cut short by a stop is left out."""
    if not path.exists():
        return []
    *whole, _torn = path.read_bytes().split(b"\n")
    return [json.loads(line) for line in whole if line]


@contextlib.contextmanager
def lock(folder: Path, *, wait: float = 0, name: str = ".lock") -> Iterator[None]:
    """Hold `folder` alone, waiting so many seconds for whoever holds it. The lock belongs to the process and dies with
    it, so none is ever stale. Another `name` locks something in the folder and not the folder."""
    with _resource_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        file = open(folder / name, "a")  # noqa: SIM115 - closed below
    with file:
        until = time.monotonic() + wait
        while not _locked(file):
            if time.monotonic() >= until:
                raise ResourceError("in-use", "another process is at work on this folder", "wait for it, or stop it",
                                    folder)
            time.sleep(0.01)
        yield


def _locked(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def sweep(folder: Path, keep: Sequence[str] = ()) -> None:
    """Remove temporary files that a killed process of ours left in `folder`. Call it under `lock`."""
    for left in folder.glob(f"{TEMPORARY}*"):
        if left.name not in keep:
            shutil.rmtree(left, ignore_errors=True) if left.is_dir() else left.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _end_of_lines(file: IO[bytes]) -> int:
    """Where the last whole line ends."""
    size = file.seek(0, os.SEEK_END)
    if size:
        file.seek(size - 1)
        if file.read(1) != b"\n":
            file.seek(0)
            return file.read().rfind(b"\n") + 1
    return size


def _sync_file(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _temporary_beside(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.parent / f"{TEMPORARY}{secrets.token_hex(6)}"


_REASONS = {
    errno.ENOSPC: ("the disk is full", "free some space, then run the same command again"),
    errno.EDQUOT: ("the disk quota is used up", "free some space, then run the same command again"),
    errno.EROFS: ("the disk is read-only", "choose another place"),
    errno.EACCES: ("no permission to write", "choose another place, or ask for the permission"),
    errno.EPERM: ("no permission to write", "choose another place, or ask for the permission"),
    errno.EIO: ("the disk failed", "choose another disk"),
    errno.ENOTDIR: ("a file stands where a folder is needed", "choose another place"),
    errno.EEXIST: ("a file stands where a folder is needed", "choose another place"),
}


@contextlib.contextmanager
def _resource_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in _REASONS:
            raise
        what, way = _REASONS[error.errno]
        raise ResourceError("cannot-write", f"{what} ({error.strerror})", way, path) from error
