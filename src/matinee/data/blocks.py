"""The text of one file as UTF-8 blocks of bounded size, however it is stored: plain, gzip, UTF-16, another encoding.

Nothing but a regular file is opened; the file is compared before and after; a gzip stream that is cut short, damaged
or far larger than its file is refused; no name from inside an archive is ever used.
"""

from __future__ import annotations

import codecs
import errno
import os
import stat
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from matinee.errors import ConfigError, DataError, Place

BLOCK = 4 << 20
"""Bytes read at a time."""
RATIO_CAP = 200
"""Text in a gzip file may be this many times larger than the file; logs reach 30."""
RATIO_FREE = 64 << 20
"""Bytes of text before the ratio counts: a short file of one repeated row is no attack."""

Progress = Callable[[str, int, int], None]


def blocks(path: Path, encoding: str | None, progress: Progress | None = None) -> Iterator[bytes]:
    """Blocks of UTF-8, line ends as they stand. UTF-8 input is passed on unchecked and with its byte order mark.

    `encoding` None is UTF-8; a byte order mark always wins. Raises DataError where the file cannot be read, is not
    what it says it is, or changes while it is read, and ConfigError where the encoding is unknown.
    """
    before = regular_file(path)
    with _opened(path) as file:
        head = file.read(4)
        file.seek(0)
        if head[:4] == b"PK\x03\x04":
            raise DataError("archive", "a zip archive, not a text file", "unpack it, or pack the file as .gz", path)
        plain = iter(lambda: file.read(BLOCK), b"")
        chunks = _inflate(file, path) if head[:2] == b"\x1f\x8b" else plain
        for block in _as_utf8(chunks, path, encoding):
            yield block
            if progress is not None:
                progress(f"reading {path.name}", min(file.tell(), before.st_size), before.st_size)
    check_unchanged(path, before)


def check_unchanged(path: Path, before: os.stat_result) -> None:
    """Raises DataError where the file has grown, shrunk or been replaced since `before`."""
    after = regular_file(path)
    if (after.st_ino, after.st_size, after.st_mtime_ns) != (before.st_ino, before.st_size, before.st_mtime_ns):
        raise DataError(
            "changed",
            f"changed while it was read: {before.st_size} bytes before, {after.st_size} after",
            "wait until nothing writes to it, then read it again",
            path,
        )


def regular_file(path: Path) -> os.stat_result:
    """What the system says of `path`. Raises DataError for all that is not a readable regular file."""
    try:
        status = os.stat(path)
    except FileNotFoundError:
        raise DataError("no-file", "no such file", "check the path", path) from None
    except (OSError, ValueError) as error:
        loop = isinstance(error, OSError) and error.errno == errno.ELOOP
        what = "a loop of symbolic links" if loop else f"cannot be opened ({error})"
        raise DataError("unreadable", what, "give the file itself", path) from None
    if not stat.S_ISREG(status.st_mode):
        kinds = ((stat.S_ISDIR, "a folder"), (stat.S_ISFIFO, "a pipe"), (stat.S_ISSOCK, "a socket"))
        kind = next((name for test, name in kinds if test(status.st_mode)), "a device")
        raise DataError("not-a-file", f"{kind}, not a file", "give a regular file: it is read twice on errors", path)
    return status


def _opened(path: Path) -> IO[bytes]:
    try:
        return open(path, "rb")
    except PermissionError:
        raise DataError("unreadable", "no permission to read it", "ask for the permission", path) from None


def _inflate(file: IO[bytes], path: Path) -> Iterator[bytes]:
    """The text of a gzip file, of one member or several, in pieces of at most BLOCK bytes."""
    size, produced = os.fstat(file.fileno()).st_size, 0
    member = zlib.decompressobj(wbits=31)
    packed = file.read(BLOCK)
    while packed:
        try:
            text = member.decompress(packed, BLOCK)
        except zlib.error as error:
            raise DataError("damaged-gzip", f"damaged gzip data after {produced} bytes of text ({error})",
                            "get the file again", path) from None  # fmt: skip
        produced += len(text)
        if produced > RATIO_FREE and produced > RATIO_CAP * size:
            raise DataError("gzip-ratio", f"{size} bytes of gzip hold over {RATIO_CAP} times as much text",
                            "unpack it yourself if you trust it", path)  # fmt: skip
        if text:
            yield text
        packed = member.unused_data if member.eof else member.unconsumed_tail
        if member.eof:
            packed = packed or file.read(BLOCK)
            if not packed.strip(b"\0"):
                return
            member = zlib.decompressobj(wbits=31)
        packed = packed or file.read(BLOCK)
    raise DataError("truncated-gzip", f"the gzip data stop at byte {size}, after {produced} bytes of text",
                    "get the file again", path)  # fmt: skip


def _as_utf8(chunks: Iterator[bytes], path: Path, encoding: str | None) -> Iterator[bytes]:
    first = b""
    while len(first) < 4 and (chunk := next(chunks, b"")):
        first += chunk
    marks = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF16_LE, "utf-16"),
             (codecs.BOM_UTF16_BE, "utf-16"))  # fmt: skip
    encoding = next((name for mark, name in marks if first.startswith(mark)), encoding or "utf-8")
    try:
        codec = codecs.lookup(encoding)
    except LookupError:
        way = "such as utf-8, cp949, latin-1"
        raise ConfigError("unknown-encoding", f"no encoding called {encoding!r}", way) from None
    if codec.name in ("utf-8", "ascii"):
        yield first
        yield from chunks
        return
    decoder = codec.incrementaldecoder("strict")
    offset, line = 0, 1
    for chunk in _with_end(first, chunks):
        waiting = decoder.getstate()[0]
        try:
            text = decoder.decode(chunk, not chunk)
        except UnicodeDecodeError as error:
            at = offset - len(waiting) + error.start
            line += error.object[: error.start].decode(encoding, "replace").count("\n")
            what = f"byte 0x{error.object[error.start]:02x} at offset {at} is not {encoding}"
            raise DataError("bad-encoding", what, "give the file's encoding", Place(str(path), line)) from None
        offset += len(chunk)
        line += text.count("\n")
        yield text.encode()


def _with_end(first: bytes, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The chunks and an empty one, which tells a decoder that nothing follows."""
    yield first
    yield from chunks
    yield b""


