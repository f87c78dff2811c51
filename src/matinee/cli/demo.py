"""`matinee demo`: the main job on the embedded data."""

from __future__ import annotations

from importlib.resources import as_file, files
from typing import Annotated

import typer

from matinee.cli.options import RUNS, Runs

app = typer.Typer(add_completion=False)


@app.command()
def demo(
    runs: Runs = RUNS,
    again: Annotated[bool, typer.Option("--again", help="Make a new run where one is done, nothing reused.")] = False,
) -> None:
    """Describe, split, fit six models, evaluate, ensemble, and write a submission and a report, in about a minute.

    The data is MovieTweetings (73,508 ratings of 1,585 films by 3,084 people), which ships with matinee.
    The experiment file is printed at the end: copy it, change it, and give it to `matinee run`.
    """
    from matinee.cli.run import carry_out
    from matinee.cli.show_data import show as show_facts
    from matinee.config import load_experiment
    from matinee.data.describe import describe
    from matinee.data.load import load

    with as_file(files("matinee.experiment") / "demo.yaml") as file:
        experiment = load_experiment(file)
        typer.echo("What is in the data")
        show_facts(describe(load(experiment.data.path)))
        carry_out(experiment, runs, again=again)
        typer.echo(f"The experiment file: {file}")
