"""`matinee reproduce`: do a run again and compare bit by bit."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from matinee.cli import terminal
from matinee.cli.options import RUNS, Runs
from matinee.errors import ModelError, UsageError

app = typer.Typer(add_completion=False)


@app.command()
def reproduce(
    run: Annotated[str, typer.Argument(help="A run's folder or id, or an archive that `matinee pack` wrote.")],
    data: Annotated[Path | None, typer.Option("--data", help="Where the data is now, if not where it was.")] = None,
    side: Annotated[
        list[Path] | None,
        typer.Option("--side", help="With --data: where a side file, or a folder of them, is now. May be given again."),
    ] = None,
    trust: Annotated[bool, typer.Option("--trust", help="Run the model files that an archive brings.")] = False,
    runs: Runs = RUNS,
) -> None:
    """Repeat a run from its manifest, nothing reused, and compare every result.

    Says what is not as it was (code, files, packages, threads, data) and what came out otherwise. Exit code 4 where a
    result differs. What is made stays in `.reproduced` beside the run, a folder each time, and may be deleted.
    """
    from matinee.experiment.folder import find
    from matinee.experiment.pack import unpacked
    from matinee.experiment.reproduce import reproduce as repeat

    if side and data is None:
        raise UsageError("usage", "--side goes with --data", "give both")
    if Path(run).is_file():
        folder, beside = unpacked(Path(run), runs, trust=trust), runs
    else:
        folder, _ = find(run, runs)
        beside = folder.path.parent
    with terminal.progress() as progress:
        verdict = repeat(folder, beside / ".reproduced", data=data, side=side or (), progress=progress,
                         say=terminal.note)
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
