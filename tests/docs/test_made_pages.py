"""Pages that a script makes are what it makes now."""

from __future__ import annotations

import re

from scripts import model_pages, reference_pages

from matinee import catalog
from matinee.evaluation.names import KNOWN
from tests.docs.pages import commands_of
from tests.docs.running import parsed, words_of


def test_the_pages_of_models_and_the_reference_are_of_the_code() -> None:
    made = model_pages.pages()
    stale = [path.name for path, text in made.items() if not path.is_file() or path.read_text() != text]
    assert stale == [], "make pages makes them anew"
    there = {path for folder in (model_pages.FOLDER, reference_pages.FOLDER) for path in folder.iterdir()}
    assert there == made.keys()


def test_the_reference_holds_every_model_verb_and_metric() -> None:
    told = (model_pages.FOLDER / "README.md").read_text()
    assert re.findall(r"^\| \[(\w+)\]\(\1\.md\)", told, re.M) != []
    assert set(re.findall(r"^\| \[(\w+)\]", told, re.M)) == set(catalog.names())
    keys = (reference_pages.FOLDER / "experiment-file.md").read_text()
    assert [name for name in KNOWN if f"`{name}`" not in keys] == []
    assert "### matinee ledger\n" in (reference_pages.FOLDER / "command-line.md").read_text()


def test_the_commands_of_the_models_pages_are_understood() -> None:
    pages = [f"docs/models/{name}.md" for name in catalog.names()]
    commands = [command for page in pages for command in commands_of(page)]
    assert len(commands) == len(pages) - 1  # all but the second stage, which fits nothing by itself
    for command in commands:
        words = words_of(command)
        assert words is not None
        parsed(words)


def test_words_keep_their_signs() -> None:
    assert model_pages.prose("as *means*\nCost: a < b, <b> and `x * <y>`\n\n    a * b") \
        == "as \\*means\\*\n\nCost: a < b, \\<b> and `x * <y>`\n\n    a * b"
    assert reference_pages.cell("one |\n two") == "one \\| two"

