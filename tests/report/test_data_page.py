"""The page of a data set: captions with figures, advice whose figures stand where it points, nothing from outside."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from matinee.data.columns import Categories, Features, Texts
from matinee.data.dataset import Dataset
from matinee.data.load import load
from matinee.report.data.of_users import lasting_picture
from matinee.report.data.page import write_page
from matinee.report.data.parts import shown
from matinee.split import GapAndTail
from matinee.survey.taste import taste
from matinee.survey.whole import survey
from tests.architecture.source import PROJECT as ROOT
from tests.survey.logs import I, dataset, events

HOSTILE = ("<script>alert(1)</script>", "<img src=x onerror=alert(1)>", '"><u>', "영화 & 친구", "a $1 and a $2", "_x",
           "\x1b[31mred", "\u202eevil", "{{ 7 * 7 }}", "`code`", "&lt;", "", "x" * 500)
SUBJECTS = ("activity", "seasons", "histories", "sittings", "ties", "taste", "popularity", "thresholds", "genres",
            "eras", "coverage", "hidden", "protocols", "findings")


@cache
def clean() -> dict[str, Any]:
    data = dataset(events(users=150, days=900))
    return survey(data, GapAndTail().split(data))


def page(found: dict[str, Any], folder: Path) -> str:
    write_page(found, folder / "page.html")
    return (folder / "page.html").read_text(encoding="utf-8")


def plain(html: str) -> str:
    """What is read, tags left out."""
    return re.sub(r"(\s|&nbsp;)+", " ", re.sub(r"<[^>]+>", " ", re.sub(r"<svg.*?</svg>", " ", html, flags=re.S)))


def part(html: str, subject: str) -> str:
    """The figure or table with an anchor."""
    begin = html.index(f'id="{subject}"')
    ends = [html.find(end, begin) for end in ("</figure>", "<h2", "</main>")]
    return plain(html[begin : min(end for end in ends if end > 0)])


def test_every_subject_has_its_place_and_a_caption_with_figures(tmp_path: Path) -> None:
    html = page(clean(), tmp_path)
    for subject in SUBJECTS:
        assert html.count(f'id="{subject}"') == 1
    captions = re.findall(r"</svg>\s*<figcaption>(.*?)</figcaption>", html, re.S)
    assert len(captions) == html.count("<svg")
    assert len(captions) >= 16
    for caption in captions:
        assert re.search(r"\d", caption), caption
        assert caption[0].isupper() or not caption[0].isalpha(), caption
    assert [place for place in re.findall(r'href="#([\w-]+)"', html) if f'id="{place}"' not in html] == []


def test_each_reason_is_a_figure_that_stands_where_it_points(tmp_path: Path) -> None:
    found = clean()
    html = page(found, tmp_path)
    reasons = [reason for one in found["advice"] for reason in one["because"]]
    assert len(reasons) >= 4
    for reason in reasons:
        there = part(html, reason["subject"])
        for number in re.findall(r"\d[\d,.]*\d|\d", reason["words"]):
            assert number in there, (reason, there)


def test_nothing_is_asked_from_outside(tmp_path: Path) -> None:
    html = page(clean(), tmp_path)
    assert "default-src 'none'" in html
    assert "<script" not in html
    assert re.findall(r"(?:src|srcset|action)=", html) == []
    assert set(re.findall(r'href="([^#"][^"]*)"', html)) == set()
    assert "@import" not in html
    assert re.findall(r"url\((?!#)", html) == []


def hostile() -> Dataset:
    base = dataset(events(users=80), titles=[HOSTILE[at % len(HOSTILE)] for at in range(I)])
    names = [HOSTILE[at % 11] or "none" for at in range(I)]
    genre = Categories.from_pairs(np.arange(I), names, I)
    features = Features(I, {**base.item_features.columns, "genre": genre, "<i>column</i>": Texts(("x",) * I)})
    return Dataset(base.log, base.users, base.items, features, base.user_features, base.facts)


def test_names_from_the_data_are_only_text(tmp_path: Path) -> None:
    data = hostile()
    html = page(survey(data, GapAndTail().split(data)), tmp_path)
    for bad in ("<script>alert", "<img", '"><u>', "<i>column", "\x1b", "\u202e"):
        assert bad not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "{{ 7 * 7 }}" in html
    assert re.search(r">\s*a \$1 and a \$2\s*</text>", html), "in a picture, and not as mathematics"
    assert "영화 &amp; 친구" in html


def test_long_names_are_cut() -> None:
    assert shown("x" * 500, 40) == "x" * 39 + "…"


@pytest.mark.parametrize(("rows", "side"), [
    ([(user, item, 0) for user, item, _ in events()], True),
    (events(), False),
    (events(users=2, items=4), False),
    ([(0, 0, 5), (0, 1, 9)], False),
    ([(0, 0, 0)], False),
    ([], False),
])  # fmt: skip
def test_what_the_data_cannot_tell_says_why(rows: list[Any], side: bool, tmp_path: Path) -> None:
    found = survey(dataset(rows, side=side), None, "nothing would be hidden")
    html = page(found, tmp_path)
    absent = [subject for subject in found.values() if isinstance(subject, dict) and "absent" in subject]
    assert absent
    for subject in absent if rows else ():
        assert f"Not shown: {subject['absent']}." in html
    assert "nan" not in plain(html).lower().replace("nann", "")


def test_the_page_is_made_of_the_figures_alone(tmp_path: Path) -> None:
    found = clean()
    assert page(json.loads(json.dumps(found)), tmp_path) == page(found, tmp_path)


def test_the_guide_tells_of_every_subject_and_shows_a_picture_of_the_page() -> None:
    guide = (ROOT / "docs/guides/data-report.md").read_text()
    named = re.findall(r"^\| `(\w+)` \|", guide, re.M)
    assert sorted(named) == sorted(clean())
    data = load("embedded:movietweetings")
    one = taste(data)["genres"]
    assert round(one["lasting"], 1) == 0.8
    assert (ROOT / "docs/pictures/data-report.svg").read_text() == lasting_picture(one)
