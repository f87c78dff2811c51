"""What a search or a sweep came to, as a table in the terminal."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from matinee.cli import terminal
from matinee.cli.leaderboard import figure
from matinee.errors import Degraded


def show_search(folder: Path) -> None:
    """Each model as it was written and at its best, and what to do next. Raises Degraded where none ended well."""
    found = json.loads((folder / "tune.json").read_text())
    rows = []
    for row in sorted(found["models"], key=lambda row: -(row["best"]["value"] if row["best"] else -1.0)):
        gain = row["difference"]
        over = "" if gain is None else _difference(gain)
        rows.append([row["id"], row["first"], row["best"]["value"] if row["best"] else None, over, row["survives"],
                     row["tried"], row["pruned"], row["failed"], row["seconds"]])
    terminal.table(f"{found['search']}: {found['metric']} on valid, {found['budget']['words']}",
                   ["", "as written", "best", "gain", "survives", "trials", "stopped", "failed", "seconds"], rows)
    if not (folder / "tuned.yaml").is_file():
        raise Degraded("no-trial", "no trial ended well, so there is nothing to write",
                       f"see why in {folder / 'tune.json'}")
    terminal.say("the best of many looks better on valid than it is; the test figure is that of the file:")
    terminal.say(f"matinee run {folder / 'tuned.yaml'}")
    if (folder / "tune.html").is_file():
        terminal.say(f"page        {folder / 'tune.html'}")
    terminal.say(f"everything  {folder}")


def show_sweep(folder: Path) -> None:
    """A row for each cell and entry, and each cell's answer. Raises Degraded where a cell failed."""
    from matinee.tune.sweep import in_words

    found = json.loads((folder / "sweep.json").read_text())
    terminal.table(f"{found['sweep']}: {found['metric']}",
                   [*found["keys"], "entry", "valid", "test", "over the first cell"],
                   [row for cell in found["cells"] for row in _rows(cell, found)])
    said = found["thoughts"]
    answers = {f"answer, {in_words(cell['values'])}": cell["answer"] for cell in found["cells"]}
    for what, text in {"question": said["question"], "expect": said["expect"], **answers,
                       "conclusion": said["conclusion"]}.items():
        if text:
            terminal.say(f"{what}: {text}")
    if found["alike"]:
        terminal.say(f"the same in every cell: {', '.join(found['alike'])}")
    if (folder / "sweep.html").is_file():
        terminal.say(f"page        {folder / 'sweep.html'}")
    terminal.say(f"everything  {folder}")
    failed = sum(cell["error"] is not None for cell in found["cells"])
    if failed:
        raise Degraded("failed-cells", f"{failed} of {len(found['cells'])} cells failed",
                       "the table says why; the same command tries them again")


def _rows(cell: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[list[terminal.Cell]]:
    """Of the entries that the grid changes; of a cell that failed, its reason."""
    from matinee.tune.sweep import as_text

    values = [as_text(cell["values"][key]) for key in found["keys"]]
    if cell["error"] is not None:
        yield [*values, "failed", None, "", cell["error"]]
    for id_, figures in cell["figures"].items():
        if id_ not in found["alike"]:
            over, valid, test = cell["differences"].get(id_), figures["valid"], figures["test"]
            shown = "" if over is None else f"{_difference(over)} {over['against_expected'] or over['verdict']}"
            yield [*values, id_, valid["value"] if valid else None, figure(test) if test else "", shown]


def _difference(found: Mapping[str, Any]) -> str:
    return f"{found['difference']:+.4f} [{found['low']:+.4f}, {found['high']:+.4f}]"
