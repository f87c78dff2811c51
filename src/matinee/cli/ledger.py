"""`matinee ledger`: what was handed in, what the leaderboard said, and whether the offline order predicts it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from matinee.cli import terminal
from matinee.cli.options import RUNS, LedgerFile, Runs, known_metric
from matinee.errors import UsageError

if TYPE_CHECKING:
    from matinee.cli.terminal import Cell
    from matinee.experiment.ledger import Book, Ledger
    from matinee.experiment.ledger_agreement import Told

app = typer.Typer(add_completion=False, invoke_without_command=True)

Number = Annotated[int, typer.Argument(help="The submission's number.")]


@app.callback()
def ledger(
    context: typer.Context,
    metric: Annotated[
        str | None, typer.Option("--metric", callback=known_metric, help="The offline figure to show and judge.")
    ] = None,
    file: LedgerFile = None,
    runs: Runs = RUNS,
) -> None:
    """All submissions, whether their offline order predicts the public one, and how many are left today.

    matinee ledger add movierec-1a2b3c4d/blend --member kim
    matinee ledger score 1 0.1601
    """
    if context.invoked_subcommand is not None:
        return
    from matinee.experiment.ledger_agreement import told

    kept = _ledger(file, runs)
    book = kept.book()
    if not book.submissions:
        terminal.note(f"nothing was handed in yet ({kept.path})")
    _show(book, metric)
    for one in told(book, metric):
        typer.echo(f"{one.metric} on {one.title}: {one}")
    now = kept.now()
    for member in dict.fromkeys(one.member for one in book.submissions) if book.rules.quota is not None else ():
        left = book.left(member, now)
        typer.echo(f"{book.rules.day(now)}: {member} has {'any number' if left is None else left} left")
    typer.echo(str(book.rules))


def _show(book: Book, metric: str | None) -> None:
    from zoneinfo import ZoneInfo

    from matinee.cli.leaderboard import figure

    rows: list[list[Cell]] = []
    for one in book.submissions:
        by = metric or next(iter(one.what.offline), "")
        offline = f"{by} {figure(one.what.offline[by])}" if by in one.what.offline else ""
        note = "; ".join(part for part in ("withdrawn" if one.withdrawn else "", one.note) if part)
        at = one.at.astimezone(ZoneInfo(book.rules.zone)).strftime("%Y-%m-%d %H:%M")
        rows.append([one.number, at, one.member, one.what.name, offline, one.public, one.private, note])
    terminal.table("", ["", book.rules.zone, "member", "submission", "offline", "public", "private", "note"], rows)


@app.command()
def add(
    what: Annotated[str, typer.Argument(help="RUN/ID, or the file; its run is found by its bytes.")],
    member: Annotated[str, typer.Option("--member", envvar="MATINEE_MEMBER", help="Who hands it in.")],
    note: Annotated[str, typer.Option("--note", help="Anything worth keeping.")] = "",
    at: Annotated[str | None, typer.Option("--at", help="When, such as 2026-11-26T23:10; now unless told.")] = None,
    again: Annotated[bool, typer.Option("--again", help="Although the same bytes were handed in before.")] = False,
    file: LedgerFile = None,
    runs: Runs = RUNS,
) -> None:
    """Write down a submission. Beyond the member's quota of the day it is refused, or warned of, as the rules say."""
    from matinee.experiment.handed_in import handed_in

    kept = _ledger(file, runs)
    moment = _moment(at, kept)
    one, warnings = kept.add(handed_in(what, runs), member, note=note, at=moment, again=again)
    _warn(warnings)
    left = kept.book().left(one.member, one.at)
    typer.echo(f"submission {one.number}: {one.what.name}" + ("" if left is None else f", {left} left that day"))
    if one.what.run is None:
        terminal.note(f"no run below {runs} has written these bytes, so there is no offline figure")


@app.command()
def score(
    number: Number,
    public: Annotated[float, typer.Argument(help="The score that the leaderboard shows.")],
    private: Annotated[float | None, typer.Option("--private", help="The final one, once it is known.")] = None,
    file: LedgerFile = None,
    runs: Runs = RUNS,
) -> None:
    """Write down a submission's public score; given again it takes the place of the one before."""
    _ledger(file, runs).score(number, public, private)


@app.command()
def correct(
    number: Number,
    member: Annotated[str | None, typer.Option("--member")] = None,
    note: Annotated[str | None, typer.Option("--note")] = None,
    at: Annotated[str | None, typer.Option("--at")] = None,
    withdrawn: Annotated[bool | None, typer.Option("--withdrawn/--kept", help="It was never handed in.")] = None,
    file: LedgerFile = None,
    runs: Runs = RUNS,
) -> None:
    """Put other facts in place of what was written; the old ones stay in the file."""
    kept = _ledger(file, runs)
    given = {"member": member, "note": note, "at": _moment(at, kept), "withdrawn": withdrawn}
    changes = {key: value for key, value in given.items() if value is not None}
    if not changes:
        raise UsageError("nothing-to-correct", "nothing is to be corrected", "give --member, --note, --at, --withdrawn")
    _warn(kept.correct(number, **changes))


@app.command()
def rules(
    quota: Annotated[int | None, typer.Option("--quota", min=0, help="Submissions a member a day.")] = None,
    no_quota: Annotated[bool, typer.Option("--no-quota", help="As many as they like.")] = False,
    zone: Annotated[str | None, typer.Option("--zone", help="The time zone of the day, such as Asia/Seoul.")] = None,
    begins: Annotated[str | None, typer.Option("--begins", help="When a day begins there: 00:00.")] = None,
    free_after: Annotated[str | None, typer.Option("--free-after", help="From then on the day is free: 23:00.")] = None,
    beyond: Annotated[str | None, typer.Option("--beyond", help="The quota: refuse or warn.")] = None,
    file: LedgerFile = None,
    runs: Runs = RUNS,
) -> None:
    """Show the rules, or set some: they hold from then on, for what was handed in before as well."""
    kept = _ledger(file, runs)
    given = {"quota": quota, "zone": zone, "begins": begins, "free_after": free_after, "beyond": beyond}
    changes: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    if no_quota:
        changes["quota"] = None
    typer.echo(str(kept.rule(**changes) if changes else kept.book().rules))


@app.command()
def agree(
    table: Annotated[Path | None, typer.Argument(help="A CSV of name,offline,public; the ledger unless told.")] = None,
    metric: Annotated[
        str | None, typer.Option("--metric", callback=known_metric, help="The offline figure to judge.")
    ] = None,
    page: Annotated[Path | None, typer.Option("--page", help="Draw it: an HTML file.")] = None,
    file: LedgerFile = None,
    runs: Runs = RUNS,
) -> None:
    """Does the offline order predict the public one? Spearman and Kendall with 95 % intervals over submissions."""
    from matinee.experiment.ledger_agreement import of_file, told

    found = [of_file(table)] if table else told(_ledger(file, runs).book(), metric)
    for one in found:
        pairs = sorted(one.pairs, key=lambda pair: -pair.public)
        rows: list[list[Cell]] = [[pair.name, pair.offline, pair.public] for pair in pairs]
        terminal.table(one.title, ["", one.metric, "public"], rows)
        typer.echo(str(one))
    if not found:
        typer.echo("cannot tell: no submission has an offline figure and a public score")
    if page is not None:
        _draw(found, page)


def _draw(found: list[Told], page: Path) -> None:
    from matinee.report.ledger import write_page

    write_page(page, found)
    terminal.note(f"written to {page}")


def _warn(warnings: list[str]) -> None:
    for warning in warnings:
        terminal.complain(f"warning: {warning}")


def _ledger(file: Path | None, runs: Path) -> Ledger:
    from matinee.experiment.ledger import Ledger, beside

    return Ledger(file or beside(runs))


def _moment(at: str | None, kept: Ledger) -> datetime | None:
    """A moment without a zone is in the ledger's."""
    from zoneinfo import ZoneInfo

    if at is None:
        return None
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        raise UsageError("bad-time", f"{at!r} is no moment", "such as 2026-11-26T23:10") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(kept.book().rules.zone))
