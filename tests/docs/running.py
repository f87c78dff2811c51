"""Does what a page says, block by block in order, in the folder where one stands."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest
import typer

from matinee.cli.main import anywhere, app, main
from matinee.config import Experiment, load_experiment
from tests.docs.pages import SHELL, Block, commands_in, without_comment

RUN = re.compile(r"\b([a-z][\w.-]*)-1a2b3c4d\b")
"""How pages write a run's folder; the digits are others on each machine."""


class Walk:
    """One page: a namespace for all its Python, a folder for all its files, and what was said last."""

    def __init__(self, capsys: pytest.CaptureFixture[str], too_dear: Collection[str] = ()) -> None:
        self.capsys, self.too_dear = capsys, too_dear
        self.names: dict[str, Any] = {"__name__": "page"}
        self.said = ""

    def take(self, block: Block) -> None:
        if block.file or block.language == "yaml":
            named = re.match(r"name: (\w+)$", block.text, re.M)
            Path(block.file or f"{named[1] if named else 'part'}.yaml").write_text(block.text, encoding="utf-8")
        elif block.language == "python":
            self.capsys.readouterr()
            exec(compile(with_runs(block.text), f"line {block.line}", "exec"), self.names)
            self.said = "".join(self.capsys.readouterr())
        elif block.language in SHELL:
            commands = commands_in(block.text)
            for command in commands:
                self.carry_out(command)
            if not commands and block.language == "text":
                self.compare(block)

    def carry_out(self, command: str) -> None:
        """`# ends with 3` behind a command says that it is to fail, and how."""
        asked = re.search(r"# ends with (\d+)", command)
        words = words_of(with_runs(command))
        if words is None or without_comment(command) in self.too_dear:
            return
        self.capsys.readouterr()
        code = main(words)
        self.said = "".join(self.capsys.readouterr())
        assert code == int(asked[1] if asked else 0), f"{command}\n{self.said}"

    def compare(self, block: Block) -> None:
        """Every line that the page shows was said, up to figures behind a decimal point."""
        said = {plain(line) for line in self.said.splitlines()}
        shown = [line for line in block.text.splitlines() if line.strip() not in ("", "...")]
        missing = [line for line in shown if plain(line) not in said]
        assert not missing, f"line {block.line}: {missing} is not in\n{self.said}"


def plain(line: str) -> str:
    line = re.sub(r"-[0-9a-f]{8}\b", "-1a2b3c4d", line.strip())
    return re.sub(r"\s+", " ", re.sub(r"\d+\.\d+", "#", line))


def words_of(command: str) -> list[str] | None:
    """The words after `matinee`; None for another program."""
    words = shlex.split(without_comment(command))
    while words and "=" in words[0] and words[0].split("=")[0].isupper():
        words = words[1:]
    return words[1:] if words and words[0] == "matinee" else None


def with_runs(text: str) -> str:
    """The folders that are there in place of those on the page."""

    def found(match: re.Match[str]) -> str:
        folders = sorted(Path("runs").glob(f"{match[1]}-????????"), key=lambda folder: folder.stat().st_mtime)
        return folders[-1].name if folders else match[0]

    return RUN.sub(found, text)


def parsed(words: list[str]) -> None:
    """As far as the options of the verb: raises what a wrong one raises."""
    command: Any = typer.main.get_command(app)
    options, words = anywhere(words)
    if options.version:
        return
    context = command.make_context("matinee", words)
    while hasattr(command, "list_commands"):
        rest = [*context._protected_args, *context.args]
        if not rest:
            return
        name, command, rest = command.resolve_command(context, rest)
        context = command.make_context(name, rest, parent=context)


def experiment_of(text: str, before: str, folder: Path) -> Experiment:
    """The experiment in a block. What is only a part of one is completed; entries go among the models of `before`."""
    if text.startswith("  - "):
        head, at, tail = before.partition("ensembles:")
        text = head + text + at + tail if "models:" in head else "models:\n" + text
    for key, usual in (("name", "name: guide"), ("data", "data: {path: here}"), ("models", "models: [popularity]")):
        if not re.search(rf"^{key}:", text, re.M):
            text = f"{usual}\n{text}"
    file = folder / "page.yaml"
    file.write_text(text, encoding="utf-8")
    return load_experiment(file)
