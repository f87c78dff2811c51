"""`sweep`: a grid of runs and its one table."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from matinee.cli.main import main
from matinee.cli.search_tables import show_sweep
from matinee.config import experiment_from
from matinee.errors import ConfigError
from matinee.report.whole import carry_out, run
from matinee.tune.sweep import experiments, sweep
from tests.cli.commands import Said, matinee  # noqa: F401
from tests.config.experiments import made, refused, toy

Matinee = Callable[..., Said]
Captured = pytest.CaptureFixture[str]

GRID = """
name: grid
expect: +0.06 recall@10
data: {path: "synthetic:300x90:3"}
evaluate: {metrics: [ndcg@10, recall@10]}
models: [popularity, {model: ease, l2: 20}]
sweep: {models.ease.l2: [1, 1000], models.ease.dropout: [0.0, 0.3]}
"""


@pytest.fixture(scope="module")
def grid(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("grid")
    (folder / "grid.yaml").write_text(GRID)
    assert main(["run", str(folder / "grid.yaml"), "--runs", str(folder / "runs"), "--threads", "1"]) == 0
    return folder


def table(runs: Path) -> dict[str, Any]:
    (file,) = runs.glob("*-sweep-*/sweep.json")
    return dict(json.loads(file.read_text()))


def test_every_cell_is_a_run_whose_figures_stand_in_the_table(grid: Path) -> None:
    found = table(grid / "runs")
    assert found["keys"] == ["models.ease.l2", "models.ease.dropout"]
    assert [tuple(cell["values"][key] for key in found["keys"]) for cell in found["cells"]] == [
        (1, 0.0), (1, 0.3), (1000, 0.0), (1000, 0.3)]
    assert (found["metric"], found["to_come"], found["alike"]) == ("recall@10", 0, ["popularity"])
    for cell in found["cells"]:
        folder = grid / "runs" / cell["run"]
        config = json.loads((folder / "manifest.json").read_text())["config"]
        assert config["models"][1]["l2"] == cell["values"]["models.ease.l2"]
        rows = json.loads((folder / "metrics.json").read_text())["rows"]
        (test,) = [row for row in rows if (row["id"], row["part"], row["segment"], row["metric"])
                   == ("ease", "test", None, "recall@10")]
        assert cell["figures"]["ease"]["test"]["value"] == test["value"]
        assert (folder / "report.html").is_file()


def test_cells_are_compared_with_the_first_and_with_what_was_expected(grid: Path) -> None:
    first, *others = table(grid / "runs")["cells"]
    assert first["differences"] == {}
    for cell in others:
        over = cell["differences"]["ease"]
        gain = cell["figures"]["ease"]["test"]["value"] - first["figures"]["ease"]["test"]["value"]
        assert over["difference"] == pytest.approx(gain)
        as_expected = over["low"] <= 0.06 <= over["high"] and over["verdict"] == "better"
        assert (over["against_expected"] == "as expected") == as_expected
    assert any(cell["differences"]["ease"]["against_expected"] == "as expected" for cell in others)


def test_what_no_cell_changes_is_fitted_once_and_done_is_done(grid: Path, matinee: Matinee) -> None:  # noqa: F811
    said = matinee("run", grid / "grid.yaml", "--runs", grid / "runs", "--threads", "1")
    assert said.code == 0
    assert said.err.count("is done already") == 4
    fits = [row for path in (grid / "runs").glob("grid-*/timings.json")
            for row in json.loads(path.read_text())["rows"]
            if (row["id"], row["stage"]) == ("popularity", "fit:valid")]
    assert len(fits) == 1
    assert "the same in every cell: popularity" in said.out
    assert "models.ease.l2  models.ease.dropout  entry" in said.out


def test_the_page_shows_every_cell_and_asks_nothing_of_the_net(grid: Path) -> None:
    (page,) = (grid / "runs").glob("*-sweep-*/sweep.html")
    text = page.read_text()
    for cell in table(grid / "runs")["cells"]:
        assert cell["run"] in text
        assert f"{cell['figures']['ease']['test']['value']:.4f}" in text
    assert text.count("<svg") == 1
    assert "src=" not in text
    assert "href=\"http" not in text


def test_rows_appear_as_they_end_and_a_refused_cell_is_told(tmp_path: Path) -> None:
    plain = {"name": "g", "data": {"path": "synthetic:100x40:3"}, "models": ["popularity"],
             "sweep": {"data.sample_users": [1.0, 0.001, 0.5]}}
    seen = []

    def look(folder: Path) -> None:
        seen.append(json.loads((folder / "sweep.json").read_text())["to_come"])

    folder = sweep(experiment_from(plain, tmp_path), tmp_path / "runs", say=str, shown=look,
                   carry_out=lambda cell: carry_out(cell, tmp_path / "runs", threads=1))
    assert seen == [2, 1, 0]
    first, refused_, last = json.loads((folder / "sweep.json").read_text())["cells"]
    assert refused_["run"] is None
    assert refused_["error"]
    assert first["figures"].keys() == last["figures"].keys() == {"popularity"}
    assert last["differences"] == {}  # another data set is no pair


def test_a_failed_cell_ends_as_degraded(tmp_path: Path, matinee: Matinee) -> None:  # noqa: F811
    (tmp_path / "g.yaml").write_text("name: g\ndata: {path: \"synthetic:100x40:3\"}\nmodels: [popularity]\n"
                                     "sweep: {data.min_user_events: [1, 100000]}\n")
    said = matinee("run", tmp_path / "g.yaml", "--runs", tmp_path / "runs", "--threads", "1")
    assert said.code == 6
    assert "failed-cells: 1 of 2 cells failed; the table says why" in said.err
    refused_ = table(tmp_path / "runs")["cells"][1]["error"]
    (line,) = [line for line in said.out.splitlines() if line.startswith("100000 ")]
    assert line.split(maxsplit=2)[1:] == ["failed", refused_]


def test_the_terminal_holds_each_difference_with_its_interval(grid: Path, capsys: Captured) -> None:
    (folder,) = (grid / "runs").glob("*-sweep-*")
    show_sweep(folder)
    said = capsys.readouterr().out
    for cell in table(grid / "runs")["cells"][1:]:
        over = cell["differences"]["ease"]
        assert (f"{over['difference']:+.4f} [{over['low']:+.4f}, {over['high']:+.4f}] {over['against_expected']}"
                in said)


def test_the_terminal_holds_what_two_entries_came_to_in_each_cell(tmp_path: Path, matinee: Matinee) -> None:  # noqa: F811
    (tmp_path / "g.yaml").write_text(GRID.replace("+0.06 recall@10", "+0.01 recall@10 ease over popularity")
                                     .replace("[1, 1000], models.ease.dropout: [0.0, 0.3]", "[1, 1000]"))
    said = matinee("run", tmp_path / "g.yaml", "--runs", tmp_path / "runs", "--threads", "1").out.splitlines()
    cells = table(tmp_path / "runs")["cells"]
    for cell, l2 in zip(cells, (1, 1000), strict=True):
        assert f"answer, ease.l2 = {l2}: {cell['answer']}" in said
        assert "+0.01 was expected: " in cell["answer"]


@pytest.mark.parametrize(("grid_", "code"), [
    ({"models.toy.l2": list(range(1, 66))}, "too-large"),
    ({"models.toy.l2": [1, 2, 3, 4, 5, 6, 7, 8, 9], "models.toy.dim": [1, 2, 3, 4, 5, 6, 7, 8]}, "too-large"),
    ({"models.toy.l3": [1, 2]}, "unknown-key"),
    ({"models.other.l2": [1, 2]}, "bad-override"),
    ({"models.toy.l2": [1, -1]}, "out-of-range"),
    ({"models.toy.l2": []}, "bad-value"),
    ({"models.toy.l2": [1, 1]}, "duplicate-name"),
    ({"models.toy.l2": 3}, "wrong-type"),
    ({"tune.seed": [1, 2]}, "bad-override"),
    ([1], "wrong-type"),
])
def test_a_grid_that_cannot_be_is_refused_before_it_begins(grid_: Any, code: str) -> None:
    assert refused(sweep=grid_).code == code


def test_a_sweep_is_no_part_of_what_a_run_is() -> None:
    swept = made(models=[toy()], sweep={"models.toy.l2": [1, 2], "models.toy.mode": ["sum", "mean"]})
    assert swept.identity() == made(models=[toy()]).identity()
    assert experiment_from(swept.resolved(), swept.base) == swept
    assert len(experiments(swept)) == 4
    assert {one.models[0].recipe.l2 for _, one in experiments(swept)} == {1, 2}  # type: ignore[attr-defined]
    assert not any(one.sweep for _, one in experiments(swept))


def test_values_that_cannot_stand_together_are_refused_before_the_first_run() -> None:
    swept = made(models=[toy()], sweep={"models.toy.warm": [False, True], "models.toy.mode": ["sum", "mean"]})
    with pytest.raises(ConfigError, match=r"toy\.warm = true, toy\.mode = mean"):
        experiments(swept)


def test_a_script_is_told_that_a_sweep_is_many_runs(grid: Path) -> None:
    with pytest.raises(ConfigError, match="this file has a sweep"):
        run(grid / "grid.yaml", grid / "runs")
