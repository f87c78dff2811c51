"""`matinee submission check`: is this file what the competition wants?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from matinee.cli.options import RUNS, Runs
from matinee.errors import DataError, UsageError

app = typer.Typer(add_completion=False, help="Check a submission file.")


@app.callback()
def submission() -> None:
    """Work on submission files."""


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="The submission, a CSV file.")],
    run: Annotated[
        str | None, typer.Option("--run", help="The run whose data, layout, users and k it must fit.")
    ] = None,
    data: Annotated[str | None, typer.Option("--data", help="Or the data itself.")] = None,
    layout: Annotated[
        str | None, typer.Option("--layout", help="boostcamp, uplus or table; the run's unless told.")
    ] = None,
    users: Annotated[Path | None, typer.Option("--users", help="The file of users that must be in it.")] = None,
    k: Annotated[int | None, typer.Option("-k", min=1, help="Items a user; the run's, or 10.")] = None,
    runs: Runs = RUNS,
) -> None:
    """Exactly k distinct, known, unseen items for every user and nobody missing, read by a reader of its own."""
    import numpy as np

    from matinee.data.load import load
    from matinee.experiment import submission as files
    from matinee.experiment.answer import Answers
    from matinee.experiment.folder import find
    from matinee.experiment.users_file import read_users

    if (run is None) == (data is None):
        raise UsageError("which-data", "a submission is checked against a run or against data", "give --run or --data")
    if run is not None:
        answers = Answers(find(run, runs)[0])
        dataset, wanted = answers.folder.dataset, answers.experiment.output
        layout, k = layout or wanted.submission, k or wanted.k
        users = users or (answers.experiment.base / wanted.users if wanted.users else None)
    else:
        dataset = load(str(data))
    asked = read_users(users, dataset) if users else np.arange(dataset.n_users)
    found = files.check(file, dataset, layout or "boostcamp", k or 10, asked)
    if found.faults:
        for fault in found.faults:
            typer.echo(fault)
        raise DataError("bad-submission", f"{len(found.faults)} things are wrong with it", "they stand above", file)
    typer.echo(f"good: {found.users:,} users, {found.rows:,} rows")
