"""`matinee pack`: a run as one archive that can be done again elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from matinee.cli.options import RUNS, Runs

app = typer.Typer(add_completion=False)


@app.command()
def pack(
    run: Annotated[str, typer.Argument(help="A run's folder or id.")],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="The archive; RUN.zip unless told.")] = None,
    with_data: Annotated[bool, typer.Option("--with-data", help="The data as it was read, and the split.")] = False,
    runs: Runs = RUNS,
) -> None:
    """Pack what it takes to do a run again: `matinee reproduce ARCHIVE` does, in any folder.

    Without the data its hash is inside, and where it came from. The same run is the same bytes.
    """
    from matinee.experiment.folder import find
    from matinee.experiment.pack import pack as write

    folder, _ = find(run, runs)
    path = out or Path(f"{folder.id}.zip")
    size = write(folder, path, with_data=with_data)
    typer.echo(f"{path}: {size:,} bytes" + ("" if with_data else ", without the data"))
