"""Options that several verbs share."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from matinee.cli import terminal
from matinee.errors import UsageError, nearest

RUNS = Path("runs")
PARTS = ("valid", "test")


def _flag_wins(value: Path) -> Path:
    """A flag and an environment variable that disagree are both told."""
    variable = os.environ.get("MATINEE_RUNS")
    if variable and Path(variable) != value:
        terminal.note(f"runs: {value}, as --runs says; MATINEE_RUNS says {variable}")
    return value


def _known_part(value: str) -> str:
    if value not in PARTS:
        raise UsageError("unknown-part", f"there is no part {value!r}", nearest(value, PARTS))
    return value


def known_metric(value: str | None) -> str | None:
    """A callback of an option that is a metric. Raises ConfigError with the nearest known name."""
    from matinee.evaluation.names import parse

    if value is not None:
        parse(value)
    return value


def known_metrics(values: list[str] | None) -> list[str] | None:
    """As `known_metric`, of an option that may be given again."""
    return [name for name in values or () if known_metric(name)]


Part = Annotated[str, typer.Option("--part", callback=_known_part, help="valid or test.")]

Runs = Annotated[
    Path,
    typer.Option("--runs", envvar="MATINEE_RUNS", callback=_flag_wins, help="The folder that holds all runs."),
]

LedgerFile = Annotated[
    Path | None,
    typer.Option("--ledger", envvar="MATINEE_LEDGER", help="The ledger; unless told, ledger.jsonl beside the runs."),
]
