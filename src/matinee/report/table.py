"""Runs as a table for a README or a paper: the best in bold, intervals, and a mark on what cannot be told from it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from matinee.errors import ModelError
from matinee.evaluation.names import is_per_user, parse
from matinee.experiment.folder import RunFolder
from matinee.experiment.measure import compare_entries
from matinee.experiment.standing import Entry, best_first, standing, thoughts_and_answer

MARK = "≈"


@dataclass(frozen=True)
class Cell:
    text: str  # "" where there is no figure
    interval: str
    best: bool
    level: bool
    """Not the best, and cannot be told from it."""


@dataclass(frozen=True)
class Table:
    metrics: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]
    notes: tuple[str, ...]


def table(folders: Sequence[RunFolder], metrics: Sequence[str] = (), part: str = "test") -> Table:
    """All entries of the runs, best first by the first metric; of `metrics`, or of all that the first run has.

    Raises ModelError where the runs were measured on different splits, and where one has no figure of a metric.
    """
    entries = [entry for folder in folders for entry in standing(folder, part)]
    metrics = tuple(metrics) or tuple(entries[0].figures if entries else ())
    for entry in entries:
        for metric in metrics:
            if metric not in entry.figures:
                raise ModelError("no-figure", f"{entry.run.id} has no {metric} of {entry.id} on {part}",
                                 f"it has {', '.join(entry.figures)}", entry.run.path)
    entries = best_first(entries, metrics[0] if metrics else "")
    alone = len(folders) == 1
    names = {(entry.run.id, entry.id): entry.id if alone else f"{entry.run.id}/{entry.id}" for entry in entries}
    columns = [_column(entries, names, folders, metric, part) for metric in metrics]
    rows = tuple((names[entry.run.id, entry.id], cells)
                 for entry, *cells in zip(entries, *columns, strict=True)) if metrics else ()
    return Table(metrics, tuple((name, tuple(cells)) for name, cells in rows), tuple(_notes(folders, entries, part)))


def _column(
    entries: Sequence[Entry], names: Mapping[tuple[str, str], str], folders: Sequence[RunFolder], metric: str, part: str
) -> list[Cell]:
    best = best_first(entries, metric)[0]
    level: set[str] = set()
    if is_per_user(parse(metric)):
        found = compare_entries([(folder, None) for folder in folders], metric, part)
        top = names[best.run.id, best.id]
        level = {one for pair, told in found.items() if top in pair and told.verdict == "cannot tell" for one in pair}
        level -= {top}
    cells = []
    for entry in entries:
        row, name = entry.figures[metric], names[entry.run.id, entry.id]
        value = "" if row["value"] is None else f"{row['value']:.4f}"
        interval = "" if row["low"] is None else f"[{row['low']:.4f}, {row['high']:.4f}]"
        cells.append(Cell(value, interval, entry is best, name in level))
    return cells


def _notes(folders: Sequence[RunFolder], entries: Sequence[Entry], part: str) -> list[str]:
    users = next((row["users"] for entry in entries for row in entry.figures.values()), 0)
    data = folders[0].manifest["config"]["data"]["path"]
    split = folders[0].manifest["split"]["settings"]["protocol"]
    said = [f"{data}, {split}, {part}: {users:,} users, 95 % intervals. Bold: the largest. "
            f"{MARK}: cannot be told from it (paired bootstrap, Holm)."]
    for folder in folders:
        run = "" if len(folders) == 1 else f"{folder.id}, "
        said += [f"{run}{what}: {text}" for what, text in thoughts_and_answer(folder, part).items()]
    return [*said, "Runs: " + ", ".join(folder.id for folder in folders) + "."]


def markdown(shown: Table) -> str:
    """A table and its notes as Markdown."""
    def cell(one: Cell) -> str:
        text = f"**{one.text}**" if one.best and one.text else one.text
        return " ".join(part for part in (text, one.interval, MARK if one.level else "") if part)

    head = ["", *shown.metrics]
    lines = [_row([_markdown(name) for name in head]), "|---|" + "---:|" * len(shown.metrics)]
    lines += [_row([_markdown(name), *map(cell, cells)]) for name, cells in shown.rows]
    return "\n".join([*lines, "", *(f"{_markdown(note)}  " for note in shown.notes)]).rstrip() + "\n"


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _markdown(text: str) -> str:
    return re.sub(r"([\\`*_<>|\[\]#])", r"\\\1", " ".join(text.split()))


def latex(shown: Table) -> str:
    r"""A tabular for `\usepackage{booktabs}` and its notes."""
    def cell(one: Cell) -> str:
        text = rf"\textbf{{{one.text}}}" if one.best and one.text else one.text
        interval = rf"{{\footnotesize {one.interval}}}" if one.interval else ""
        return " ".join(part for part in (text, interval, r"$\approx$" if one.level else "") if part)

    def row(cells: Sequence[str]) -> str:
        return " & ".join(cells) + r" \\"

    lines = [rf"\begin{{tabular}}{{l{'r' * len(shown.metrics)}}}", r"\toprule",
             row(["", *map(_latex, shown.metrics)]), r"\midrule",
             *(row([_latex(name), *map(cell, cells)]) for name, cells in shown.rows),
             r"\bottomrule", r"\end{tabular}", ""]
    return "\n".join([*lines, *(rf"{_latex(note)}\\" for note in shown.notes)]) + "\n"


_TEX = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", MARK: r"$\approx$",
        "<": r"\textless{}", ">": r"\textgreater{}", **{letter: "\\" + letter for letter in "&%$#_{}"}}


def _latex(text: str) -> str:
    return "".join(_TEX.get(letter, letter) for letter in " ".join(text.split()))


FORMATS: dict[str, Callable[[Table], str]] = {"markdown": markdown, "latex": latex}
