"""Searches over models that order what others find: their first stage is fitted once, and stays as it is written."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from matinee import durable
from matinee.cli.main import main
from matinee.config import experiment_from
from matinee.errors import ConfigError
from matinee.experiment.fitting import Fitter
from matinee.tune.tuning import searched
from matinee.tune.worker import WARM, Bench
from matinee.tune.workshop import Workshop
from tests.cli.commands import Said, matinee  # noqa: F401
from tests.tune.searches import found, settings, told, written

Matinee = Callable[..., Said]
FROM = {"from": ["item_knn", "popularity"], "depth": 15}
FIRST: list[dict[str, Any]] = [{"model": "item_knn"}, {"model": "popularity"}]
NETWORK = {"model": "wide_deep", "dim": 4, "hidden": [8], "epochs": 2, "features": ["item_count"], "candidates": FROM}
BOOSTED = {"model": "boosted_ranker", "trees": 10, "patience": 2, "least": 5, "leaves": 7, "candidates": FROM}
SECOND = [BOOSTED, {**NETWORK, "id": "by_log"}, {**NETWORK, "id": "by_found", "taught_by": "candidates"}]
FIELDS = {"boosted_ranker": {"lr": {"low": 0.05, "high": 0.3}}, "by_log": {"lr": {"low": 0.001, "high": 0.01}},
          "by_found": {"lr": {"low": 0.001, "high": 0.01}}}


def sections(**more: Any) -> dict[str, Any]:
    search = {**FIELDS, "item_knn": {"neighbours": {"low": 5, "high": 50}}}
    return {"data": {"path": "synthetic:300x90:3"}, "models": [*FIRST, *SECOND],
            "tune": {"budget": {"trials": 3}, "models": list(FIELDS), "search": search}, **more}


def test_the_tuned_file_has_the_figures_of_the_search(tmp_path: Path, matinee: Matinee) -> None:  # noqa: F811
    runs = tmp_path / "runs"
    assert main(["tune", str(written(tmp_path, **sections())), "--runs", str(runs), "--threads", "1"]) == 0
    rows = told(runs)["models"]
    assert [row["id"] for row in rows] == list(FIELDS)
    assert all(trial["state"] == "done" for row in rows for trial in row["trials"])
    assert len({trial["value"] for trial in rows[2]["trials"]}) > 1
    assert matinee("run", found(runs) / "tuned.yaml", "--runs", runs, "--threads", "1").code == 0
    (run,) = runs.glob("toy-tuned-*/metrics.json")
    valid = {row["id"]: row["value"] for row in json.loads(run.read_text())["rows"]
             if row["part"] == "valid" and row["metric"] == "recall@10" and row["segment"] is None}
    for row in rows:
        assert valid[row["id"]] == row["best"]["value"]


def test_the_first_stage_is_fitted_once_for_all_trials_and_found_again_by_the_next_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fits: list[tuple[str, str]] = []
    before = Fitter.fit

    def fit(self: Fitter, entry: Any, stage: Any, *rest: Any) -> Any:
        fits.append((entry.id, stage.name))
        return before(self, entry, stage, *rest)

    monkeypatch.setattr(Fitter, "fit", fit)
    plain = experiment_from(settings(tmp_path, **sections()), tmp_path).resolved()
    for worker in range(2):
        bench = Bench.of(plain, tmp_path, tmp_path / "runs", 1)
        for id_, settings_ in (("boosted_ranker", {"lr": 0.1}), ("boosted_ranker", {"lr": 0.2}), ("by_log", {})):
            if bench.lacking(id_):
                bench.prepare(id_)
            bench.trial(id_, settings_, tmp_path / "values.npy", lambda value: True)
        first = [one for one in fits if one[0] in FROM["from"]]
        expected = [(id_, stage) for stage in ("valid", "valid.inner") for id_ in FROM["from"]]
        assert first == ([] if worker else expected)
        assert [id_ for id_, _ in fits if id_ not in FROM["from"]] == ["boosted_ranker", "boosted_ranker", "by_log"]
        fits.clear()


def test_what_is_stored_of_a_first_stage_and_damaged_is_fitted_again(tmp_path: Path) -> None:
    plain = experiment_from(settings(tmp_path, **sections()), tmp_path).resolved()
    values = []
    for _ in range(2):
        bench = Bench.of(plain, tmp_path, tmp_path / "runs", 1)
        bench.prepare("boosted_ranker")
        values.append(bench.trial("boosted_ranker", {}, tmp_path / "values.npy", lambda value: True))
        for kept in (tmp_path / "runs" / ".cache" / "model").glob("*"):
            durable.write_text(next(kept.glob("*.json")), "{")
    assert values[0] == values[1]


def test_a_first_stage_is_no_part_of_the_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    script = [{"first": FROM["from"]}, {"prepared": True}, {"value": 0.5, "peak_mb": 1.0}]
    limits: list[float | None] = []
    lines: list[str] = []
    now = 0.0

    class Scripted(Workshop):
        def _ready(self) -> bool:
            return True

        def _say(self, facts: Any) -> None:
            """Nobody works."""

        def _answer(self, start: float, seconds: float | None) -> dict[str, Any]:
            nonlocal now
            now += 100  # seconds that each answer takes
            limits.append(seconds)
            return script.pop(0)

    monkeypatch.setattr("matinee.tune.workshop.time.monotonic", lambda: now)
    workshop = Scripted({}, 1000.0, say=lines.append)
    outcome = workshop.trial({"id": "ranked"}, 5.0, lambda value: True)
    assert limits == [5 + WARM, None, 5 + WARM]
    assert outcome.seconds == 100
    assert lines == ["ranked: its first stage (item_knn, popularity) comes first, and is no part of the budget"]


def test_a_second_stage_is_searched_after_its_first_and_not_beside_it(tmp_path: Path) -> None:
    lines: list[str] = []
    tune = {**sections()["tune"], "models": []}
    experiment = experiment_from(settings(tmp_path, **sections(tune=tune)), tmp_path)
    assert list(searched(experiment, lines.append)) == ["item_knn", "popularity"]
    assert any(line.startswith("by_found is left as it is: it puts into order what item_knn, popularity will") and
               "`tune: {models: [by_found]}`" in line for line in lines)
    tune["models"] = ["item_knn", "by_log"]
    experiment = experiment_from(settings(tmp_path, **sections(tune=tune)), tmp_path)
    with pytest.raises(ConfigError, match=r"by_log: it puts into order what item_knn will find .*afterwards"):
        searched(experiment, lines.append)
