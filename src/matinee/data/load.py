"""Files, the embedded set or a drawn one, to a `Dataset`: the one way in."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from matinee import durable
from matinee.data import layouts
from matinee.data.build import build
from matinee.data.dataset import Dataset
from matinee.data.sample import sample, thinned
from matinee.data.source import Findings, Reading, Reject, Source

EMBEDDED, SYNTHETIC = "embedded:", ("synthetic:", "synthetic-")


def load(
    path: str | Path,
    *,
    layout: str | None = None,
    side: Sequence[str | Path] = (),
    reading: Reading = Reading(),
    min_rating: float = 0.0,
    min_user_events: int = 1,
    min_item_events: int = 1,
    duplicates: Literal["keep_all", "last", "first"] = "keep_all",
    repeats: bool | None = None,
    sample_users: float = 1.0,
    sample_events: float = 1.0,
) -> Dataset:
    """A data set from a file or folder, `embedded:movietweetings`, or `synthetic:USERSxITEMS[:SEED]`.

    layout   one of `layouts.LAYOUTS`; None: the one that is detected
    side     folders or files of further item or user information, joined by raw id
    reading  how to read: encoding, columns of a table, what becomes of bad rows, progress
    sample_users, sample_events  shares to keep, as in `sample` and `thinned`, after everything else
    The rest is as in `build`. Raises DataError, with file, line and column where known, for input that is refused.
    """
    reading = replace(reading, findings=Findings())
    source = read(path, layout, reading)
    for folder in side:
        from matinee.data.side import join

        source = join(source, Path(folder), reading)
    source = replace(source, notes={**source.notes, **reading.findings.notes, **_rejected(reading)})
    dataset = build(
        source,
        min_rating=min_rating,
        min_user_events=min_user_events,
        min_item_events=min_item_events,
        duplicates=duplicates,
        repeats=repeats,
    )
    dataset = sample(dataset, share=sample_users) if sample_users < 1 else dataset
    return thinned(dataset, sample_events) if sample_events < 1 else dataset


def read(path: str | Path, layout: str | None = None, reading: Reading = Reading()) -> Source:
    """The rows behind `load`, as they stand."""
    name = str(path)
    if name.startswith(EMBEDDED):
        from matinee.data import embedded

        return embedded.read(name.removeprefix(EMBEDDED), reading)
    if name.startswith(SYNTHETIC):
        from matinee.data.synthetic import generate

        return generate(name)
    return layouts.read(Path(path), layout, reading)


def _rejected(reading: Reading) -> dict[str, object]:
    """Write the rows that were left out, and count them for the notes."""
    rejects = reading.findings.rejects
    if reading.bad_rows != "skip":
        return {}
    if reading.rejects is not None:
        durable.write_bytes(Path(reading.rejects), _as_csv(rejects))
    return {"rejected_rows": len(rejects), "rejects_file": reading.rejects}


def _as_csv(rejects: Sequence[Reject]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["file", "line", "column", "code", "raw"])
    writer.writerows([r.file, r.line, r.column, r.code, r.raw] for r in rejects)
    return text.getvalue().encode("utf-8", "surrogateescape")
