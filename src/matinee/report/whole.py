"""An experiment from its file to its folder, the page and the mirror in MLflow included."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

from matinee.config import Experiment, load_experiment, no_sweep
from matinee.experiment.folder import RunFolder
from matinee.experiment.run import run as run_experiment
from matinee.nn import processes
from matinee.tracking.beside import mirrored


def run(file: str | Path, runs: str | Path = "runs", overrides: Sequence[str] = ()) -> RunFolder:
    """Carry out an experiment file, as `matinee run`; overrides are such as `models.ease.l2=300`.

    Raises ConfigError for a file with a sweep, which is many runs.
    """
    experiment = load_experiment(Path(file), overrides)
    no_sweep(experiment.sweep, "run")
    return carry_out(experiment, Path(runs))


def carry_out(
    experiment: Experiment,
    runs: Path,
    *,
    again: bool = False,
    threads: int | None = None,
    progress: Callable[[str, int, int], None] | None = None,
    say: Callable[[str], None] | None = None,
) -> RunFolder:
    """Run `experiment` below `runs` as far as it is not done, and write its report where matplotlib is installed.

    Where the experiment or the environment asks for it, MLflow is told as the run goes on; `tracking.mirror.behind`
    says what it lacks afterwards.
    """
    with mirrored(experiment, runs, say) as mirror:
        folder = run_experiment(experiment, runs, again=again, threads=threads, progress=progress, say=say,
                                begun=mirror)
        if processes.rank() == 0 and not (folder.path / "report.html").is_file() and find_spec("matplotlib"):
            from matinee.report.run import write_report

            write_report(folder)
    return folder
