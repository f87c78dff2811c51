"""Pages of a run and of a sweep in a real browser: no table is wider than the page on a usual screen."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from matinee.experiment.folder import RunFolder
from matinee.report.run import COUNTED, write_report
from matinee.report.sweep import write_page
from tests.report.test_data_page_in_a_browser import FRAME, browser

MEASURE = """<script>
parent.postMessage(JSON.stringify([...document.querySelectorAll(".wide")].map(one => one.scrollWidth -
one.clientWidth)), "*");
</script></body>"""
ANSWER = "recall@10: ease over popularity +0.0445 [+0.0370, +0.0526], +0.01 was expected: more than expected"


def beyond(html: str, folder: Path, width: int) -> list[int]:
    """Of each table the pixels that only scrolling shows."""
    open_to_scripts = re.sub(r"<meta http-equiv=\"Content-Security-Policy\"[^>]*>", "", html)
    (folder / "measured.html").write_text(open_to_scripts.replace("</body>", MEASURE))
    (folder / "frame.html").write_text(FRAME % width)
    document, _ = browser(folder / "frame.html", folder)
    (told,) = re.findall(r'data-measured="([^"]*)"', document)
    return list(json.loads(told))


def sweep(folder: Path) -> str:
    def figures(value: float, *, valid: float) -> dict[str, dict[str, dict[str, float | None]]]:
        return {"ease": {"valid": {"value": valid, "low": None, "high": None},
                         "test": {"value": value, "low": value - 0.01, "high": value + 0.01}}}

    over = {"difference": -0.0061, "low": -0.0111, "high": -0.0005, "p": 0.08, "verdict": "cannot tell",
            "against_expected": None}
    cells = [{"values": {"models.ease.l2": at, "models.ease.dropout": 0.3}, "run": f"ridge-f3446af{at}", "error": None,
              "seconds": 1.0, "figures": figures(0.18 - at / 100, valid=0.192), "answer": ANSWER,
              "differences": {"ease": over} if at else {}} for at in range(3)]
    found = {"sweep": "ridge", "metric": "recall@10", "keys": ["models.ease.l2", "models.ease.dropout"], "cells": cells,
             "thoughts": {"question": "how much?", "expect": "+0.01 recall@10 ease over popularity",
                          "conclusion": None}, "to_come": 0, "alike": []}
    (folder / "sweep.json").write_text(json.dumps(found))
    write_page(folder)
    return (folder / "sweep.html").read_text()


def test_the_answer_of_a_sweep_is_read_without_scrolling(tmp_path: Path) -> None:
    html = sweep(tmp_path)
    assert ANSWER in html
    assert beyond(html, tmp_path, 1000) == [0]


def test_a_table_of_a_sweep_says_what_its_intervals_and_verdicts_are_of(tmp_path: Path) -> None:
    assert "the verdict corrected for all pairs (Holm)" in sweep(tmp_path)


def test_a_figure_stands_beyond_every_dot_of_its_row(tmp_path: Path) -> None:
    picture = sweep(tmp_path).split("<svg")[1]
    dots = [(float(x), float(y)) for x, y in re.findall(r'<use [^>]*x="([\d.]+)" y="([\d.]+)"', picture)]
    figures = re.findall(r'<text [^>]*x="([\d.]+)" y="([\d.]+)"[^>]*>(0\.1\d{3})</text>', picture)
    assert [figure for _, _, figure in figures] == ["0.1800", "0.1700", "0.1600"]
    for x, y, _ in figures:
        assert all(float(x) > dot + 3 for dot, height in dots if abs(height - float(y)) < 6)


@pytest.fixture(scope="module")
def page(small: RunFolder, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Of a copy: whoever writes a conclusion beside the run throws its own page away."""
    folder = RunFolder(tmp_path_factory.mktemp("page") / small.id)
    shutil.copytree(small.path, folder.path)
    write_report(folder)
    return (folder.path / "report.html").read_text()


@pytest.mark.parametrize("width", [1000, 1100])
def test_no_table_of_a_run_is_cut(width: int, page: str, tmp_path: Path) -> None:
    assert set(beyond(page, tmp_path, width)) == {0}


def test_what_the_split_counts_is_told_in_words(small: RunFolder, page: str) -> None:
    html, notes = page, small.manifest["split"]["notes"]
    assert set(COUNTED) == set(notes["test"])
    for key, words in COUNTED.items():
        assert f"<td>{words}</td><td>{notes['valid'][key]:,}</td><td>{notes['test'][key]:,}</td>" in html
