"""What a command shows: results on stdout; progress, notes and errors on stderr. Plain where nobody watches."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import IO, TYPE_CHECKING

from matinee.errors import printable, printable_lines

if TYPE_CHECKING:
    from rich.progress import TaskID

NARROW = 40
"""A terminal of fewer columns is written to as if it were a file."""
SENTENCE = 10
"""Columns of the terminal that a sentence of a table gets at the least, if it is as long."""
GAP = 3
"""Columns of the terminal between two of a table."""
SECONDS = 5.0
"""Without a terminal, a step that takes longer says so this often."""

Progress = Callable[[str, int, int], None]
Cell = str | int | float | None

_quiet: ContextVar[bool] = ContextVar("quiet", default=False)


@contextmanager
def quieter(quiet: bool) -> Iterator[None]:
    """Without progress and notes while the block runs, if `quiet`."""
    token = _quiet.set(quiet)
    try:
        yield
    finally:
        _quiet.reset(token)


def say(text: str) -> None:
    """Part of the result, on stdout."""
    sys.stdout.write(_harmless(text) + "\n")
    sys.stdout.flush()


def note(text: str) -> None:
    """What happens, in words, on stderr; not with --quiet."""
    if not _quiet.get():
        complain(text)


def complain(text: str) -> None:
    """A line on stderr, if anybody can still hear."""
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(_harmless(text) + "\n")
        sys.stderr.flush()


def _harmless(text: str) -> str:
    """Without control characters that could drive the terminal; line breaks stay."""
    return "\n".join(printable_lines(line) for line in text.split("\n"))


@contextmanager
def progress() -> Iterator[Progress]:
    """A `progress(what, done, total)` for `Run` and `Reading`: bars on a terminal, now and then a line elsewhere.

    A total of 0 is unknown. It may be called from any thread.
    """
    if _quiet.get():
        yield lambda what, done, total: None
    elif _width(sys.stderr) is None:
        yield _lines()
    else:
        with _bars() as shown:
            yield shown


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
    """A table on stdout. Numbers stand to the right: whole ones with commas, others with four decimals.

    Where the terminal is narrow, sentences go over several lines. A column of words, such as ids, stays in one piece
    and can be copied, even where lines become longer than the terminal.
    """
    from rich import box
    from rich.cells import cell_len
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    width, needed = _width(sys.stdout), 0
    shown = Table(box=box.SIMPLE_HEAD if width else None, pad_edge=False, header_style="bold")
    for number, name in enumerate(columns):
        cells = [_text(row[number]) for row in rows]
        right = bool(rows) and all(isinstance(row[number], int | float | None) for row in rows)
        words = not any(" " in cell for cell in cells)
        longest = max(cell_len(text) for text in (*name.split(" "), *cells))
        needed += GAP + (longest if words else min(longest, SENTENCE))
        shown.add_column(Text(name), justify="right" if right else "left", overflow="fold", no_wrap=words,
                         min_width=longest if words else None)
    for row in rows:
        shown.add_row(*(Text(_text(cell)) for cell in row))
    console = Console(file=sys.stdout, width=max(width, needed) if width else 10_000, force_terminal=width is not None,
                      highlight=False)
    with console.capture() as drawn:
        if title:
            console.print(Text(title, style="bold"))
        console.print(shown)
    sys.stdout.write("\n".join(line.rstrip() for line in drawn.get().split("\n")))
    sys.stdout.flush()


def _text(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float):
        return f"{cell:.4f}"
    return f"{cell:,}" if isinstance(cell, int) else printable(cell)


def _width(stream: IO[str]) -> int | None:
    """Columns of the terminal behind `stream`; None where there is none that could show a table or a bar."""
    if not stream.isatty():
        return None
    try:
        columns = int(os.environ.get("COLUMNS") or os.get_terminal_size(stream.fileno()).columns)
    except (OSError, ValueError):
        return None
    return columns if columns >= NARROW else None


def _lines() -> Progress:
    """Silent for quick steps; a slow one says where it is every few seconds."""
    last: dict[str, float] = {}
    lock = threading.Lock()

    def shown(what: str, done: int, total: int) -> None:
        now = time.monotonic()
        with lock:
            due = now - last.setdefault(what, now) >= SECONDS
            if due:
                last[what] = now
        if due:
            complain(f"{what}: {done:,} of {total:,}" if total else f"{what}: {done:,}")

    return shown


@contextmanager
def _bars() -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    tasks: dict[str, TaskID] = {}
    lock = threading.Lock()
    bars = Bars(TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
                console=Console(file=sys.stderr), transient=True, redirect_stdout=sys.stdout.isatty())

    def shown(what: str, done: int, total: int) -> None:
        with lock:
            if what not in tasks:
                tasks[what] = bars.add_task(what)
            finished = bool(total) and done >= total
            bars.update(tasks[what], completed=done, total=total or None, visible=not finished)
            if finished:
                bars.remove_task(tasks.pop(what))

    with bars:
        yield shown
