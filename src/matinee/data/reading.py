"""Delimited text to typed columns: read as text, then parsed by column, with the line and column of whatever is wrong.

The fast reader takes a regular file at full speed. An anomaly of any kind sends the file through the exact reader,
which names the place, and with `bad_rows="skip"` leaves the row out.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from matinee.data import times as clock
from matinee.data.blocks import Progress, check_unchanged, regular_file
from matinee.data.fields import Irregular, frames
from matinee.data.records import Format, Record, records, starts
from matinee.data.source import Reading, Reject
from matinee.errors import DataError, Place

LISTED = 20
"""Bad rows named in an error; all are counted."""
_BATCH = 100_000

_WAYS = {
    "bad-width": "check the separator and the quotes of this row",
    "bad-quote": "double every quote inside a quoted field",
    "open-quote": "close it, or double it",
    "too-long": "check the separator, the line ends and the quotes",
    "bad-encoding": "say which encoding the file has, such as --encoding latin-1 or --encoding cp949",
    "nul": "remove it; a UTF-16 file without its mark needs --encoding utf-16-le",
    "repeated-header": "join the parts without their headers",
}
_FATAL = ("open-quote", "too-long")
"""Faults after which nothing can be trusted: the rest of the file is not looked at, unless bad rows are skipped."""


def read_text(
    path: Path,
    *,
    separator: str,
    header: Sequence[str] | None,
    encoding: str | None,
    reading: Reading,
    quotes: bool = True,
    numbers: bool = False,
) -> TextTable:
    """All rows of a delimited file as text.

    separator  one ASCII character, or several where `quotes` is False
    header     the names of the columns; None takes them from the first row
    encoding   of this kind of file; None is UTF-8; `reading.encoding` goes before it
    quotes     do quotes enclose fields, as in CSV? Where not, a quote is a letter
    numbers    parse columns of plain whole numbers at once: several times faster on a log, no use on a small table

    Raises DataError with file, line and column where the file is not what was asked for. With `bad_rows="skip"` rows
    of the wrong shape are left out and noted in `reading.findings`.
    """
    before = regular_file(path)
    form = Format(separator, quotes, reading.encoding or encoding)
    first = None if header is not None else _header(path, form)
    names = list(header) if header is not None else first.fields if first else []
    try:
        raw = None if first is None else first.raw
        parts = list(frames(path, form, names, raw, reading.progress, numbers=numbers))
    except Irregular:
        check_unchanged(path, before)  # a file that is being written looks irregular too
        return _read_exactly(path, form, names, first, reading)
    frame = _joined([part for part, _ in parts], names)
    return TextTable(path, frame, reading, form, first, blanks=any(blanks for _, blanks in parts))


@dataclass(eq=False)
class TextTable:
    """Rows of text. Ask for columns by type, then pass all of them through `kept` once."""

    path: Path
    frame: pl.DataFrame  # (n, columns) no nulls; String, or Int64 where each field is its number's only text
    reading: Reading
    form: Format | None = None  # None: not a text file, so a place is a row
    header: Record | None = None  # where the file has one
    skipped: int = 0  # rows of the wrong shape that were left out
    blanks: bool = True  # may a field begin or end with a blank?
    _bad: list[tuple[NDArray[np.int64], str, str]] = field(default_factory=list)  # rows, column, code

    def __len__(self) -> int:
        return self.frame.height

    def column(self, name: str) -> pl.Series:
        """(n,) the text of one column. Raises DataError, with the names there are, where it is missing."""
        return self._column(name).cast(pl.String)

    def _column(self, name: str) -> pl.Series:
        """(n,) as it was parsed."""
        if name in self.frame.columns:
            return self.frame[name]
        have = self.frame.columns
        alike = [i for i, other in enumerate(have, 1) if other.strip().lower() == name.strip().lower()]
        close = difflib.get_close_matches(name, have, 1)
        hint = f"did you mean {close[0]!r}?" if close else ""
        hint = f"column {alike[0]} is {have[alike[0] - 1]!r}" if alike else hint
        found = ", ".join(repr(other) for other in have[:12]) + (" ..." if len(have) > 12 else "")
        way = hint or "check the separator, or name the column in `columns`"
        raise DataError("no-column", f"no column {name!r}; found {found}", way, self._header_place())

    def ids(self, name: str) -> pl.Series:
        """(n,) raw ids, byte for byte. An empty one is refused; blanks at an end are kept and noted.

        Int64 where every id is the only text of a whole number: `Vocabulary` takes it for that text.
        """
        ids = self._column(name)
        if ids.dtype == pl.Int64:
            return ids
        self.refuse((ids == "").to_numpy(), name, "empty-id", "the id is empty", "give every row an id")
        if self.blanks:
            self._note_blanks(ids, name)
        return ids

    def numbers(self, name: str, *, least: float | None = None, missing: bool = False) -> NDArray[np.float64]:
        """(n,) finite numbers, not below `least`. Empty is NaN where `missing`, and refused elsewhere."""
        text = self._column(name)
        parsed = text.cast(pl.Float64, strict=False)
        values = np.array(parsed.fill_null(np.nan).to_numpy())
        bad = ~np.isfinite(values)
        if missing and text.dtype == pl.String:
            bad &= (text != "").to_numpy()
        self.refuse(bad, name, "bad-number", "not a finite number", "write it like 4, 3.5 or 1e-3")
        if least is not None:
            self.refuse(values < least, name, "too-small", f"below {least:g}", f"{name} starts at {least:g}")
        return values

    def times(self, name: str, unit: str | None = None) -> NDArray[np.int64]:
        """(n,) Unix seconds. `unit` is s, ms, us, ns or iso; None: what the first value looks like, for all of them."""
        values, bad, expected = clock.seconds(self._column(name), unit)
        way = "one column has one unit; for a table, declare it as `time_unit`: s, ms, us, ns or iso"
        self.refuse(bad, name, "bad-time", f"not {expected}", way)
        return values

    def refuse(self, bad: NDArray[np.bool_], name: str, code: str, what: str, way: str) -> None:
        """Refuse the rows where the mask (n,) is true for what stands in column `name`; or note them, to be skipped."""
        rows = np.flatnonzero(bad)
        if not len(rows):
            return
        if self.reading.bad_rows == "skip":
            self._bad.append((rows, name, code))
            return
        places = self.places(rows[:LISTED].tolist(), name)
        value = str(self.frame[name][int(rows[0])])
        shown = repr(value if len(value) <= 60 else value[:57] + "...")
        raise DataError(code, f"{name} is {shown}: {what}{_others(places[1:], len(rows))}", way, places[0])

    def kept(self, *columns: Any) -> tuple[Any, ...]:
        """The columns (n,), arrays or series, without the noted rows. Raises DataError where those are too many."""
        rows = np.unique(np.concatenate([np.empty(0, np.int64), *(rows for rows, _, _ in self._bad)]))
        if not len(rows):
            return columns
        _check_share(self.path, len(rows) + self.skipped, len(self) + self.skipped, self.reading)
        why = {int(row): (name, code) for bad, name, code in reversed(self._bad) for row in bad}
        records_of = dict(self._records_at(rows.tolist()))
        for row, (name, code) in sorted(why.items()):
            line, column, raw = records_of[row].line, self._column_at(records_of[row], name), records_of[row].raw
            self.reading.findings.rejects.append(Reject(str(self.path), line, column, code, raw[:300]))
        keep = np.ones(len(self), bool)
        keep[rows] = False
        mask = pl.Series(keep)
        return tuple(c.filter(mask) if isinstance(c, pl.Series) else None if c is None else c[keep] for c in columns)

    def _note_blanks(self, ids: pl.Series, name: str) -> None:
        different = ids.unique()
        padded = different.filter(different != different.str.strip_chars())
        if len(padded):
            rows = ids.is_in(padded.implode()).to_numpy()
            place = self.place(int(np.flatnonzero(rows)[0]), name)
            self.reading.findings.notes.setdefault("blanks_around_ids", []).append(
                {"file": self.path.name, "column": name, "rows": int(np.count_nonzero(rows)), "first_line": place.line}
            )

    def place(self, row: int, name: str) -> Place:
        """The physical line and column of one value; reads the file again."""
        return self.places([row], name)[0]

    def places(self, rows: Sequence[int], name: str) -> list[Place]:
        """The same for several rows, ascending."""
        return [Place(str(self.path), record.line, self._column_at(record, name))
                for _, record in self._records_at(rows)]  # fmt: skip

    def _records_at(self, rows: Sequence[int]) -> Iterator[tuple[int, Record]]:
        if self.form is None:
            yield from ((row, Record(row + 1, [], repr(self.frame.row(row)))) for row in rows)
            return
        wanted, last = set(rows), max(rows)
        sound = (r for r in _data(self.path, self.form, self.frame.width, self.header) if not r.code)
        for row, record in enumerate(sound):
            if row in wanted:
                yield row, record
            if row == last:
                return

    def _column_at(self, record: Record, name: str) -> int:
        at = self.frame.columns.index(name)
        return at + 1 if self.form is None else starts(record.raw, self.form)[at]

    def _header_place(self) -> Place:
        return Place(str(self.path), self.header.line if self.header else 0)


def _header(path: Path, form: Format) -> Record:
    """The first record, checked to be names of columns."""
    first = next(records(path, form, None), None)
    if first is None:
        raise DataError("empty-file", "no interactions or values: the file is empty", "give a file with a header", path)
    if first.code:
        raise _structural(path, [first], 1)
    if not any(name.strip() for name in first.fields):
        raise DataError("empty-file", "no interactions or values: it begins with blanks", "begin with a header", path)
    place = Place(str(path), first.line)
    for position, name in enumerate(first.fields, 1):
        if not name.strip():
            raise DataError("blank-column", f"column {position} of {len(first.fields)} has no name",
                            "name it; pandas leaves out its index with to_csv(index=False)", place)  # fmt: skip
        earlier = first.fields.index(name) + 1
        if earlier < position:
            raise DataError("double-column", f"columns {earlier} and {position} are both called {name!r}",
                            "rename one of them", place)  # fmt: skip
    return first


def _data(
    path: Path, form: Format, width: int, header: Record | None, progress: Progress | None = None
) -> Iterator[Record]:
    """The records below the header; a header that stands there again is a fault."""
    for at, record in enumerate(records(path, form, width, progress)):
        if header is None:
            yield record
        elif at and record.raw == header.raw:
            yield Record(record.line, record.fields, record.raw, "repeated-header", "the header stands here again")
        elif at:
            yield record


def _read_exactly(path: Path, form: Format, names: list[str], header: Record | None, reading: Reading) -> TextTable:
    """The same table by the exact reader; refuses the faulty records, or leaves them out."""
    parts, rows, faults, listed = list[pl.DataFrame](), list[list[str]](), 0, list[Record]()
    schema = dict.fromkeys(names, pl.String())
    for record in _data(path, form, len(names), header, reading.progress):
        if record.code:
            faults += 1
            if reading.bad_rows == "skip":
                reading.findings.rejects.append(Reject(str(path), record.line, record.column, record.code, record.raw))
            elif record.code in _FATAL:
                raise _structural(path, [record], 1)
            if len(listed) < LISTED:
                listed.append(record)
            continue
        rows.append(record.fields)
        if len(rows) == _BATCH:
            parts.append(pl.DataFrame(rows, schema=schema, orient="row"))
            rows = []
    parts.append(pl.DataFrame(rows, schema=schema, orient="row"))
    frame = _joined(parts, names)
    if faults and reading.bad_rows == "refuse":
        raise _structural(path, listed, faults)
    _check_share(path, faults, faults + frame.height, reading)
    return TextTable(path, frame, reading, form, header, faults)


def _structural(path: Path, listed: list[Record], total: int) -> DataError:
    places = [Place(str(path), record.line, record.column) for record in listed]
    return DataError(listed[0].code, listed[0].what + _others(places[1:], total), _WAYS[listed[0].code], places[0])


def _others(places: Sequence[Place], total: int) -> str:
    if total == 1:
        return ""
    more = ", ..." if total > len(places) + 1 else ""
    return f" ({total} bad rows; also lines " + ", ".join(str(place.line) for place in places) + more + ")"


def _check_share(path: Path, bad: int, total: int, reading: Reading) -> None:
    if bad > reading.max_bad_share * total:
        raise DataError("too-many-bad-rows", f"{bad} of {total} rows are bad, over {reading.max_bad_share:.2%}",
                        "mend the file, or allow more with --max-bad-rows", path)  # fmt: skip


def _joined(parts: list[pl.DataFrame], names: Sequence[str]) -> pl.DataFrame:
    if not parts:
        return pl.DataFrame(schema=dict.fromkeys(names, pl.String()))
    mixed = [name for name in names if len({part[name].dtype for part in parts}) > 1]
    return pl.concat([part.with_columns(pl.col(mixed).cast(pl.String)) for part in parts], rechunk=False)
