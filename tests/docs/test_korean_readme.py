"""README.ko.md says what README.md says: the same headings, commands, links, pictures and figures."""

from __future__ import annotations

import re

from scripts.readme_table import TITLES, renewed

from tests.docs.pages import ROOT, blocks_of, headings_of, links_of, without_comment

ENGLISH, KOREAN = "README.md", "README.ko.md"


def commands(page: str) -> list[tuple[str, list[str]]]:
    return [(block.language, [line if block.language else without_comment(line) for line in block.text.splitlines()])
            for block in blocks_of(page)]


def test_the_headings_are_of_the_same_levels() -> None:
    assert headings_of(KOREAN) == headings_of(ENGLISH)
    assert len(headings_of(ENGLISH)) > 3


def test_the_commands_are_the_same_byte_for_byte() -> None:
    assert commands(KOREAN) == commands(ENGLISH)
    inline = [sorted(re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", (ROOT / page).read_text(), flags=re.S)))
              for page in (KOREAN, ENGLISH)]
    assert inline[0] == inline[1]


def test_every_comment_of_the_commands_is_translated() -> None:
    said = [[line.partition(" # ")[2] for block in blocks_of(page) if not block.language
             for line in block.text.splitlines()] for page in (KOREAN, ENGLISH)]
    assert [bool(one) for one in said[0]] == [bool(one) for one in said[1]]
    assert all(re.search("[가-힣]", one) for one in said[0] if one)


def test_the_links_and_pictures_are_the_same() -> None:
    each_other = {KOREAN: ENGLISH, ENGLISH: KOREAN}
    found = {page: links_of(page) for page in each_other}
    for page, other in each_other.items():
        assert other in found[page]
        found[page].remove(other)
    assert found[KOREAN] == found[ENGLISH]
    assert any(link.startswith("!") for link in found[ENGLISH])


def test_the_figures_are_the_same() -> None:
    assert renewed(KOREAN) == (ROOT / KOREAN).read_text()
    tables = [[line for line in (ROOT / page).read_text().splitlines() if line.startswith("|")]
              for page in (KOREAN, ENGLISH)]
    assert tables[0][1:] == tables[1][1:]
    assert tables[0][0].count("|") == tables[1][0].count("|")
    assert len(TITLES[KOREAN]) == len(TITLES[ENGLISH])
