"""Names beside dots: none over another, all inside, and what is done where there is no room."""

from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from scripts import middle_or_next

from matinee.evaluation.rank_agreement import agreement
from matinee.experiment.ledger_agreement import Pair, Told, of_file
from matinee.report import pictures
from matinee.report.labels import DOT, Box, extent, placed
from matinee.report.ledger import scatter, write_page
from tests.architecture.source import PROJECT as ROOT

INSIDE = Box(0, 0, 500, 350)


def crowd(n: int, spread: float) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    return np.array([250, 175]) + spread * np.random.default_rng(n).standard_normal((n, 2))


@pytest.mark.parametrize(("n", "spread", "name"), [(40, 40, "40"), (12, 35, "12 run-1a2b/ease"), (3, 0, "영화 모델")])
def test_no_name_is_over_another_or_over_a_dot(n: int, spread: float, name: str) -> None:
    dots, size = crowd(n, spread), extent(name, 7)
    bar = Box(200, 174, 300, 176)
    found = [box for box in placed(dots, [size] * n, INSIDE, [bar]) if box]
    assert len(found) == n
    circles = [Box(x - DOT, y - DOT, x + DOT, y + DOT) for x, y in dots.tolist()]
    assert not any(one.over(other) for one, other in combinations(found, 2))
    assert not any(box.over(other) for box in found for other in [bar, *circles])
    assert all(box.within(INSIDE) for box in found)
    assert {(round(box.right - box.left, 6), round(box.high - box.low, 6)) for box in found} == {
        tuple(round(side, 6) for side in size)}


def test_where_not_all_have_room_some_are_named_if_asked() -> None:
    dots, sizes = crowd(300, 5), [extent("a long name", 7)] * 300
    assert 0 < sum(box is not None for box in placed(dots, sizes, INSIDE)) < 300
    assert sum(box is not None for box in placed(dots, sizes, INSIDE, some=True)) < 300


def written(picture: str, pattern: str) -> dict[str, Box]:
    """Of a picture's texts that match, each in the middle of its place."""
    found = {}
    texts = r'<text style="([^"]*)" x="([\d.]+)" y="([\d.]+)"[^>]*>([^<]*)</text>'
    for style, x, y, name in re.findall(texts, picture):
        if re.fullmatch(pattern, name):
            (size,) = re.findall(r"font-size: ([\d.]+)px", style)
            width = 0.6 * float(size) * len(name)
            found[name] = Box(float(x) - width / 2, float(y) - 0.75 * float(size), float(x) + width / 2, float(y))
    return found


@pytest.mark.parametrize("name", ["middle_or_next", "results/month-tail-gap"])
def test_numbers_of_a_picture_of_the_documentation_are_not_over_each_other(name: str) -> None:
    found = written((ROOT / f"docs/pictures/{name}.svg").read_text(), r"\d+")
    assert len(found) > 40
    assert not [pair for pair in combinations(found, 2) if found[pair[0]].over(found[pair[1]])]


def test_a_kind_that_a_row_names_stands_in_the_legend() -> None:
    rows = [{"model": "boosted_ranker", "family": "second stage", "runs": [{"parts": {"tail": 0.1, "gap": 0.2}}]},
            {"model": "ease", "runs": [{"parts": {"tail": 0.2, "gap": 0.1}}]}]
    picture = middle_or_next.picture(rows)
    assert ">second stage<" in picture
    assert ">linear<" in picture
    assert ">features<" not in picture


def test_a_long_leaderboard_begins_at_the_top() -> None:
    rows = [{"id": f"m{at}", "value": 0.2, "low": 0.19, "high": 0.21, "ensemble": False} for at in range(66)]
    heights = sorted(float(y) for y in re.findall(r'<use [^>]*y="([\d.]+)" style="fill: #2f6fa8',
                                                  pictures.leaderboard(rows, "recall@10")))
    assert len(heights) == 66
    assert heights[0] < 1.5 * (heights[1] - heights[0])


def told(pairs: list[Pair]) -> Told:
    order = agreement([pair.offline for pair in pairs], [pair.public for pair in pairs])
    return Told("data d, split s", "recall@10", tuple(pairs), order)


def test_neighbours_of_a_ledger_are_not_over_each_other(tmp_path: Path) -> None:
    pairs = [Pair(f"{at} movierec-1a2b3c4d/{name}", 0.16 + at / 1e5, 0.14 + at / 1e6, 0.15, 0.17)
             for at, name in enumerate(("ease", "blend", "slim"), 1)]
    picture, listed = scatter(told(pairs))
    found = written(picture, r"\d movierec.*")
    assert set(found) == {pair.name for pair in pairs}
    assert not [pair for pair in combinations(found.values(), 2) if pair[0].over(pair[1])]
    assert not listed


def test_where_names_have_no_room_the_dots_are_numbered_and_listed(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    pairs = [Pair(f"{at} movierec-1a2b3c4d/ensemble", 0.15 + x, 0.12 + x, 0.14 + x, 0.16 + x)
             for at, x in enumerate(0.001 * rng.standard_normal(60))]
    write_page(tmp_path / "page.html", [told(pairs)])
    html = (tmp_path / "page.html").read_text()
    assert "have no room beside the dots" in html
    assert all(html.count(f">{pair.name}<") == 1 for pair in pairs)
    best = max(pairs, key=lambda pair: pair.public)
    assert re.search(rf'<td>1</td><td class="words">{best.name}</td><td>{best.offline:.4f}', html)
    numbers = written(html.split("<svg")[1].split("</svg>")[0], r"[1-9]\d?")
    assert "1" in numbers
    assert not [pair for pair in combinations(numbers.values(), 2) if pair[0].over(pair[1])]


def test_a_table_that_names_no_metric_is_offline_once(tmp_path: Path) -> None:
    (tmp_path / "anchors.csv").write_text("name,offline,public\na,0.1,0.2\nb,0.2,0.3\n")
    write_page(tmp_path / "page.html", [of_file(tmp_path / "anchors.csv")])
    html = (tmp_path / "page.html").read_text()
    assert "offline, offline" not in html
    assert ">offline</text>" in html
    assert "<h2>anchors.csv</h2>" in html
