"""Options that several verbs share."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from matinee.cli import terminal

RUNS = Path("runs")


def _flag_wins(value: Path) -> Path:
    """A flag and an environment variable that disagree are both told."""
    variable = os.environ.get("MATINEE_RUNS")
    if variable and Path(variable) != value:
        terminal.note(f"runs: {value}, as --runs says; MATINEE_RUNS says {variable}")
    return value


Runs = Annotated[
    Path,
    typer.Option("--runs", envvar="MATINEE_RUNS", callback=_flag_wins, help="The folder that holds all runs."),
]

LedgerFile = Annotated[
    Path | None,
    typer.Option("--ledger", envvar="MATINEE_LEDGER", help="The ledger; unless told, ledger.jsonl beside the runs."),
]
