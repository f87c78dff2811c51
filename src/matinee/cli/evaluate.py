"""`matinee evaluate`: measure a run's lists again, or lists from a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from matinee.cli import terminal
from matinee.cli.options import RUNS, Runs, known_metrics
from matinee.errors import ModelError

app = typer.Typer(add_completion=False)


@app.command()
def evaluate(
    what: Annotated[str, typer.Argument(help="A run, or a CSV of lists: user,item and rank or score.")],
    truth: Annotated[Path | None, typer.Option("--truth", help="A CSV of hidden items: user,item.")] = None,
    metrics: Annotated[
        list[str] | None, typer.Option("--metric", callback=known_metrics, help="May be given again.")
    ] = None,
    runs: Runs = RUNS,
) -> None:
    """A run: compute every figure anew from the stored lists, and see that metrics.json says the same, bit by bit.
    Lists from a file: score them against a truth of your own, with intervals.

    matinee evaluate demo-1a2b3c4d
    matinee evaluate lists.csv --truth hidden.csv --metric recall@10
    """
    from matinee.cli.leaderboard import figure, show
    from matinee.experiment.folder import find
    from matinee.experiment.measure import apart, measure_again, measure_files

    if truth is not None:
        rows = measure_files(Path(what), truth, metrics or ["recall@10", "ndcg@10"])
        return terminal.table(
            f"{what}: {rows[0].users:,} users, 95 % intervals",
            ["metric", "value"],
            [[row.metric, figure(vars(row))] for row in rows],
        )
    folder, _ = find(what, runs)
    differences = apart(measure_again(folder), folder.metrics)
    show(folder)
    if differences:
        for line in differences[:20]:
            typer.echo(line)
        raise ModelError(
            "other-figures",
            f"{len(differences)} figures are not those of metrics.json",
            "the code or the lists have changed since; `matinee reproduce` tells which",
            folder.path,
        )
    typer.echo(f"{len(folder.metrics):,} figures computed anew, all equal to metrics.json")
    return None
