"""`matinee similar`: what goes with an item."""

from __future__ import annotations

from typing import Annotated

import typer

from matinee.cli.options import RUNS, Runs
from matinee.cli.show_lists import print_lists
from matinee.errors import UsageError

app = typer.Typer(add_completion=False)


@app.command()
def similar(
    model: Annotated[str, typer.Argument(help="RUN/ID, such as demo-1a2b3c4d/ease.")],
    item: Annotated[str, typer.Argument(help="The id of an item.")],
    k: Annotated[int, typer.Option("-k", min=1, help="How many.")] = 10,
    runs: Runs = RUNS,
) -> None:
    """The items that a model gives to somebody who has had this one item and nothing else."""
    import numpy as np

    from matinee.experiment.answer import Answers
    from matinee.experiment.folder import find

    folder, id_ = find(model, runs)
    if id_ is None:
        raise UsageError("which-model", f"{model!r} names a run and none of its models", "write RUN/ID")
    answers = Answers(folder)
    lists = answers.lists(id_, answers.ask_typed([item]), np.zeros(1, np.int64), k)
    print_lists(lists, folder.dataset, [item])
