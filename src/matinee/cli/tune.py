"""`matinee tune`: search for hyper-parameters under a budget."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from matinee.cli import terminal
from matinee.cli.options import RUNS, Runs

app = typer.Typer(add_completion=False)


@app.command()
def tune(
    file: Annotated[Path, typer.Argument(help="The experiment, a YAML file; its block `tune` says what is searched.")],
    runs: Runs = RUNS,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="Override a key: --set tune.budget.memory=4 --set tune.metric=...")
    ] = None,
    minutes: Annotated[float | None, typer.Option("--minutes", help="For each model; as tune.budget.minutes.")] = None,
    trials: Annotated[int | None, typer.Option("--trials", help="For each model; as tune.budget.trials.")] = None,
    estimate: Annotated[bool, typer.Option("--estimate", help="Only one trial a model, to say what it takes.")] = False,
    threads: Annotated[int | None, typer.Option("--threads", min=1, help="Cores to use; all unless told.")] = None,
) -> None:
    """Search the models' hyper-parameters by their valid figures, each within the same budget.

    The same command goes on after a stop; a larger budget goes on where a smaller one ended. The test part is not
    looked at. What is found is tuned.yaml, an experiment: `matinee run` gives its test figure. Where runs are mirrored
    to MLflow (`tracking`), so is the search, a run for each trial, once it has ended.
    """
    from matinee.cli.search_tables import show_search
    from matinee.config import load_experiment
    from matinee.report.search import write_page
    from matinee.tracking.address import address
    from matinee.tracking.beside import is_wanted
    from matinee.tracking.searches import bring_up_to_date
    from matinee.tune.tuning import tune as search

    asked = [f"tune.budget.{name}={value}" for name, value in (("minutes", minutes), ("trials", trials)) if value]
    experiment = load_experiment(file, [*asked, *(set_ or ())])
    mirrored = is_wanted(experiment) and not estimate
    if mirrored:
        address(runs)  # refused before anything is done
    with terminal.progress() as progress:
        folder = search(experiment, runs, progress=progress, say=terminal.note, threads=threads, estimate=estimate,
                        shown=write_page)
    try:
        if not estimate:
            show_search(folder)
    finally:
        if mirrored:
            bring_up_to_date(folder, runs)
