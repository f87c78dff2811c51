"""Run the command in this process or in one of its own, and catch what it says."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import typer

from matinee.cli.main import main


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """The one line on stderr."""
        (line,) = self.err.splitlines()
        return line


@pytest.fixture
def matinee(capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """The command, in this process."""

    def run(*words: str | Path) -> Said:
        code = main([str(word) for word in words])
        return Said(code, *capsys.readouterr())

    return run


@pytest.fixture
def verb(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], None]], None]:
    """Puts a function in the place of the verb `models`."""

    def put(function: Callable[[], None]) -> None:
        app = typer.Typer()
        app.command()(function)
        monkeypatch.setattr("matinee.cli.models.app", app)

    return put


def process(
    *words: str | Path, environment: Mapping[str, str] | None = None, shell: str = "", folder: Path | None = None
) -> subprocess.CompletedProcess[bytes]:
    """`python -m matinee ...` in a process of its own; `shell` is put behind it, such as `| head -1`."""
    command = [sys.executable, "-m", "matinee", *map(str, words)]
    if shell:
        quoted = " ".join(f"'{word}'" for word in command)
        command = ["bash", "-c", f"set -o pipefail; {quoted} {shell}"]
    return subprocess.run(
        command, capture_output=True, timeout=60, check=False, cwd=folder, env={**os.environ, **(environment or {})}
    )
