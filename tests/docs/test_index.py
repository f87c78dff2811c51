"""Every page can be found from docs/README.md, and links lead to headings that there are."""

from __future__ import annotations

import re

from tests.docs.pages import ROOT, all_pages, links_of, without_blocks


def test_every_page_is_in_the_index() -> None:
    linked = {(ROOT / "docs" / link.partition("#")[0]).resolve() for link in links_of("docs/README.md")}
    assert [page for page in all_pages() if page.startswith("docs/") and page != "docs/README.md"
            and (ROOT / page).resolve() not in linked] == []


def anchors(page: str) -> set[str]:
    """Of the headings of a page, as GitHub writes them."""
    headings = re.findall(r"^#+ (.*)$", without_blocks(page), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_links_into_pages_find_their_heading() -> None:
    for page in all_pages():
        for link in links_of(page):
            place, _, anchor = link.partition("#")
            if anchor and not place.startswith("http"):
                target = ((ROOT / page).parent / place).resolve() if place else ROOT / page
                assert anchor in anchors(target.relative_to(ROOT).as_posix()), f"{page} -> {link}"
