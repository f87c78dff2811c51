"""`matinee reproduce`: do a run again and compare bit by bit."""

from __future__ import annotations

from typing import Annotated

import typer

from matinee.cli import terminal
from matinee.cli.options import RUNS, Runs
from matinee.errors import ModelError

app = typer.Typer(add_completion=False)


@app.command()
def reproduce(
    run: Annotated[str, typer.Argument(help="A run's folder or id.")],
    runs: Runs = RUNS,
) -> None:
    """Repeat a run from its manifest, nothing reused, and compare every result.

    Says what is not as it was (code, packages, threads, data) and what came out otherwise. Exit code 4 where a result
    differs.
    """
    from matinee.experiment.folder import find
    from matinee.experiment.reproduce import reproduce as repeat

    folder, _ = find(run, runs)
    with terminal.progress() as progress:
        verdict = repeat(folder, folder.path.parent / ".reproduced", progress=progress, say=terminal.note)
    for line in verdict.surroundings:
        typer.echo(f"not as it was  {line}")
    if verdict.results:
        for line in verdict.results:
            typer.echo(f"differs        {line}")
        raise ModelError(
            "not-reproduced",
            f"{len(verdict.results)} of {verdict.compared} results differ",
            "what is not as it was stands above",
            verdict.again.path,
        )
    typer.echo(f"reproduced: {verdict.compared} results, every bit the same ({verdict.again.path})")
