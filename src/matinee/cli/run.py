"""`matinee run`: an experiment file to its run folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from matinee.cli import terminal
from matinee.cli.options import RUNS, Runs
from matinee.errors import Degraded

if TYPE_CHECKING:
    from matinee.config import Experiment

app = typer.Typer(add_completion=False)


@app.command()
def run(
    file: Annotated[Path, typer.Argument(help="The experiment, a YAML file; configs/experiments/ has examples.")],
    runs: Runs = RUNS,
    set_: Annotated[list[str] | None, typer.Option("--set", help="Override a key: --set models.ease.l2=300")] = None,
    again: Annotated[bool, typer.Option("--again", help="Make a new run where one is done, nothing reused.")] = False,
    threads: Annotated[
        int | None, typer.Option("--threads", min=1, help="Cores to use; all of them unless told.")
    ] = None,
) -> None:
    """Carry out an experiment: read, split, fit, rank, evaluate, ensemble, submit, report.

    The same experiment is the same folder. A run that was stopped goes on where it was, one that is done says so,
    and what an earlier run has fitted on the same events is found again. A file with `sweep` is a grid of such runs.
    """
    from matinee.config import load_experiment

    experiment = load_experiment(file, set_ or ())
    (_sweep if experiment.sweep else carry_out)(experiment, runs, again=again, threads=threads)


def _sweep(experiment: Experiment, runs: Path, *, again: bool, threads: int | None) -> None:
    """Run every cell of an experiment's grid, and print the table of all."""
    from matinee.cli.search_tables import show_sweep
    from matinee.report.sweep import carry_out as run_all

    with terminal.progress() as progress:
        folder = run_all(experiment, runs, again=again, threads=threads, progress=progress, say=terminal.note)
    show_sweep(folder)


def carry_out(experiment: Experiment, runs: Path, *, again: bool = False, threads: int | None = None) -> None:
    """Run an experiment under a progress display and print what came of it."""
    from matinee.cli.leaderboard import show
    from matinee.nn import processes
    from matinee.report.whole import carry_out as run_and_report
    from matinee.tracking.beside import is_wanted
    from matinee.tracking.mirror import behind

    with terminal.progress() as progress:
        folder = run_and_report(experiment, runs, again=again, threads=threads, progress=progress, say=terminal.note)
    if processes.rank():  # process 0 shows what came of it
        return
    show(folder)
    if is_wanted(experiment) and (missing := behind(folder)):
        raise Degraded("not-mirrored", f"the run is done, but MLflow is behind: {missing}",
                       f"nothing is lost; `matinee track sync {folder.path}` brings it up to date")
    if not (folder.path / "report.html").is_file():
        raise Degraded(
            "no-report",
            "the report needs matplotlib, which is not installed",
            "pip install 'matinee[report]', then run the same command again: only the report is made",
        )
