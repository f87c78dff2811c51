"""Delimited text into text columns, block by block and fast. Only what is regular: anything else raises `Irregular`.

Each block is checked before it is believed (separators and line ends counted, quotes in their places), because the
parser behind it fills short rows in silence. Multi-byte separators are translated to one unused byte on the way.
"""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from matinee.data.blocks import Progress, blocks
from matinee.data.records import RECORD_LIMIT, Format

QUOTE, LF = ord('"'), ord("\n")
WHOLE = re.compile(rb"\d{1,18}")
"""A whole number that 64 bits hold."""


class Irregular(Exception):
    """The exact reader has to look at this file."""


def frames(
    path: Path,
    form: Format,
    names: Sequence[str],
    header: str | None,
    progress: Progress | None = None,
    *,
    numbers: bool = False,
) -> Iterator[tuple[pl.DataFrame, bool]]:
    """Frames of String columns `names`, without nulls. `header` is the raw first record where it is no data.

    With `numbers`, a column of a frame is Int64 where each of its fields is that number's only text: 7, never 07.
    The flag beside each is false where no field can begin or end with a blank, which spares a look at every id.
    """
    first = True
    repeated = b"" if header is None else header.encode() + b"\n"
    for block in _whole_records(blocks(path, form.encoding, progress), form):
        if first and header is not None:
            block = block.lstrip(b"\n")
            if not block.startswith(repeated):
                raise Irregular
            block = block[len(repeated) :]
        if repeated and (block.startswith(repeated) or b"\n" + repeated in block):
            raise Irregular
        first = False
        if block.strip(b"\n"):
            blanks = b" " in block or not block.isascii() or (b"\t" in block and form.separator != "\t")
            frame = _of_numbers(block, form, names) if numbers and not blanks else None
            numbers = frame is not None
            yield _frame(block, form, names) if frame is None else frame, blanks


def _whole_records(chunks: Iterator[bytes], form: Format) -> Iterator[bytes]:
    """Blocks that start and end with a record; line ends are LF."""
    rest, first = b"", True
    for chunk in _lf(chunks):
        data = rest + (chunk.removeprefix(BOM_UTF8) if first else chunk)
        first = False
        end = _end_of_records(data, form)
        rest = data[end:]
        if len(rest) > RECORD_LIMIT:
            raise Irregular
        if end:
            yield data[:end]
    if rest:
        rest += b"\n"
        if _end_of_records(rest, form) != len(rest):
            raise Irregular
        yield rest


def _lf(chunks: Iterator[bytes]) -> Iterator[bytes]:
    held = b""
    for chunk in chunks:
        chunk, held = held + chunk, b""
        if b"\r" in chunk:
            held = b"\r" if chunk.endswith(b"\r") else b""
            chunk = chunk.removesuffix(b"\r").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        yield chunk
    if held:
        yield b"\n"


def _end_of_records(data: bytes, form: Format) -> int:
    """The end of the last whole record; every record's length and every quote's place are checked."""
    if form.quotes and b'"' in data:
        cells = np.frombuffer(data, np.uint8)
        quotes = np.flatnonzero(cells == QUOTE)
        _check_quotes(cells, quotes, ord(form.separator))
        ends = _outside(np.flatnonzero(cells == LF), quotes) + 1
        if len(ends) and int(np.diff(ends, prepend=0).max()) > RECORD_LIMIT:
            raise Irregular
        return int(ends[-1]) if len(ends) else 0
    end, half = data.rfind(b"\n") + 1, RECORD_LIMIT // 2
    for start in range(0, end - half, half):  # a record over the limit fills some half of it without a line end
        if data.find(b"\n", start, start + half) < 0:
            raise Irregular
    return end


def _check_quotes(cells: NDArray[np.uint8], quotes: NDArray[np.int64], separator: int) -> None:
    """Quotes must open at the start of a field and close at its end, or stand in pairs inside one."""
    padded = np.concatenate([[LF], cells, [LF]])  # one byte later than in `cells`
    opening, closing = quotes[0::2], quotes[1::2]
    before, after = padded[opening], padded[closing + 2]
    pairs = closing[: len(quotes) // 2], opening[1:]
    doubled = pairs[0][: len(pairs[1])] + 1 == pairs[1]
    opens = (before == separator) | (before == LF)
    opens[1:] |= doubled
    closes = (after == separator) | (after == LF)
    closes[: len(doubled)] |= doubled
    if not (opens.all() and closes.all()):
        raise Irregular


def _outside(places: NDArray[np.int64], quotes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Those of the places that no quotes surround."""
    outside: NDArray[np.int64] = places[np.searchsorted(quotes, places) % 2 == 0]
    return outside


def _frame(data: bytes, form: Format, names: Sequence[str]) -> pl.DataFrame:
    quoted = form.quotes and b'"' in data
    if b"\0" in data:
        raise Irregular
    separator = form.separator.encode()
    if len(separator) > 1:
        stand_in = next((byte for byte in b"\x1f\x1e\x1d\x1c\x01\x02\x03\x04" if byte not in data), None)
        if stand_in is None:
            raise Irregular
        data, separator = data.replace(separator, bytes([stand_in])), bytes([stand_in])
    frame = _parsed(data, separator.decode(), quoted, names)
    if frame is None or frame[names[-1]].null_count():  # short rows, empty fields or empty lines
        if b"\n\n" in data or data.startswith(b"\n"):
            if quoted:
                raise Irregular  # an empty line may belong to a field
            data = re.sub(rb"\n{2,}", b"\n", data).lstrip(b"\n")
            frame = _parsed(data, separator.decode(), quoted, names)
        if frame is None:
            raise Irregular
        _check_counts(data, frame, ord(separator), quoted)
    return frame.with_columns(pl.col(name).fill_null("") for name in names if frame[name].null_count())


def _of_numbers(data: bytes, form: Format, names: Sequence[str]) -> pl.DataFrame | None:
    """The frame, whole numbers as Int64; None where a field is empty, missing or quoted, or no number's only text.

    A number has no shorter text than its own, so the fields are that text where the lengths of all add up.
    """
    separator = form.separator.encode()
    if (form.quotes and b'"' in data) or b"\0" in data:
        return None
    if len(separator) > 1:
        if b"\x1f" in data:
            return None
        data, separator = data.replace(separator, b"\x1f"), b"\x1f"
    first = data[: data.find(b"\n")].split(separator)
    whole = [name for name, text in zip(names, first, strict=False) if WHOLE.fullmatch(text)]
    frame = _parsed(data, separator.decode(), False, names, whole) if whole else None
    if frame is None or any(frame[name].null_count() for name in names):
        return None
    length = frame.height * frame.width  # what ends the fields
    for name in names:
        column = frame[name]
        length += _digits(column.to_numpy()) if name in whole else int(column.str.len_bytes().sum())
    return frame if length == len(data) else None


def _digits(numbers: NDArray[np.int64]) -> int:
    """The length of all the numbers, written one after the other; a minus is not counted."""
    size = np.abs(numbers)
    longest = len(str(int(size.max(initial=0))))
    return len(size) + sum(int(np.count_nonzero(size >= 10**power)) for power in range(1, longest))


def _parsed(
    data: bytes, separator: str, quoted: bool, names: Sequence[str], whole: Collection[str] = ()
) -> pl.DataFrame | None:
    """The frame, with nulls where a field is empty or missing; None where the parser gives up or would err.

    whole: the columns to parse as Int64.
    """
    if data.startswith(BOM_UTF8):  # an id may begin so, and the parser would drop it
        return None
    try:
        return pl.read_csv(
            data,
            has_header=False,
            separator=separator,
            quote_char='"' if quoted else None,
            schema={name: pl.Int64() if name in whole else pl.String() for name in names},
            infer_schema=False,
        )
    except (pl.exceptions.PolarsError, UnicodeDecodeError):
        return None


def _check_counts(data: bytes, frame: pl.DataFrame, separator: int, quoted: bool) -> None:
    """Rows with too many fields are refused by the parser, so the total tells whether any has too few."""
    cells = np.frombuffer(data, np.uint8)
    if quoted:
        quotes = np.flatnonzero(cells == QUOTE)
        rows, separators = (len(_outside(np.flatnonzero(cells == byte), quotes)) for byte in (LF, separator))
    else:
        rows, separators = (int(np.count_nonzero(cells == byte)) for byte in (LF, separator))
    if frame.height != rows or separators != rows * (frame.width - 1):
        raise Irregular
