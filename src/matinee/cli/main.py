"""`matinee <verb>`: verbs load when used, and one place turns every exception into a line and an exit code.

Each verb is a file beside this one with a `typer.Typer` called `app`. It parses, calls one function of the
package and prints; it raises what the package raises, and `Degraded` as its last act where the work is
done but less well than asked.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from types import FrameType, TracebackType
from typing import Any

import typer
from typer.core import TyperGroup

from matinee.cli import terminal
from matinee.errors import (
    ConfigError,
    DamagedWarning,
    Degraded,
    MatineeError,
    Place,
    ResourceError,
    UsageError,
    nearest,
)
from matinee.nn import processes

VERBS = {
    "demo": "the main job on the embedded data, in about a minute",
    "run": "carry out an experiment file",
    "tune": "search the hyper-parameters of an experiment's models",
    "models": "list the models, or explain one",
    "data": "describe, convert, sample or split a data set",
    "fit": "fit one model: a run of one entry",
    "evaluate": "measure a run's lists, or lists from a file",
    "runs": "list, compare and conclude runs, and write a table for a README",
    "compare": "say whether one entry is better than another",
    "ensemble": "combine stored lists; nothing is fitted again",
    "recommend": "lists from a stored model",
    "similar": "the items most like one item",
    "ledger": "keep submissions, their scores and quotas; does offline predict public?",
    "submission": "check a submission file",
    "track": "bring the mirror of runs in MLflow up to date",
    "reproduce": "repeat a run, or an archive of one, and compare it bit by bit",
    "pack": "pack a run into one archive that reproduces elsewhere",
}

ANYWHERE = {
    "--errors text|json": "how an error is written: a line of words, or a line of JSON",
    "--debug": "show the traceback of an error too",
    "--quiet": "no progress and no notes, only results and errors",
    "--version": "print the version",
    "-h, --help": "explain the verb",
}


SPACE = "free some space, then run the same command again"
PERMISSION = "choose another place, or ask for the permission"

MACHINE = {
    errno.ENOSPC: SPACE,
    errno.EDQUOT: SPACE,
    errno.EACCES: PERMISSION,
    errno.EPERM: PERMISSION,
    errno.EROFS: PERMISSION,
    errno.EIO: "the disk failed: copy what you can, then look at the machine's log",
    errno.EMFILE: "raise the limit of open files (ulimit -n)",
    errno.ENOMEM: "use less data or a smaller model",
}
"""Errors of the system that are no fault of ours, and the way out of each."""


class Terminated(BaseException):
    """A stop by SIGTERM."""


@dataclass(frozen=True)
class Options:
    """What may stand anywhere on the line."""

    json: bool = False
    debug: bool = False
    quiet: bool = False
    version: bool = False


def main(argv: Sequence[str] | None = None) -> int:
    """The command `matinee`; returns the exit code."""
    _make_streams_safe()
    ending = Ending()
    with _termination(), _warnings(ending), ending:
        ending.options, words = anywhere(sys.argv[1:] if argv is None else argv)
        ending.verb = next((word for word in words if word in VERBS), "")
        with terminal.quieter(ending.options.quiet or processes.rank() > 0):
            if ending.options.version:
                typer.echo(f"matinee {version('matinee')}")
            else:
                _run(words or ["--help"])
            sys.stdout.flush()
    return ending.code


def anywhere(argv: Sequence[str]) -> tuple[Options, list[str]]:
    """The options that may stand anywhere before `--`, and the words that are left."""
    rest: list[str] = []
    found = {"json": False}
    words = iter(argv)
    for word in words:
        if word == "--":
            return Options(**found), [*rest, word, *words]
        if word in {"--debug", "--quiet", "--version"}:
            found[word[2:]] = True
        elif word == "--errors" or word.startswith("--errors="):
            value = word.partition("=")[2] if "=" in word else next(words, "")
            if value not in {"json", "text"}:
                raise UsageError("usage", f"--errors takes text or json, not {value!r}", "such as --errors json")
            found["json"] = value == "json"
        else:
            rest.append(word)
    return Options(**found), rest


class Ending:
    """Takes whatever ends a command, says it in one line on stderr, and keeps the exit code."""

    def __init__(self) -> None:
        self.code = 0
        self.options = Options()
        self.verb = ""
        self.damage: list[str] = []

    def __enter__(self) -> Ending:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if error is None and self.damage:
            error = Degraded("damaged", f"done, and nothing is lost, but {'; '.join(self.damage)}",
                             "look at the disk; the same command need not be given again")
        if error is None:
            return True
        if isinstance(error, typer.Exit):
            self.code = error.exit_code
        elif isinstance(error, BrokenPipeError):  # whoever read us has had enough
            _forget(sys.stdout)
        else:
            told = _as_told(error, self.verb)
            self.code = told.exit_code
            if self.options.debug:
                traceback.print_exception(error)
            terminal.complain(told.as_json() if self.options.json else str(told))
        return True


def _as_told(error: BaseException, verb: str) -> MatineeError:
    """The same fact as an error of ours."""
    if isinstance(error, MatineeError):
        return error
    if isinstance(error, typer.TyperException):
        what, context = " ".join(error.format_message().split()).rstrip("."), vars(error).get("ctx")
        words = context.command_path if context else f"matinee {verb}".strip()
        return UsageError("usage", what, f"see {words} --help")
    if isinstance(error, KeyboardInterrupt | Terminated):
        told = MatineeError("stopped", "stopped before the end", "what was done is kept; the same command goes on")
        told.exit_code = 130 if isinstance(error, KeyboardInterrupt) else 143
        return told
    if isinstance(error, MemoryError):
        return ResourceError("out-of-memory", str(error) or "the memory is used up", "use less data or a smaller model")
    if isinstance(error, OSError) and error.errno in MACHINE:
        return ResourceError("machine", f"{error.strerror}", MACHINE[error.errno], error.filename)
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if frame.filename in outside_files():
            return ConfigError("bad-model", f"the model file raised {type(error).__name__}: {error}",
                               "mend it; --debug shows the traceback", Place(frame.filename, frame.lineno or 0))
    return MatineeError("fault", f"{type(error).__name__}: {error}",
                        "this is a fault of matinee: --debug shows where, please report it")


def outside_files() -> set[str]:
    """Model files from outside that this process has loaded or tried to."""
    catalog = sys.modules.get("matinee.catalog")
    return set(catalog.OUTSIDE) if catalog else set()


class Verbs(TyperGroup):
    """Lists verbs without importing one."""

    def list_commands(self, ctx: Any) -> list[str]:
        return [verb for verb in VERBS if find_spec(f"matinee.cli.{verb}")]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        command = typer.main.get_command(import_module(f"matinee.cli.{cmd_name}").app)
        _write_plainly(command)
        return command

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        known = self.list_commands(ctx)
        if args[0] not in known:
            raise UsageError("unknown-verb", f"there is no verb {args[0]!r}", nearest(args[0], known))
        return super().resolve_command(ctx, args)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        with formatter.section("Verbs"):
            formatter.write_dl([(verb, VERBS[verb]) for verb in self.list_commands(ctx)])
        with formatter.section("Options, anywhere on the line"):
            formatter.write_dl(list(ANYWHERE.items()))


HELP = {"help_option_names": ["-h", "--help"]}

app = typer.Typer(cls=Verbs, add_completion=False, rich_markup_mode=None, context_settings=HELP)


@app.callback()
def matinee() -> None:
    """Every user's top ten from interaction logs, and an honest account of how good those lists are."""


def _run(words: list[str]) -> None:
    command = typer.main.get_command(app)
    with command.make_context("matinee", words) as context:
        command.invoke(context)


def _write_plainly(command: Any) -> None:
    """Help as plain text for a verb and its sub-verbs: the same bytes in a terminal, a pipe and the docs.

    A paragraph of commands keeps its lines.
    """
    command.rich_markup_mode = None
    paragraphs = (command.help or "").split("\n\n")
    command.help = "\n\n".join(f"\b\n{one}" if one.startswith("matinee ") else one for one in paragraphs)
    command.context_settings = {**command.context_settings, **HELP}
    if isinstance(command, TyperGroup):
        for inner in command.commands.values():
            _write_plainly(inner)


def _make_streams_safe() -> None:
    """A pipe gets UTF-8 whatever the locale says; a stream that was closed before we began goes nowhere."""
    if processes.rank():  # process 0 speaks for all
        sys.stdout = None
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        elif stream.isatty():
            stream.reconfigure(errors="backslashreplace")
        else:
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def _forget(stream: Any) -> None:
    """What still waits in the buffer goes nowhere, so that the interpreter's last flush does not fail."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


@contextmanager
def _warnings(ending: Ending) -> Iterator[None]:
    """A warning is a line of words, and after one of damage the command ends as degraded."""

    def shown(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
        terminal.complain(f"warning: {message}")
        if issubclass(category, DamagedWarning):
            ending.damage.append(str(message))

    before = warnings.showwarning
    warnings.showwarning = shown
    try:
        yield
    finally:
        warnings.showwarning = before


@contextmanager
def _termination() -> Iterator[None]:
    """SIGTERM raises, as Ctrl-C does, so that whatever is open is closed in order."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        raise Terminated

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
