"""A search in MLflow: each trial once, whatever happened while it was told."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from matinee.tracking.address import Outage, address
from matinee.tracking.searches import bring_up_to_date, mirrored_searches
from matinee.tracking.store import Store
from tests.cli.commands import Said, matinee  # noqa: F401
from tests.reliability.tracked import copied, settings
from tests.tune.searches import found, told, written

Matinee = Callable[..., Said]
MODELS = [{"model": "./hungry.py", "epochs": 3}, {"id": "poor", "model": "./hungry.py", "ends": "badly"}]
SEARCH = {"hungry": {"best": {"low": 0.0, "high": 1.0}}, "poor": {"best": {"low": 0.0, "high": 1.0}}}


@pytest.fixture
def database(migrated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = copied(migrated, tmp_path / "mlflow")
    settings(monkeypatch, f"sqlite:///{place}")
    return place


def a_file(folder: Path, **more: Any) -> Path:
    return written(folder, models=MODELS, tune={"budget": {"trials": 4}, "search": SEARCH}, **more)


def runs_of(runs: Path) -> tuple[Any, list[Any]]:
    """The search's run in MLflow, and its trials'."""
    client = Store(address(runs))._client
    experiment = client.get_experiment_by_name("toy")
    every = client.search_runs([experiment.experiment_id], f"tags.`matinee.search` = '{found(runs).name}'")
    (search,) = [run for run in every if "mlflow.parentRunId" not in run.data.tags]
    trials = [run for run in every if run.data.tags.get("mlflow.parentRunId") == search.info.run_id]
    assert len(trials) + 1 == len(every)
    return search, sorted(trials, key=lambda run: run.data.tags["matinee.trial"])


def assert_complete(runs: Path) -> None:
    """Each trial is there once, with its settings, its figures and how it ended."""
    search, trials = runs_of(runs)
    result = told(runs)
    expected = {f"{row['id']}/{trial['number']}": trial for row in result["models"] for trial in row["trials"]}
    assert [run.data.tags["matinee.trial"] for run in trials] == sorted(expected)
    client = Store(address(runs))._client
    for run in trials:
        trial = expected[run.data.tags["matinee.trial"]]
        assert {name: json.loads(value) for name, value in run.data.params.items()} == trial["settings"]
        assert run.info.status == {"done": "FINISHED", "pruned": "KILLED", "failed": "FAILED"}[trial["state"]]
        assert run.data.metrics.get("recall_at_10") == (trial["value"] if trial["state"] == "done" else None)
        steps = client.get_metric_history(run.info.run_id, "validation") if trial["reports"] else []
        assert [(one.step, one.value) for one in steps] == list(enumerate(trial["reports"], 1))
    assert search.info.status == "FINISHED"
    assert search.data.metrics["hungry/best"] == result["models"][0]["best"]["value"]


def test_a_search_arrives_with_a_run_for_each_trial_once(
    tmp_path: Path, database: Path, matinee: Matinee  # noqa: F811
) -> None:
    runs = tmp_path / "runs"
    assert matinee("tune", a_file(tmp_path), "--runs", runs, "--threads", "1").code == 0
    assert_complete(runs)
    assert matinee("tune", a_file(tmp_path), "--runs", runs, "--threads", "1").code == 0
    assert matinee("track", "sync", "--runs", runs).out == f"{found(runs).name}: 8 trials, up to date\n"
    assert_complete(runs)
    assert matinee("tune", a_file(tmp_path), "--runs", runs, "--threads", "1", "--trials", "6").code == 0
    assert_complete(runs)
    client = Store(address(runs))._client
    search, _ = runs_of(runs)
    assert [one.step for one in client.get_metric_history(search.info.run_id, "hungry/best")] == [4, 6]
    assert sorted(file.path for file in client.list_artifacts(search.info.run_id)) == [
        "tune.html", "tune.json", "tuned.yaml"]


def test_what_was_told_in_part_is_made_whole_wherever_it_was_cut(
    tmp_path: Path, database: Path, matinee: Matinee, monkeypatch: pytest.MonkeyPatch  # noqa: F811
) -> None:
    runs = tmp_path / "runs"
    assert matinee("tune", a_file(tmp_path, tracking={"mlflow": False}), "--runs", runs, "--threads", "1").code == 0
    assert mirrored_searches(runs) == []
    calls = {name: getattr(Store, name) for name in ("run", "add_words", "add_points", "add_file", "set_status")}
    left = 0

    def dying(call: Callable[..., Any]) -> Callable[..., Any]:
        def called(*words: Any, **named: Any) -> Any:
            nonlocal left
            left -= 1
            if left < 0:
                raise Outage("cut")
            return call(*words, **named)

        return called

    for name, call in calls.items():
        monkeypatch.setattr(Store, name, dying(call))
    cuts, told_of = 0, None
    while told_of is None:
        left = cuts
        try:
            told_of = bring_up_to_date(found(runs), runs)
        except Outage:
            cuts += 1
    assert cuts > 10
    assert told_of == 8
    assert_complete(runs)


def test_a_search_ends_with_6_where_mlflow_is_away_and_sync_tells_it_later(
    tmp_path: Path, migrated: Path, matinee: Matinee, monkeypatch: pytest.MonkeyPatch  # noqa: F811
) -> None:
    runs = tmp_path / "runs"
    settings(monkeypatch, "http://127.0.0.1:9")  # nobody listens there
    said = matinee("tune", a_file(tmp_path), "--runs", runs, "--threads", "1")
    assert said.code == 6
    assert "`matinee track sync` brings it up to date" in said.err
    assert "tuned.yaml" in said.out
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{copied(migrated, tmp_path / 'mlflow')}")
    assert matinee("track", "sync", "--runs", runs).code == 0
    assert_complete(runs)


def test_a_store_that_cannot_be_written_to_is_refused_before_the_search(
    tmp_path: Path, matinee: Matinee, monkeypatch: pytest.MonkeyPatch  # noqa: F811
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "file:///tmp/x")
    said = matinee("tune", a_file(tmp_path), "--runs", tmp_path / "runs")
    assert (said.code, "unknown-store" in said.err) == (2, True)
    assert not (tmp_path / "runs").exists()
