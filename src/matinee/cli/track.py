"""`matinee track`: the mirror of runs in MLflow."""

from __future__ import annotations

from typing import Annotated

import typer

from matinee.cli import terminal
from matinee.cli.options import RUNS, Runs

app = typer.Typer(add_completion=False)


@app.callback()
def track() -> None:
    """The mirror of runs in MLflow."""


@app.command()
def sync(
    run: Annotated[
        list[str] | None, typer.Argument(metavar="[RUN]...", help="Folders or ids of runs; folders of searches.")
    ] = None,
    runs: Runs = RUNS,
) -> None:
    """Tell MLflow what it lacks: of the runs and searches that are named, or of all that were mirrored or asked to be.

    It goes to MLFLOW_TRACKING_URI; without it to where the run was mirrored before, or to RUNS/mlflow/mlflow.db. Each
    figure arrives once, however often this is called or stopped. A run that was killed is marked so.
    """
    from matinee.experiment.folder import find
    from matinee.tracking import searches
    from matinee.tracking.sync import mirrored_runs
    from matinee.tracking.sync import sync as bring_up_to_date

    names = {name: searches.named(name, runs) for name in run or ()}
    tuned = [folder for folder in names.values() if folder] if run else searches.mirrored_searches(runs)
    folders = [find(name, runs)[0] for name, search in names.items() if not search] if run else mirrored_runs(runs)
    if not folders and not tuned:
        terminal.note(f"no run in {runs} was mirrored; name those that should be")
    bring_up_to_date(folders, runs, terminal.say)
    for folder in tuned:
        terminal.say(f"{folder.name}: {searches.bring_up_to_date(folder, runs)} trials, up to date")
