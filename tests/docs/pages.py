"""The pages of the documentation as tests read them: blocks of code, headings, links."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)


@dataclass(frozen=True)
class Block:
    language: str
    text: str
    line: int
    """Of the page, where the block begins."""


def blocks_of(page: str) -> list[Block]:
    """The fenced blocks of a page in order."""
    text = (ROOT / page).read_text()
    return [Block(found[1], found[2], text.count("\n", 0, found.start()) + 1) for found in _FENCE.finditer(text)]


def without_blocks(page: str) -> str:
    """The page's prose: what looks like a heading inside a block is a comment."""
    return _FENCE.sub("", (ROOT / page).read_text())


def headings_of(page: str) -> list[int]:
    """The level of each heading in order."""
    return [len(signs) for signs in re.findall(r"^(#+) ", without_blocks(page), re.M)]


def links_of(page: str) -> list[str]:
    """Where the links and pictures of a page lead, pictures with a `!` before."""
    return [mark + target for mark, target in re.findall(r"(!?)\[[^\]]*\]\(([^)]+)\)", without_blocks(page))]
