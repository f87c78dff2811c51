"""results.json: a row a measurement, each with the commit it is of; and the hits of each user beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.quality.bench import HERE, Case

from matinee import catalog, durable
from matinee.experiment import fingerprint

RESULTS, HITS = HERE / "results.json", HERE / "hits"

Row = dict[str, Any]


def read_rows(path: Path = RESULTS) -> list[Row]:
    return list(json.loads(path.read_text())["rows"]) if path.is_file() else []


def write_rows(rows: Sequence[Row], path: Path = RESULTS) -> None:
    """One row a line, so that a new figure is a change of one line."""
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    durable.write_text(path, f'{{"rows": [\n{lines}\n]}}\n')
    path.chmod(0o644)


def row_of(case: Case, rows: Sequence[Row]) -> Row | None:
    same = [row for row in rows if is_of(row, case)]
    return same[0] if same else None


def is_of(row: Mapping[str, Any], case: Case) -> bool:
    """The same settings, while the defaults beside them are what they were; a field that is new since is no change."""
    same = (row["protocol"], row["model"], row["settings"]) == (case.protocol, case.model, dict(case.settings))
    return same and all(row["recipe"].get(key, value) == value for key, value in case.recipe.items())


def put(rows: Sequence[Row], row: Row, cases: Sequence[Case]) -> list[Row]:
    """The rows with a new one in the place of its older self, in the order of the cases; those of none are dropped."""
    now = [row, *(old for old in rows if not all(old[key] == row[key] for key in ("protocol", "model", "settings")))]
    return [found for case in cases if (found := row_of(case, now)) is not None]


def key(case: Case, block: Mapping[str, Any]) -> str:
    """What a row depends on: protocol, settings, and the code of model, data, split, ranking and measures."""
    package = fingerprint.PACKAGE
    files = [catalog.source_file(case.model), *(package / name for name in (
        "data/load.py", "split/__init__.py", "ranking/recommend.py", "evaluation/evaluate.py"))]
    about = {name: block[name] for name in ("data", "split", "seeds", "main")}
    if case.seeds:
        about["seeds"] = case.seeds
    return fingerprint.digest([about, case.model, dict(case.settings), *map(fingerprint.source_hash, files)])[:16]


def hits_file(case: Case, folder: Path = HITS) -> Path:
    digest = f"-{fingerprint.digest(dict(case.settings))[:8]}" if case.settings else ""
    return folder / case.protocol / f"{case.model}{digest}.npz"


def missed(cases: Sequence[Case], rows: Sequence[Row]) -> list[str]:
    """Every band that a figure is out of, in words."""
    return [f"{case.protocol}: {case.name} {row['figures'][bound.metric]:.4f}, wanted {bound}"
            for case in cases if (row := row_of(case, rows)) is not None
            for bound in case.bounds if not bound.reached(row["figures"][bound.metric])]
