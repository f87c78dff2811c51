"""The frame of the command: verbs load when used, every ending is one line and an exit code."""

from __future__ import annotations

import errno
import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable

import pytest
import typer

from matinee.cli.main import VERBS, Options, anywhere
from matinee.errors import ConfigError, DataError, Degraded, MatineeError, ModelError, Place, ResourceError, UsageError
from tests.cli.commands import Said, matinee, process, verb

__all__ = ["matinee", "verb"]

Matinee = Callable[..., Said]
Verb = Callable[[Callable[[], None]], None]


def test_help_lists_every_verb_that_there_is(matinee: Matinee) -> None:
    said = matinee("--help")
    assert said.code == 0
    assert said.err == ""
    for name in VERBS:
        assert f"\n  {name} " in said.out
    assert matinee("-h") == said
    assert matinee() == said
    for words in (["--help"], ["demo", "--help"]):
        assert "about a minute" in matinee(*words).out


def test_a_verb_without_its_file_is_not_listed(matinee: Matinee, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(VERBS, "juggle", "keep three films in the air")
    assert "juggle" not in matinee("--help").out
    assert matinee("juggle").error.startswith("unknown-verb: there is no verb 'juggle'")


@pytest.mark.parametrize("name", VERBS)
def test_every_verb_explains_itself(matinee: Matinee, name: str) -> None:
    said = matinee(name, "--help")
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith(f"Usage: matinee {name}")
    assert matinee(name, "-h") == said


def test_help_takes_less_than_half_a_second() -> None:
    def seconds() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert process("--help").returncode == 0
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    assert min(seconds() for _ in range(3)) < 0.5


def test_the_version(matinee: Matinee) -> None:
    said = matinee("--version")
    assert said.code == 0
    assert said.out.startswith("matinee 0.")


def test_an_unknown_verb_is_named_with_the_nearest(matinee: Matinee) -> None:
    said = matinee("modles")
    assert (said.code, said.out) == (2, "")
    assert said.error == "unknown-verb: there is no verb 'modles'; did you mean models?"


def test_an_unknown_option_is_named_with_the_nearest(matinee: Matinee) -> None:
    said = matinee("run", "x.yaml", "--agian")
    assert said.code == 2
    assert said.error == "usage: No such option: --agian (Possible options: --again); see matinee run --help"
    assert matinee("--agian").error.endswith("see matinee --help")


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["run"], "usage: Missing argument 'file'; see matinee run --help"),
        (["run", "a", "b"], "usage: Got unexpected extra argument(s) (b); see matinee run --help"),
        (["run", "a", "--threads", "0"], "usage: Invalid value for '--threads': "),
        (["ledger", "add", "a"], "usage: Missing option '--member' (env var: 'MATINEE_MEMBER'); "
                                 "see matinee ledger add --help"),
        (["models", "--errors"], "usage: --errors takes text or json, not ''; such as --errors json"),
        (["--errors=xml"], "usage: --errors takes text or json, not 'xml'; such as --errors json"),
    ],
)
def test_wrong_words_are_usage_errors(matinee: Matinee, words: list[str], text: str) -> None:
    said = matinee(*words)
    assert said.code == 2
    assert said.error.startswith(text)


def test_the_way_out_is_the_help_of_the_verb_within_the_verb(matinee: Matinee) -> None:
    for words, path in ((["ledger", "rules", "--quota", "-1"], "ledger rules"), (["ledger", "adds"], "ledger"),
                        (["ledger", "score", "1", "0,16"], "ledger score"),
                        (["--agian", "ledger", "add"], ""), (["ledger", "add", "--memer", "kim"], "ledger add")):
        assert matinee(*words).error.endswith(f"; see matinee {path} --help".replace("  ", " "))


@pytest.mark.parametrize(("words", "lines"), [
    (["ledger"], ["matinee ledger add movierec-1a2b3c4d/blend --member kim", "matinee ledger score 1 0.1601"]),
    (["evaluate"], ["matinee evaluate demo-1a2b3c4d",
                    "matinee evaluate lists.csv --truth hidden.csv --metric recall@10"]),
    (["runs", "table"], ["matinee runs table movierec-1a2b3c4d --format latex -o table.tex"]),
])
def test_each_example_in_a_help_has_a_line_of_its_own(matinee: Matinee, words: list[str], lines: list[str]) -> None:
    said = matinee(*words, "--help").out
    assert "\n\n" + "".join(f"  {line}\n" for line in lines) + "\n" in said
    assert "\b" not in said


def test_some_options_may_stand_anywhere() -> None:
    words = ["run", "--debug", "x.yaml", "--errors", "json", "--set", "a=1", "--quiet", "--", "--debug"]
    assert anywhere(words) == (
        Options(json=True, debug=True, quiet=True),
        ["run", "x.yaml", "--set", "a=1", "--", "--debug"],
    )
    assert anywhere(["--errors=text"]) == (Options(), [])


ENDINGS: list[tuple[BaseException, int, str]] = [
    (UsageError("a", "b", "c"), 2, "a: b; c"),
    (ConfigError("a", "b", "c", Place("f.yaml", 3, 4)), 2, "f.yaml:3:4: a: b; c"),
    (DataError("a", "b\x1b[31m", place="bad\nname.csv"), 3, "bad\\nname.csv: a: b\\x1b[31m"),
    (ModelError("a", "b"), 4, "a: b"),
    (ResourceError("a", "b"), 5, "a: b"),
    (
        Degraded("rows-skipped", "3 rows were skipped", "see rejects.csv"),
        6,
        "rows-skipped: 3 rows were skipped; see rejects.csv",
    ),
    (MatineeError("a", "b"), 1, "a: b"),
    (KeyboardInterrupt(), 130, "stopped: stopped before the end; what was done is kept; the same command goes on"),
    (MemoryError(), 5, "out-of-memory: the memory is used up; use less data or a smaller model"),
    (
        OSError(errno.ENOSPC, "No space left on device", "/x/y"),
        5,
        "/x/y: machine: No space left on device; free some space, then run the same command again",
    ),
    (
        PermissionError(errno.EACCES, "Permission denied", "/x\x07"),
        5,
        "/x\\x07: machine: Permission denied; choose another place, or ask for the permission",
    ),
    (
        FileNotFoundError(errno.ENOENT, "No such file or directory", "/x"),
        1,
        "fault: FileNotFoundError: [Errno 2] No such file or directory: '/x'; "
        "this is a fault of matinee: --debug shows where, please report it",
    ),
    (
        ZeroDivisionError("by\nzero"),
        1,
        "fault: ZeroDivisionError: by\\nzero; this is a fault of matinee: --debug shows where, please report it",
    ),
    (RecursionError(), 1, "fault: RecursionError: ; this is a fault of matinee: --debug shows where, please report it"),
]


@pytest.mark.parametrize(("error", "code", "line"), ENDINGS)
def test_every_ending_is_one_line_and_a_code(
    matinee: Matinee, verb: Verb, error: BaseException, code: int, line: str
) -> None:
    def fail() -> None:
        typer.echo("some work")
        raise error

    verb(fail)
    said = matinee("models")
    assert said == Said(code, "some work\n", line + "\n")
    as_json = json.loads(matinee("models", "--errors", "json").error)
    assert as_json["exit"] == code
    assert set(as_json) == {"code", "what", "way", "file", "line", "column", "exit"}
    debugged = matinee("--debug", "models")
    assert debugged.code == code
    assert debugged.err.startswith("Traceback")
    assert debugged.err.endswith(line + "\n")


def test_an_exit_code_of_a_verb_is_kept(matinee: Matinee, verb: Verb) -> None:
    def leave() -> None:
        raise typer.Exit(3)

    verb(leave)
    assert matinee("models") == Said(3, "", "")


def test_sigterm_ends_in_order_with_143() -> None:
    code = """
import signal, sys, time, typer
import matinee.cli.models
from matinee.cli.main import main
app = typer.Typer()
@app.command()
def wait():
    try:
        print("ready", flush=True)
        time.sleep(30)
    finally:
        print("closed", flush=True)
matinee.cli.models.app = app
sys.exit(main(["models"]))
"""
    for sent, expected in ((signal.SIGTERM, 143), (signal.SIGINT, 130)):
        running = subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert running.stdout is not None
        assert running.stdout.readline() == "ready\n"
        running.send_signal(sent)
        out, err = running.communicate(timeout=10)
        assert (running.returncode, out) == (expected, "closed\n")
        assert err == "stopped: stopped before the end; what was done is kept; the same command goes on\n"


def test_the_handler_of_sigterm_is_given_back(matinee: Matinee) -> None:
    before = signal.getsignal(signal.SIGTERM)
    matinee("--version")
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_full_disk_behind_stdout_is_said() -> None:
    done = process("--help", shell="> /dev/full")
    assert done.returncode == 5
    assert done.stderr.decode() == (
        "machine: No space left on device; free some space, then run the same command again\n"
    )


@pytest.mark.parametrize("verb", ["sys.stdout.write('한' * 10)", "typer.echo('한' * 100_000)"])
def test_a_reader_that_has_gone_is_no_fault(verb: str) -> None:
    code = f"""
import sys, typer
import matinee.cli.models
from matinee.cli.main import main
app = typer.Typer()
app.command()(lambda: {verb} and None)
matinee.cli.models.app = app
sys.exit(main(["models"]))
"""
    gone, end = os.pipe()
    os.close(gone)
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    done = subprocess.run([sys.executable, "-c", code], stdout=end, stderr=subprocess.PIPE, env=buffered, check=False)
    os.close(end)
    assert (done.returncode, done.stderr) == (0, b"")


def test_closed_streams_are_no_fault() -> None:
    for shell in (">&-", "2>&-", ">&- 2>&-"):
        assert process("--help", shell=shell).returncode == 0
        assert process("nonsense", shell=shell).returncode == 2


def test_the_script_and_the_module_are_the_same_command() -> None:
    script = os.path.join(os.path.dirname(sys.executable), "matinee")
    assert (
        subprocess.run([script, "--help"], capture_output=True, timeout=20, check=True).stdout
        == process("--help").stdout
    )
