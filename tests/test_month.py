"""The page of the whole house: of a finished run and of one that goes on, and words that follow the figures."""

from __future__ import annotations

import importlib
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from scripts import month
from scripts.month_answers import direction, pairs, word
from scripts.month_known import LADDER, NINE, PUBLIC, PUBLIC_ENSEMBLES, YEARS
from scripts.month_run import MAIN, Month

from matinee import catalog
from matinee.config import load_experiment
from matinee.evaluation.compare import paired
from matinee.evaluation.rank_agreement import Coefficient
from matinee.experiment.folder import RunFolder
from matinee.experiment.run import run

FILE = Path(__file__).parents[1] / "configs/experiments/month.yaml"
SMALL = """
name: month
question: which?
data: {path: "synthetic:400x60"}
evaluate: {metrics: [recall@10, coverage@10], segments: [hidden_part, history_length, item_popularity]}
models: [popularity, item_knn, user_knn, {model: ease, l2: 10}, {model: pure_svd, dim: 8}, transitions, slim,
         {id: multi_dae_genre, model: ease, l2: 3}, {id: dae, model: ease, l2: 30}]
ensembles:
  - {id: ladder_2, method: rank_sum, members: [multi_dae_genre, item_knn]}
  - {id: ladder_3, method: rank_sum, members: [multi_dae_genre, item_knn, user_knn]}
  - {id: dae_ub, method: hard_vote, members: [dae, user_knn]}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    place = tmp_path_factory.mktemp("month")
    (place / "small.yaml").write_text(SMALL)
    return run(load_experiment(place / "small.yaml"), place / "runs", threads=1)


def page(folder: RunFolder, out: Path) -> str:
    assert month.main([str(folder.path), "--out", str(out)]) == 0
    return (out / "month.md").read_text()


def row(text: str, id_: str) -> list[str]:
    """Of the first table."""
    found = next(line for line in text.splitlines() if re.match(rf"\| \d+ \| `{id_}` \|", line))
    return [cell.strip() for cell in found.strip("|").split("|")]


def test_every_model_of_the_house_is_in_it_and_all_that_the_page_speaks_of() -> None:
    experiment = load_experiment(FILE)
    assert {entry.model for entry in experiment.models} == set(catalog.names()), "name a new model in month.yaml"
    ids = {entry.id for entry in (*experiment.models, *experiment.ensembles)}
    assert {*LADDER, *NINE, *PUBLIC, *PUBLIC_ENSEMBLES, *YEARS} <= ids


@pytest.mark.parametrize("name", YEARS)
def test_the_year_of_a_model_is_one_that_its_header_names(name: str) -> None:
    about = importlib.import_module(catalog.load(name).__module__).__doc__ or ""
    assert re.search(rf"\b{YEARS[name]}\b", about)


def test_a_row_has_the_figures_of_the_run(folder: RunFolder, tmp_path: Path) -> None:
    text = page(folder, tmp_path)
    found = row(text, "ease")
    rows = {(one["metric"], one["segment"]): one for one in folder.metrics
            if one["id"] == "ease" and one["part"] == "test"}
    assert found[3].split()[0] == f"{rows[MAIN, None]['value']:.4f}"
    assert found[4] == f"{rows[MAIN, None]['low']:.4f} to {rows[MAIN, None]['high']:.4f}"
    assert found[5:7] == [f"{rows[MAIN, f'hidden_part={part}']['value']:.4f}" for part in ("tail", "gap")]
    spent = {one["stage"]: one["seconds"] for one in folder.timings if one["id"] == "ease"}
    assert found[9:11] == [f"{spent['fit:valid']:.1f}", f"{spent['score:test']:.1f}"]
    fit, rank, _, _ = Month(folder).cost("ease")
    assert (fit, rank) == (spent["fit:valid"], spent["score:test"])
    assert "All 12 entries have ended." in text
    for picture in re.findall(r"!\[.*?\]\((.*?)\)", text):
        assert (tmp_path / picture).read_text().startswith("<svg")


def test_a_run_that_goes_on_has_the_rows_that_have_ended(folder: RunFolder, tmp_path: Path) -> None:
    shutil.copytree(folder.path, tmp_path / "going")
    going = RunFolder(tmp_path / "going")
    for name in ("metrics.json", "timings.json"):
        (going.path / name).unlink()
    shutil.rmtree(going.path / "lists/test/ladder_3")
    text, whole = page(going, tmp_path), page(folder, tmp_path / "whole")
    assert "11 of 12 entries have ended; to come: `ladder_3`" in text
    assert not re.search(r"^\| \d+ \| `ladder_3`", text, re.M)
    assert row(text, "ease")[3:] == row(whole, "ease")[3:]


def test_the_ladder_names_the_gain_of_each_member(folder: RunFolder, tmp_path: Path) -> None:
    text = page(folder, tmp_path)
    one = Month(folder)
    found = paired(one.values("ladder_3"), one.values("ladder_2"), seed=0)
    (line,) = re.findall(r"^\| `ladder_3` \| `user_knn` \|.*$", text, re.M)
    assert f"{found.difference:+.4f} ({found.low:+.4f} to {found.high:+.4f})" in line


def test_a_fit_that_was_found_again_has_the_seconds_of_the_run_that_made_it(
    folder: RunFolder, tmp_path: Path
) -> None:
    file = tmp_path / "again.yaml"
    file.write_text(SMALL.replace("which?", "again?").replace("coverage@10", "ndcg@10"))
    again = run(load_experiment(file), folder.path.parent, threads=1)
    assert again.path != folder.path
    fit, rank, _, found = Month(again).cost("slim")
    assert found
    assert (fit, rank) == Month(folder).cost("slim")[:2]
    assert not Month(folder).cost("slim")[3]


def test_pairs_are_measured_against_their_better_member(folder: RunFolder) -> None:
    one = Month(folder)
    (pair,) = pairs(one, ["popularity", "ease"])
    alone = [one.figure(id_) for id_ in ("popularity", "ease")]
    assert pair.weaker == pytest.approx(min(alone))
    assert -1 < pair.gain <= 1 - max(alone)
    assert pair.shared == pytest.approx(one.shared(["popularity", "ease"])[0, 1])


def test_words_follow_intervals() -> None:
    better = np.r_[np.ones(60), np.zeros(40)]
    assert word(paired(better, np.zeros(100), seed=0), "gains", "loses") == "gains"
    assert word(paired(np.zeros(100), better, seed=0), "gains", "loses") == "loses"
    assert word(paired(better, better[::-1].copy(), seed=0), "gains", "loses") == "cannot tell"
    assert direction(Coefficient(0.8, 0.3, 0.9, 0.01), 9, "up", "down") == "up"
    assert direction(Coefficient(-0.8, -0.9, -0.3, 0.01), 9, "up", "down") == "down"
    assert direction(Coefficient(0.8, -0.1, 0.9, 0.01), 9, "up", "down") == "cannot tell"
    assert direction(Coefficient(0.8, 0.3, 0.9, 0.2), 9, "up", "down") == "cannot tell"
    assert direction(Coefficient(1.0, 1.0, 1.0, 0.04), 4, "up", "down") == "cannot tell"


def test_equals_share_a_place_and_are_not_strong_for_it() -> None:
    values = [0.3, 0.0, 0.0, float("nan"), 0.1]
    assert month.places(values) == [1, 3, 3, None, 2]
    assert month.places(values, humble=True) == [1, 4, 4, None, 2]


def test_a_strength_is_a_place_well_above_the_overall_one(folder: RunFolder, tmp_path: Path) -> None:
    one, text = Month(folder), page(folder, tmp_path)
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in
            text.split("## What each is good at")[1].split("##")[0].splitlines() if re.match(r"\| \d+ \|", line)]
    assert [row[1] for row in rows] == [f"`{id_}`" for id_ in one.ranked]
    coverage = {id_: one.figure(id_, None, "coverage@10") for id_ in one.ranked}
    for overall, id_, strong, first in rows:
        if found := re.search(r"coverage@10 \((\d+)\)", strong):
            place = sum(value >= coverage[id_.strip("`")] for value in coverage.values())
            assert int(found[1]) == place <= int(overall) - month.GAINED
        assert ("coverage@10" in first) == (sum(v >= coverage[id_.strip("`")] for v in coverage.values()) == 1)
    assert "coverage@10 (" in text


def test_no_run_is_said_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("MATINEE_RUNS", str(tmp_path))
    assert month.main([]) == 1
    assert "no run of month.yaml" in capsys.readouterr().err
