"""The page of a search: which settings are drawn, axes by logarithm that can be read, and what is not said."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from matinee.report import search_pictures
from matinee.report.search import write_page


def row(fields: int, trials: int, importances: dict[str, float] | None = None) -> dict[str, Any]:
    names = [f"field_{at:02}" for at in range(fields)]
    return {
        "id": "one", "model": "one", "search": {name: {"low": 0.02, "high": 1.0, "log": True} for name in names},
        "trials": [{"number": n, "state": "done", "why": None, "value": 0.1 + n / 100,
                    "settings": dict.fromkeys(names, 0.03 * (n + 1))} for n in range(trials)],
        "tried": trials, "done": trials, "pruned": 0, "failed": 0, "cut": 0, "seconds": 1.0, "ended": "all trials done",
        "first": 0.1, "best": None, "difference": None, "survives": None, "importances": importances or {},
    }


def last_picture(html: str) -> str:
    return html.split("<svg")[-1].split("</svg>")[0]


def page(folder: Path, one: dict[str, Any]) -> str:
    found = {"search": "toy", "metric": "recall@10", "budget": {"words": "few"}, "seed": 0, "threads": 1,
             "to_come": [], "models": [one], "comparison": []}
    (folder / "tune.json").write_text(json.dumps(found))
    write_page(folder)
    return (folder / "tune.html").read_text()


def test_every_setting_has_its_picture(tmp_path: Path) -> None:
    html = page(tmp_path, row(9, 6))
    assert all(f">field_{at:02}<" in html for at in range(9))
    picture = last_picture(html)
    assert all(f">field_{at:02}<" in picture for at in range(9))
    assert "Each finished trial over each of its settings; red" in html


@pytest.mark.parametrize(("shares", "said"), [({}, "come first in the table"), ({"field_14": 1.0}, "matter most")])
def test_of_very_many_it_is_said_which_are_drawn(shares: dict[str, float], said: str, tmp_path: Path) -> None:
    html = page(tmp_path, row(15, 14, shares))
    assert f"over the 12 of 15 settings that {said}" in html
    assert (">field_14<" in last_picture(html)) == bool(shares)


def test_why_it_is_not_told_which_settings_mattered(tmp_path: Path) -> None:
    said = "Which fields mattered: too few to say"
    assert f"{said}: 11 trials have finished, of 12 that it takes." in page(tmp_path, row(2, 11))
    assert f"{said}: 1 trial has finished, of 12 that it takes." in page(tmp_path, row(2, 1))
    assert "Which fields mattered:" not in page(tmp_path, row(2, 12, {"field_00": 0.7, "field_01": 0.3}))


def test_an_axis_by_logarithm_has_few_numbers(tmp_path: Path) -> None:
    picture = last_picture(page(tmp_path, row(1, 6)))
    (below,) = re.findall(r'id="matplotlib.axis_1".*?id="matplotlib.axis_2"', picture, re.S)
    assert re.findall(r">([\d.]+)</text>", below) == ["0.1", "1"]


@pytest.mark.parametrize(("low", "high", "ticks"), [
    (0.02, 1.0, [0.1, 1]), (64, 1024, [100, 200, 500, 1000]), (0.0003, 0.01, [0.001, 0.01]), (30, 40, [30, 40]),
    (1e-4, 1e4, [1e-4, 1e-1, 1e2]), (20, 90, [20, 50]),
])
def test_numbers_of_such_an_axis_are_round(low: float, high: float, ticks: list[float]) -> None:
    assert search_pictures.log_ticks(low, high) == pytest.approx(ticks)
