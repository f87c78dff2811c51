"""`matinee compare`: is one entry better than another?"""

from __future__ import annotations

from typing import Annotated

import typer

from matinee.cli import terminal
from matinee.cli.options import RUNS, Runs

app = typer.Typer(add_completion=False)


@app.command()
def compare(
    entries: Annotated[
        list[str], typer.Argument(help="One run (all its entries), or several RUN/ID on the same split.")
    ],
    metric: Annotated[str, typer.Option("--metric", help="What to compare by.")] = "recall@10",
    part: Annotated[str, typer.Option("--part", help="valid or test.")] = "test",
    runs: Runs = RUNS,
) -> None:
    """Paired comparison of every two entries over the same users, corrected for their number (Holm).

    "cannot tell" means that the data does not say which is better: do not choose by the third decimal.
    """
    from matinee.experiment.folder import find
    from matinee.experiment.measure import compare_entries

    found = compare_entries([find(entry, runs) for entry in entries], metric, part)
    terminal.table(
        f"{metric} on {part}: the first minus the second",
        ["first", "second", "difference", "95 % interval", "p (Holm)", "the first is"],
        [
            [a, b, f"{c.difference:+.4f}", f"[{c.low:+.4f}, {c.high:+.4f}]", f"{c.p:.2g}", c.verdict]
            for (a, b), c in found.items()
        ],
    )
