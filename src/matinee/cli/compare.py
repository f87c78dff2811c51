"""`matinee compare`: is one entry better than another?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from matinee.cli import terminal
from matinee.cli.options import RUNS, Part, Runs

if TYPE_CHECKING:
    from matinee.evaluation.compare import Comparison

app = typer.Typer(add_completion=False)


@app.command()
def compare(
    entries: Annotated[
        list[str], typer.Argument(help="One run (all its entries), or several RUN/ID on the same split.")
    ],
    metric: Annotated[str, typer.Option("--metric", help="What to compare by.")] = "recall@10",
    part: Part = "test",
    runs: Runs = RUNS,
) -> None:
    """Paired comparison of every two entries over the same users, corrected for their number (Holm).

    "cannot tell" means that the data does not say which is better: do not choose by the third decimal.
    """
    from matinee.experiment.folder import find
    from matinee.experiment.measure import compare_entries

    show_comparisons(compare_entries([find(entry, runs) for entry in entries], metric, part), metric, part)


def show_comparisons(found: Mapping[tuple[str, str], Comparison], metric: str, part: str) -> None:
    """A row a pair."""
    from matinee.evaluation.compare import ALONE

    terminal.table(
        f"{metric} on {part}: the first minus the second",
        ["first", "second", "difference", "95 % interval", "p (Holm)", "the first is"],
        [
            [a, b, f"{c.difference:+.4f}", f"[{c.low:+.4f}, {c.high:+.4f}]", f"{c.p:.2g}", c.verdict]
            for (a, b), c in found.items()
        ],
    )
    if any(one.verdict == "cannot tell" and not one.low <= 0 <= one.high for one in found.values()):
        terminal.say(ALONE)
