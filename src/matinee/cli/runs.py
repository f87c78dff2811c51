"""`matinee runs`: list, filter and compare runs, conclude, and write a table for the README."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from matinee.cli import terminal
from matinee.cli.options import RUNS, Part, Runs, known_metric, known_metrics
from matinee.errors import UsageError, nearest

if TYPE_CHECKING:
    from matinee.experiment.folder import RunFolder

app = typer.Typer(add_completion=False, invoke_without_command=True)

Several = Annotated[list[str], typer.Argument(help="Folders or ids of runs.")]


@app.callback()
def runs(
    context: typer.Context,
    best: Annotated[
        str | None, typer.Option("--best", callback=known_metric, help="Best first by this metric, not newest first.")
    ] = None,
    name: Annotated[str, typer.Option("--name", help="Only experiments with this in their name.")] = "",
    model: Annotated[str, typer.Option("--model", help="Only runs that have this model.")] = "",
    data: Annotated[str, typer.Option("--data", help="Only with this in the data's path, or as its hash.")] = "",
    part: Part = "test",
    folder: Runs = RUNS,
) -> None:
    """List runs: the best entry with its interval beside what was asked, expected and concluded.

    One table for each data and split: figures of different ones say nothing of each other.

    matinee runs --best recall@10 --model ease
    """
    if context.invoked_subcommand is not None:
        return
    from matinee.experiment.standing import chosen, finished

    groups: dict[tuple[str, str], list[RunFolder]] = {}
    for run in chosen(finished(folder), name=name, model=model, data=data):
        groups.setdefault((run.manifest["data"]["hash"], run.manifest["split"]["hash"]), []).append(run)
    if not groups:
        terminal.note(f"no such run below {folder}")
    for number, group in enumerate(groups.values()):
        if number:
            typer.echo()
        _list(group, best, part)


def _list(group: list[RunFolder], best: str | None, part: str) -> None:
    from matinee.cli.leaderboard import figure
    from matinee.experiment.standing import standing

    found = [(run, standing(run, part, best)) for run in group]
    without = [run.id for run, entries in found if not entries]
    if best:
        found = sorted((one for one in found if one[1]), key=lambda one: -(one[1][0].figures[best]["value"] or 0))
    rows = []
    for run, entries in found:
        metric = best or next(iter(entries[0].figures), "") if entries else ""
        told = f"{metric} {figure(entries[0].figures[metric])}" if entries else ""
        thoughts = [run.thoughts.get(what, "") for what in ("question", "expect", "conclusion")]
        rows.append([run.id, run.manifest["made"][:16], entries[0].id if entries else "", told, *thoughts])
    manifest = group[0].manifest
    title = (f"{manifest['config']['data']['path']}, {manifest['split']['settings']['protocol']}: {part}, "
             f"data {manifest['data']['hash'][:8]}, split {manifest['split']['hash'][:8]}")
    terminal.table(title, ["run", "made", "best", "figure", "question", "expect", "conclusion"], rows)
    if without and best:
        terminal.note(f"without {best} on {part}: {', '.join(without)}")


@app.command()
def show(names: Several, part: Part = "test", runs: Runs = RUNS) -> None:
    """The leaderboard of each run."""
    from matinee.cli.leaderboard import show as show_one

    for run in _found(names, runs):
        show_one(run, part)


@app.command()
def compare(names: Several, part: Part = "test", runs: Runs = RUNS) -> None:
    """What differs between runs, in settings and in figures; where data and split are the same, who is better."""
    from matinee.cli.compare import show_comparisons
    from matinee.cli.leaderboard import figure
    from matinee.experiment.measure import compare_entries
    from matinee.experiment.standing import standing, unlike

    folders = _found(names, runs)
    ids = [run.id for run in folders]
    terminal.table("what differs", ["", *ids], [[key, *values] for key, values in unlike(folders).items()])
    tables = [{entry.id: entry for entry in standing(run, part)} for run in folders]
    rows = []
    for id_ in _each(tables):
        for metric in _each(one[id_].figures for one in tables if id_ in one):
            shown = [figure(one[id_].figures[metric]) if id_ in one and metric in one[id_].figures else ""
                     for one in tables]
            rows.append([id_, metric, *shown])
    typer.echo()
    terminal.table(f"{part}, 95 % intervals", ["entry", "metric", *ids], rows)
    alike = len({(run.manifest["data"]["hash"], run.manifest["split"]["hash"]) for run in folders}) == 1
    if not alike:
        return terminal.note("they were measured on different splits: their figures say nothing of each other")
    if not all(tables):
        return None
    best = [(run, next(iter(one))) for run, one in zip(folders, tables, strict=True)]
    shared = [metric for metric in _each(one[id_].figures for (_, id_), one in zip(best, tables, strict=True))
              if all(metric in one[id_].figures for (_, id_), one in zip(best, tables, strict=True))]
    if len(folders) > 1 and shared:
        typer.echo()
        show_comparisons(compare_entries(best, shared[0], part), shared[0], part)
    return None


@app.command()
def table(
    names: Several,
    form: Annotated[str, typer.Option("--format", help="markdown or latex.")] = "markdown",
    metrics: Annotated[
        list[str] | None, typer.Option("--metric", callback=known_metrics, help="Only these; may be given again.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write it here and not to the terminal.")] = None,
    part: Part = "test",
    runs: Runs = RUNS,
) -> None:
    """A table for the README: the best in bold, intervals, and a mark on what cannot be told from the best.

    matinee runs table movierec-1a2b3c4d --format latex -o table.tex
    """
    from matinee import durable
    from matinee.report.table import FORMATS
    from matinee.report.table import table as make

    if form not in FORMATS:
        raise UsageError("unknown-format", f"there is no format {form!r}", nearest(form, FORMATS))
    text = FORMATS[form](make(_found(names, runs), metrics or (), part))
    if out is None:
        terminal.say(text.rstrip("\n"))
    else:
        durable.write_text(out, text)
        terminal.note(f"written to {out}")


@app.command()
def conclude(
    run: Annotated[str, typer.Argument(help="A run's folder or id.")],
    text: Annotated[str, typer.Argument(help="What it taught.")],
    runs: Runs = RUNS,
) -> None:
    """Write a conclusion beside a run that is done. `conclusion:` in its file and another `matinee run` do the same."""
    from importlib.util import find_spec

    (folder,) = _found([run], runs)
    if not text.strip():
        raise UsageError("no-conclusion", "the conclusion is empty", "say what the run taught")
    folder.conclude(text.strip())
    if find_spec("matplotlib"):
        from matinee.report.run import write_report

        write_report(folder)
    terminal.note(f"{folder.id}: concluded")


def _found(names: list[str], runs: Path) -> list[RunFolder]:
    from matinee.experiment.folder import find

    found = {folder.path.resolve(): folder for folder in (find(name, runs)[0] for name in names)}
    return list(found.values())


def _each(of: Iterable[Iterable[str]]) -> list[str]:
    return list(dict.fromkeys(one for names in of for one in names))
