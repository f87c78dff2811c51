"""The pages of the documentation as tests read them: blocks of code, commands, headings, links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
SHELL = ("", "sh", "bash", "text")
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
_INDENTED = re.compile(r"(?<=\n\n)((?: {4}\S.*\n)+)")
_PROGRAMS = r"matinee|make|python3?|pip|mlflow|export|torchrun|git|source|[\w/.]+/pip|MATINEE_\w+=.*"
_COMMAND = re.compile(rf"({_PROGRAMS})(\s|$)")
_NAMED = re.compile(r"`([\w-]+\.\w+)`[^`\n]*:\s*$")


@dataclass(frozen=True)
class Block:
    language: str
    text: str
    line: int
    """Of the page, where the block begins."""
    file: str = ""
    """As which the line before says that it is saved: "Save this as `films.csv`:"."""


def all_pages() -> list[str]:
    """Every page that people write; those that a script makes are held to the script."""
    made = ("docs/results/", "docs/models/", "docs/reference/")
    found = [path.relative_to(ROOT).as_posix() for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]]
    return sorted(page for page in found if not page.startswith(made))


def blocks_of(page: str) -> list[Block]:
    """The fenced blocks of a page in order."""
    text = (ROOT / page).read_text()
    found = []
    for match in _FENCE.finditer(text):
        named = None
        if match[1] not in (*SHELL, "python"):
            named = _NAMED.search(text[: match.start()].rstrip().rpartition("\n")[2])
        line = text.count("\n", 0, match.start()) + 1
        found.append(Block(match[1], match[2], line, named[1] if named else ""))
    return found


def shell_lines(text: str) -> Iterator[str]:
    """The lines of a block, those that end in a backslash joined with the next; comments stay."""
    for line in re.sub(r"\\\n\s*", "", text).splitlines():
        if line.strip() and not line.startswith("#"):
            yield line.strip()


def commands_of(page: str) -> list[str]:
    """Each line of a page that is given to a shell, indented blocks included."""
    texts = [block.text for block in blocks_of(page) if block.language in SHELL]
    return [line for text in [*texts, *_INDENTED.findall(without_blocks(page))] for line in commands_in(text)]


def commands_in(text: str) -> list[str]:
    """Without the lines that show what a command says."""
    return [line for line in shell_lines(text) if _COMMAND.match(line)]


def without_comment(line: str) -> str:
    """A command as a shell takes it: what stands after `#` is for the reader."""
    return re.sub(r"\s+#\s.*$", "", line)


def without_blocks(page: str) -> str:
    """The page's prose: what looks like a heading inside a block is a comment."""
    return _FENCE.sub("", (ROOT / page).read_text())


def headings_of(page: str) -> list[int]:
    """The level of each heading in order."""
    return [len(signs) for signs in re.findall(r"^(#+) ", without_blocks(page), re.M)]


def links_of(page: str) -> list[str]:
    """Where the links and pictures of a page lead, pictures with a `!` before."""
    return [mark + target for mark, target in re.findall(r"(!?)\[[^\]]*\]\(([^)]+)\)", without_blocks(page))]
