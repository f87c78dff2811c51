"""The slow and exact reader of delimited text: every record with its physical line, its fields and its faults.

The fast reader turns to it where a file is irregular, and to find the line and column of a value. Grammar: a field
that starts with `"` ends at the next single `"`, `""` inside it is one quote, and line ends belong to it; a quote
anywhere else is a letter. Lines end with LF, CRLF or CR; a line end inside quotes is read as LF. Empty lines are no
records.
"""

from __future__ import annotations

from codecs import BOM_UTF8
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from matinee.data.blocks import Progress, blocks

RECORD_LIMIT = 1 << 20
"""Bytes in one record. More is an unterminated quote or no table at all."""


@dataclass(frozen=True, slots=True)
class Format:
    """How the fields of a file are kept apart."""

    separator: str  # one ASCII character, or several where there are no quotes
    quotes: bool = True
    encoding: str | None = None


class Record(NamedTuple):
    line: int  # physical line where it starts, from 1
    fields: list[str]
    raw: str  # as it stands in the file, cut at 300 characters where it has a fault
    code: str = ""  # what is wrong: empty, or an error code
    what: str = ""
    column: int = 1  # where it is wrong: characters from the start of the record, from 1


Line = tuple[int, bytes, int]
"""Number from 1, content, offset in the text."""


class _Open(Exception):
    """A quote that does not close; args: its position."""


class _Stray(Exception):
    """Text after a closing quote; args: its position."""


def records(path: Path, form: Format, width: int | None, progress: Progress | None = None) -> Iterator[Record]:
    """All records of a file in order, faulty ones too. `width` fields are expected; None: as many as the first has."""
    waiting: deque[Line] = deque()
    lines = _lines(blocks(path, form.encoding, progress))
    while True:
        line = waiting.popleft() if waiting else next(lines, None)
        if line is None:
            return
        content = line[1]
        if not content:
            continue
        if width is not None and len(content) <= RECORD_LIMIT and content.isascii() and b"\0" not in content:
            text = content.decode()  # the common case, without a call
            fields = text.split(form.separator)
            if len(fields) == width and not (form.quotes and '"' in text):
                yield Record(line[0], fields, text)
                continue
        record = _record(line, form, waiting, lines)
        if not record.code:
            width = len(record.fields) if width is None else width
            record = _checked_width(record, width, form)
        yield record


def starts(raw: str, form: Format) -> list[int]:
    """The column, from 1, at which each field of a sound record starts."""
    if form.quotes and '"' in raw:
        return [at + 1 for at in _split(raw, form.separator)[1]]
    columns, at = [], 1
    for field in raw.split(form.separator):
        columns.append(at)
        at += len(field) + len(form.separator)
    return columns


def _record(first: Line, form: Format, waiting: deque[Line], lines: Iterator[Line]) -> Record:
    """The record that starts with this line; takes further lines while a quote is open."""
    number, line, offset = first
    content, taken = line, list[Line]()
    while True:
        fault = _fault(number, content, offset)
        if fault is not None:
            break
        text = content.decode()
        if not form.quotes or '"' not in text:
            return Record(number, text.split(form.separator), text)
        try:
            return Record(number, _split(text, form.separator)[0], text)
        except _Stray as stray:
            fault = Record(number, [], text[:300], "bad-quote", "text after a closing quote", stray.args[0] + 1)
            break
        except _Open as opened:
            column = opened.args[0] + 1
        more = _until_quotes_pair(content, waiting, lines, taken)
        if more is None:
            fault = Record(number, [], line[:300].decode(errors="replace"), "open-quote",
                           f"a quote opens here and does not close within {RECORD_LIMIT} bytes", column)  # fmt: skip
            break
        content = more
    waiting.extendleft(reversed(taken))  # the fault costs its own line, not those after it
    return fault


def _until_quotes_pair(
    content: bytes, waiting: deque[Line], lines: Iterator[Line], taken: list[Line]
) -> bytes | None:
    """The record with lines added until its quotes may pair up; None where the file or the limit ends first."""
    parts, size = [content], len(content)
    while size <= RECORD_LIMIT:
        line = waiting.popleft() if waiting else next(lines, None)
        if line is None:
            return None
        taken.append(line)
        parts.append(line[1])
        size += len(line[1]) + 1
        if line[1].count(b'"') % 2:
            return b"\n".join(parts)
    return None


def _fault(number: int, content: bytes, offset: int) -> Record | None:
    """What is wrong with the bytes of a record, before its fields are looked at."""
    if len(content) > RECORD_LIMIT:
        head = content[:RECORD_LIMIT].decode(errors="replace")
        return Record(number, [], head[:300], "too-long", f"a record of over {RECORD_LIMIT} bytes", len(head) + 1)
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        what = f"byte 0x{content[error.start]:02x} at offset {offset + error.start} is not utf-8"
        column = len(content[: error.start].decode()) + 1
        return Record(number, [], content[:300].decode(errors="replace"), "bad-encoding", what, column)
    if "\0" in text:
        return Record(number, [], text[:300], "nul", "a NUL byte", text.index("\0") + 1)
    return None


def _checked_width(record: Record, width: int, form: Format) -> Record:
    got = len(record.fields)
    if got == width:
        return record
    column = starts(record.raw, form)[width] if got > width else len(record.raw) + 1
    what = f"expected {width} fields, got {got}"
    return Record(record.line, record.fields, record.raw[:300], "bad-width", what, column)


def _split(text: str, separator: str) -> tuple[list[str], list[int]]:
    """Fields and the positions where they start. Raises _Open or _Stray with a position."""
    fields, places, at = list[str](), list[int](), 0
    while True:
        places.append(at)
        if text.startswith('"', at):
            close = _closing(text, at)
            fields.append(text[at + 1 : close].replace('""', '"'))
            stop = close + 1
            if stop < len(text) and not text.startswith(separator, stop):
                raise _Stray(stop)
        else:
            found = text.find(separator, at)
            stop = len(text) if found < 0 else found
            fields.append(text[at:stop])
        if stop >= len(text):
            return fields, places
        at = stop + len(separator)


def _closing(text: str, opening: int) -> int:
    at = opening + 1
    while True:
        close = text.find('"', at)
        if close < 0:
            raise _Open(opening)
        if not text.startswith('"', close + 1):
            return close
        at = close + 2


def _lines(chunks: Iterator[bytes]) -> Iterator[Line]:
    """Physical lines without their ends. Of a line over the limit only the start is given."""
    first = next(chunks, b"")
    number = 1
    rest, offset, skipping = b"", len(first) - len(first.removeprefix(BOM_UTF8)), False
    for chunk in chain([first[offset:]], chunks):
        parts = (rest + chunk).splitlines(keepends=True)
        rest = parts.pop() if parts and not parts[-1].endswith(b"\n") else b""
        for part in parts:
            if not skipping:
                yield number, part[:-2] if part.endswith(b"\r\n") else part[:-1], offset
            skipping = False
            number += 1
            offset += len(part)
        if len(rest) > RECORD_LIMIT + 1 and not rest.endswith(b"\r"):
            if not skipping:
                yield number, rest[: RECORD_LIMIT + 1], offset
            skipping = True
            offset, rest = offset + len(rest) - 1, rest[-1:]
    if rest and not skipping:
        yield number, rest.removesuffix(b"\r"), offset
