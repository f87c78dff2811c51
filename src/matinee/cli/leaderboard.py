"""What a run came to, as a table in the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import typer

from matinee.cli import terminal
from matinee.experiment.folder import RunFolder


def show(folder: RunFolder, part: str = "test") -> None:
    """The leaderboard of one part, best first by the first metric, and where everything is."""
    manifest = folder.manifest
    rows = [row for row in folder.metrics if row["part"] == part and row["segment"] is None]
    metrics = list(dict.fromkeys(row["metric"] for row in rows))
    cells: dict[str, dict[str, Mapping[str, Any]]] = {}
    for row in rows:
        cells.setdefault(row["id"], {})[row["metric"]] = row
    best_first = sorted(cells, key=lambda id_: -cells[id_][metrics[0]]["value"])
    users = rows[0]["users"] if rows else 0
    terminal.table(
        f"{folder.id}: {part}, {users:,} users, 95 % intervals",
        ["", *metrics],
        [[id_, *(figure(cells[id_][metric]) for metric in metrics)] for id_ in best_first],
    )
    for what in ("question", "expect", "conclusion"):
        if manifest["config"].get(what):
            typer.echo(f"{what}: {manifest['config'][what]}")
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
