"""What is shown on a terminal, in a pipe, and where nobody can hear."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
import threading
from collections.abc import Callable

import pytest
from rich.cells import cell_len

from matinee.cli import terminal

ROWS: list[list[terminal.Cell]] = [["ease", 0.25, 1234, "영화"], ["als", None, 7, "[bold]\x1b[31m"]]


def test_a_table_in_a_pipe_is_plain_and_as_wide_as_it_needs(capsys: pytest.CaptureFixture[str]) -> None:
    columns = ["model", "recall@10", "users", "title"]
    terminal.table("best first of all models, by recall", columns, [*ROWS, ["x" * 300, 1.0, 1, "y"]])
    out = capsys.readouterr().out
    title, header, *rows = out.splitlines()
    assert title == "best first of all models, by recall"
    assert "\x1b" not in out
    assert not any(line.endswith(" ") for line in (title, header, *rows))
    assert header.split() == ["model", "recall@10", "users", "title"]
    assert [row.split() for row in rows] == [
        ["ease", "0.2500", "1,234", "영화"],
        ["als", "7", "[bold]\\x1b[31m"],
        ["x" * 300, "1.0000", "1", "y"],
    ]
    assert header.index("recall@10") + len("recall@10") == rows[0].index("0.2500") + len("0.2500"), (
        "numbers to the right"
    )


def test_a_table_without_rows_is_its_header(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.table("a table of nothing", ["a", "b"], [])
    assert capsys.readouterr().out.splitlines() == ["a table of nothing", "a  b"]


def on_a_terminal(code: str, **environment: str) -> tuple[int, str]:
    """Run `code` in a process whose stdout and stderr are a terminal of 80 columns."""
    leader, follower = pty.openpty()
    running = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=follower,
        stderr=follower,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "COLUMNS": "80", "TERM": "xterm", **environment},
    )
    os.close(follower)
    said = bytearray()
    reader = threading.Thread(target=lambda: said.extend(_drain(leader)))
    reader.start()
    code_ = running.wait(timeout=20)
    reader.join(timeout=5)
    os.close(leader)
    return code_, said.decode()


def _drain(leader: int) -> bytes:
    parts = []
    try:
        while part := os.read(leader, 65536):
            parts.append(part)
    except OSError:  # the other end is closed
        pass
    return b"".join(parts)


BARS = """
import time
from matinee.cli import terminal
with terminal.progress() as progress:
    for n in range(4):
        progress("fit [ease]", n, 3)
        terminal.note(f"note {n}")
        time.sleep(0.12)
    progress("counting", 5, 0)
terminal.table("시험", ["model", "score"], [["ease", 0.5]])
"""


def test_a_terminal_gets_bars_notes_and_a_table() -> None:
    code, said = on_a_terminal(BARS)
    assert code == 0, said
    assert "fit [ease]" in said, "square brackets are no markup"
    assert "note 3" in said
    assert "━" in said
    assert "0.5000" in said


@pytest.mark.parametrize(
    "environment", [{"COLUMNS": "1"}, {"TERM": "dumb"}, {"LC_ALL": "C", "LANG": "C"}, {"NO_COLOR": "1"}]
)
def test_a_poor_terminal_is_no_fault(environment: dict[str, str]) -> None:
    code, said = on_a_terminal(BARS, **environment)
    assert code == 0, said
    assert "0.5000" in said
    able = environment.keys() <= {"LC_ALL", "LANG", "NO_COLOR"}
    assert ("━" in said) == able
    assert ("\x1b" in said) == able


def test_a_terminal_that_cannot_show_a_letter_gets_its_number() -> None:
    code, said = on_a_terminal(
        "from matinee.cli import main, terminal as t\nmain._make_streams_safe()\nt.say('영')\nt.complain('화')",
        PYTHONIOENCODING="ascii",
    )
    assert (code, said.split()) == (0, ["\\uc601", "\\ud654"])


def test_without_a_terminal_only_a_slow_step_says_where_it_is(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(range(0, 100, 2))
    monkeypatch.setattr(terminal.time, "monotonic", lambda: float(next(clock)))
    with terminal.progress() as progress:
        for n in range(8):
            progress("fit", n, 8000)
        progress("reading", 5, 0)
    assert capsys.readouterr() == ("", "fit: 3 of 8,000\nfit: 6 of 8,000\n")


def test_progress_may_be_told_by_many_threads() -> None:
    with terminal.progress() as progress:
        threads = [threading.Thread(target=lambda: [progress("fit", n, 500) for n in range(500)]) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def test_quiet_keeps_results_and_complaints(capsys: pytest.CaptureFixture[str]) -> None:
    with terminal.quieter(True):
        terminal.note("hm")
        with terminal.progress() as progress:
            progress("fit", 1, 2)
        terminal.say("result")
        terminal.complain("broken")
    terminal.note("again")
    assert capsys.readouterr() == ("result\n", "broken\nagain\n")


@pytest.mark.parametrize("tell", [terminal.say, terminal.note, terminal.complain])
def test_nothing_that_is_said_drives_the_terminal(
    tell: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    tell("a\x1b[31m\x07b\nc")
    assert "".join(capsys.readouterr()) == "a\\x1b[31m\\x07b\nc\n"


NARROW_TABLE = """
from matinee.cli import terminal
terminal.table("", ["run", "made", "best", "figure", "question", "member"], [
    ["ease-embedded-movietweetings-2606590a/als", "2026-11-28T01:14", "ease", "recall@10 0.4253 [0.3900, 0.4611]",
     "이 영화는 누가 왜 좋아하는가? " * 5, "김철수"],
    ["demo-1a2b3c4d/blend", "2026-11-28T01:15", "blend", "recall@10 0.4253 [0.3900, 0.4611]", "", "lee"]])
"""


@pytest.mark.parametrize("columns", ["40", "60", "110", "200"])
def test_ids_stay_in_one_piece_and_sentences_go_over_lines(columns: str) -> None:
    code, said = on_a_terminal(NARROW_TABLE, COLUMNS=columns)
    assert code == 0, said
    for word in ("ease-embedded-movietweetings-2606590a/als", "2026-11-28T01:14", "demo-1a2b3c4d/blend", "김철수"):
        assert word in said
    assert len(said.splitlines()) > 6, "the question goes over several lines"
    if int(columns) >= 110:
        plain = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in said.splitlines()]
        assert max(cell_len(line) for line in plain) <= int(columns)
