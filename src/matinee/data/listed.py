"""Small tables that people write by hand: ids, and dates of ids. Every fault is told with line and column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from matinee.data.records import Format, Record, records, starts
from matinee.errors import DataError, Place, nearest

FOREVER = 2**62
"""Later than any time."""


@dataclass(frozen=True)
class Listed:
    """The rows of one table, in file order."""

    path: Path
    columns: dict[str, list[str]]
    """By name; an optional column that the file does not have is full of empty text."""
    places: list[Place]
    """Of each row."""


def read_listed(
    path: Path, needed: Sequence[str], *, optional: Sequence[str] = (), may_be_empty: Sequence[str] = ()
) -> Listed:
    """A CSV (or, by its name, TSV) file with a header; columns that nobody asks for are left alone.

    `needed` columns must be there, and full unless they are named in `may_be_empty` too.

    Raises DataError where the file cannot be read, a needed column is missing, a column stands twice, a row has
    too few or too many fields, or a field is empty that must not be.
    """
    form = Format("\t" if path.suffix in {".tsv", ".tab"} else ",")
    header: list[str] | None = None
    rows: list[list[str]] = []
    places: list[Place] = []
    for record in records(path, form, None):
        if record.code:
            raise DataError(record.code, record.what, "mend the line", Place(str(path), record.line, record.column))
        if header is None:
            header = _header(record, form, needed, path)
            continue
        rows.append(record.fields)
        places.append(Place(str(path), record.line))
    if header is None:
        raise DataError("empty-file", "there is nothing in it", f"write a header with {', '.join(needed)}", path)
    at = {name: header.index(name) for name in (*needed, *optional) if name in header}
    columns = {name: [row[at[name]] for row in rows] if name in at else [""] * len(rows)
               for name in (*needed, *optional)}
    for name in set(needed) - set(may_be_empty):
        for value, place in zip(columns[name], places, strict=True):
            if not value:
                raise DataError("empty-id", f"the {name} is empty", f"give every row its {name}", place)
    return Listed(path, columns, places)


def seconds_of(text: str, place: Place, *, end: bool = False) -> int:
    """Unix seconds of an ISO date or time (UTC unless it says otherwise), or of a whole number of seconds.

    Empty text is the beginning of time; with `end`, its end, and a date alone is the end of that day.
    Raises DataError.
    """
    if not text:
        return FOREVER if end else -FOREVER
    if text.isascii() and text.isdecimal() and len(text) < 18 and len(text) != 8:
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise DataError("bad-time", f"{text!r} is no date", "write 2022-05-01, 2022-05-01T20:00 or Unix seconds",
                        place) from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if end and len(text) <= 10:
        moment += timedelta(days=1)
    return int(moment.timestamp())


def _header(record: Record, form: Format, needed: Sequence[str], path: Path) -> list[str]:
    names = [name.strip().lower() for name in record.fields]
    for position, name in enumerate(names):
        if name in names[:position]:
            raise DataError("duplicate-column", f"two columns are called {name!r}", "rename one",
                            Place(str(path), record.line, starts(record.raw, form)[position]))
    for name in needed:
        if name not in names:
            raise DataError("no-column", f"no column is called {name!r}: {', '.join(map(repr, names))}",
                            nearest(name, names), Place(str(path), record.line))
    return names
