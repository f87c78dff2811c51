"""The page of one sweep, made from its folder alone, and a sweep from its experiment to that page."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from markupsafe import Markup

from matinee import durable
from matinee.config import Experiment
from matinee.evaluation.compare import ALONE
from matinee.experiment.folder import RunFolder
from matinee.report.page import rendered
from matinee.report.whole import carry_out as carry_out_run
from matinee.tune.sweep import in_words, short, sweep


def carry_out(
    experiment: Experiment,
    runs: Path,
    *,
    again: bool = False,
    threads: int | None = None,
    progress: Callable[[str, int, int], None],
    say: Callable[[str], None],
) -> Path:
    """Every cell of the grid, each with its own page, and the page of all, new after each cell."""

    def one(cell: Experiment) -> RunFolder:
        return carry_out_run(cell, runs, again=again, threads=threads, progress=progress, say=say)

    return sweep(experiment, runs, carry_out=one, say=say, shown=write_page)


def write_page(folder: Path) -> None:
    """sweep.html beside sweep.json, where matplotlib is installed."""
    if not find_spec("matplotlib"):
        return
    from matinee.report import search_pictures as pictures

    found = json.loads((folder / "sweep.json").read_text())
    done = [cell for cell in found["cells"] if cell["run"]]
    ids = dict.fromkeys(id_ for cell in done for id_ in cell["figures"] if id_ not in found["alike"])
    nothing = {"valid": None, "test": None}
    shown = {**found, "ids": list(ids), "short": short, "alone": ALONE}
    labels = [in_words({key: cell["values"][key] for key in found["keys"]}) for cell in done]
    drawn = [(id_, Markup(pictures.cells(labels, [cell["figures"].get(id_, nothing) for cell in done],
                                         found["metric"]))) for id_ in ids]
    alike = [(id_, done[0]["figures"][id_]["test"]) for id_ in found["alike"]]
    best = {id_: max(done, key=lambda cell: _valid(cell["figures"].get(id_)))["run"]
            for id_ in ids if any(_valid(cell["figures"].get(id_)) > -1 for cell in done)}
    shown |= {"pictures": drawn, "alike": alike, "best": best}
    durable.write_text(folder / "sweep.html", rendered("sweep.html", shown))


def _valid(figures: dict[str, dict[str, float]] | None) -> float:
    """The figure that a cell may be chosen by; below all where there is none."""
    return figures["valid"]["value"] if figures and figures["valid"] else -1.0
