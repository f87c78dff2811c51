"""`matinee fit`: a run of one model."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from matinee.cli.options import RUNS, Runs

app = typer.Typer(add_completion=False)


@app.command()
def fit(
    model: Annotated[str, typer.Argument(help="A model's name (`matinee models` lists them) or a file: ./my_model.py")],
    data: Annotated[str, typer.Argument(help="A file or folder, embedded:movietweetings, or synthetic:USERSxITEMS")],
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set", help="A hyper-parameter, or a key of the experiment: --set l2=300 --set split.protocol=leave_last"
        ),
    ] = None,
    runs: Runs = RUNS,
    again: Annotated[bool, typer.Option("--again", help="Make a new run where one is done, nothing reused.")] = False,
) -> None:
    """Fit one model: split, measure, refit on everything, and write everybody's top ten.

    Afterwards RUN/ID names the fitted model: `matinee recommend RUN/ID --user 42`.
    """
    from matinee.cli.run import carry_out
    from matinee.config import experiment_from, overridden

    id_ = Path(model).stem
    name = re.sub(r"[^a-z0-9._-]+", "-", f"{id_}-{Path(data.replace(':', '-')).stem}".lower()).strip(".-")
    entry = {"id": id_, "model": model}
    mapping = {
        "name": name,
        "data": {"path": data},
        "split": {"protocol": "gap_and_tail"},
        "models": [entry],
        "output": {"which": [id_]},
    }
    sections = {
        "name",
        "seed",
        "data",
        "split",
        "evaluate",
        "filters",
        "output",
        "models",
        "tracking",
        "question",
        "expect",
    }
    overrides = [
        text if text.split("=")[0].split(".")[0] in sections else f"models.{id_}.{text}" for text in set_ or ()
    ]
    carry_out(experiment_from(overridden(mapping, overrides), Path.cwd()), runs, again=again)
