"""What a run came to, as a table in the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import typer

from matinee.cli import terminal
from matinee.experiment.folder import RunFolder


def show(folder: RunFolder, part: str = "test") -> None:
    """The leaderboard of one part, best first by the first metric, and where everything is."""
    from matinee.experiment.standing import standing, thoughts_and_answer

    entries = standing(folder, part)
    metrics = list(dict.fromkeys(metric for entry in entries for metric in entry.figures))
    users = next((row["users"] for entry in entries for row in entry.figures.values()), 0)
    terminal.table(
        f"{folder.id}: {part}, {users:,} users, 95 % intervals",
        ["", *metrics],
        [[entry.id, *(figure(entry.figures[metric]) for metric in metrics)] for entry in entries],
    )
    for what, text in thoughts_and_answer(folder, part).items():
        typer.echo(f"{what}: {text}")
    if (folder.path / "report.html").is_file():
        typer.echo(f"report      {folder.path / 'report.html'}")
    for path in sorted((folder.path / "submission").glob("*.csv")):
        typer.echo(f"submission  {path}")
    typer.echo(f"everything  {folder.path}")


def figure(row: Mapping[str, Any]) -> str:
    """`0.1234 [0.1200, 0.1268]`, exactly the stored value rounded to four places."""
    if row["low"] is None:
        return f"{row['value']:.4f}"
    return f"{row['value']:.4f} [{row['low']:.4f}, {row['high']:.4f}]"
