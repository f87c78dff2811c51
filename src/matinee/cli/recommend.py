"""`matinee recommend`: lists from a stored model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from matinee.cli import terminal
from matinee.cli.options import RUNS, Runs
from matinee.cli.show_lists import print_lists
from matinee.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from matinee.experiment.answer import Answers

REASONS = 3
"""As many as a line holds."""

app = typer.Typer(add_completion=False)


@app.command()
def recommend(
    model: Annotated[str, typer.Argument(help="RUN/ID, such as demo-1a2b3c4d/ease, or a path to it.")],
    history: Annotated[list[str] | None, typer.Argument(help="Item ids of somebody new, oldest first.")] = None,
    user: Annotated[list[str] | None, typer.Option("--user", help="A user of the data; may be given again.")] = None,
    users: Annotated[Path | None, typer.Option("--users", help="A file of user ids.")] = None,
    everybody: Annotated[
        bool, typer.Option("--all", help="The run's submission, made again from the stored model.")
    ] = False,
    why: Annotated[
        bool, typer.Option("--why", help="With each item the three of the history that it is due to, with their share.")
    ] = False,
    k: Annotated[int, typer.Option("-k", min=1, help="Places in each list.")] = 10,
    out: Annotated[Path | None, typer.Option("--out", help="Write a file instead of printing a table.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace --out where it exists.")] = False,
    runs: Runs = RUNS,
) -> None:
    """Lists for users of the data, for everybody, or for somebody new whose history you type.

    matinee recommend demo-1a2b3c4d/ease --user 42 --why
    matinee recommend demo-1a2b3c4d/ease 0114369 0137523
    matinee recommend demo-1a2b3c4d/blend --all --out submission.csv
    """
    import numpy as np

    from matinee.experiment import submission
    from matinee.experiment.answer import Answers
    from matinee.experiment.folder import find

    asked_for = [bool(history), bool(user), users is not None, everybody]
    if sum(asked_for) != 1:
        raise UsageError(
            "who",
            f"{sum(asked_for)} of a typed history, --user, --users and --all are given",
            "give exactly one: whose lists?",
        )
    if why and (everybody or out is not None):
        raise UsageError("why", "reasons are shown on the terminal and not written", "leave --all and --out out")
    folder, id_ = find(model, runs)
    if id_ is None:
        raise UsageError("which-model", f"{model!r} names a run and none of its models", "write RUN/ID")
    target = Path(f"{id_}.csv") if everybody and out is None else out
    if target is not None and target.exists() and not overwrite:
        raise UsageError("exists", f"{target} exists", "choose another name by --out, or add --overwrite")
    answers = Answers(folder)
    if history:
        ask = answers.ask_typed(history)
        lists = answers.lists(id_, ask, np.zeros(1, np.int64), k)
        reasons = answers.reasons(id_, ask, lists, REASONS) if why else None
        return print_lists(lists, folder.dataset, ["somebody new"], reasons)
    order = _asked(answers, user or [], users)
    lists = answers.lists(id_, answers.final.ask, np.unique(order), k)
    if short := int((lists.items[:, -1] < 0).sum()):
        terminal.note(f"{short:,} lists are shorter than {k:,}: these users have seen nearly everything")
    if target is None:
        reasons = answers.reasons(id_, answers.final.ask, lists, REASONS) if why else None
        return print_lists(lists, folder.dataset, reasons=reasons)
    submission.write(target, lists, folder.dataset, answers.experiment.output.submission, order)
    typer.echo(f"{len(order):,} lists of {k} -> {target}")
    return None


def _asked(answers: Answers, named: list[str], file: Path | None) -> NDArray[np.int64]:
    """Rows of the users named, of those in a file, or of those of the run's submission."""
    import numpy as np

    from matinee.experiment import submission
    from matinee.experiment.users_file import read_users, rows_of_users

    dataset, wanted = answers.folder.dataset, answers.experiment.output.users
    if named:
        return rows_of_users(named, dataset)
    if file is not None:
        return read_users(file, dataset)
    if wanted is not None:
        return read_users(answers.experiment.base / wanted, dataset)
    return submission.natural_order(dataset, np.arange(dataset.n_users))
