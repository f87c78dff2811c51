"""`matinee tune`: searches over small models, stopped, killed, over their memory and over their time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, cast

import numpy as np
import optuna
import pytest

from matinee import durable
from matinee.cli.main import main
from matinee.config import experiment_from, load_experiment
from matinee.errors import DataError
from matinee.experiment.material import Material
from matinee.experiment.stages import split_stages
from matinee.split.parts import Split
from matinee.tune import worker
from matinee.tune.result import survives
from matinee.tune.worker import Bench, valid_of
from tests.cli.commands import Said, matinee  # noqa: F401
from tests.reliability.progress import wait_for
from tests.tune.searches import found, settings, told, tried, written

Matinee = Callable[..., Said]


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished search over two models; the folder of its file."""
    folder = tmp_path_factory.mktemp("searched")
    models = [{"model": "ease", "l2": 20}, {"id": "vae", "model": "multi_vae", "dim": 8, "hidden": [], "epochs": 6,
                                            "batch_size": 64}, {"model": "random_items"}]
    file = written(folder, data={"path": "synthetic:200x60:3"}, models=models,
                   evaluate={"metrics": ["recall@10", "ndcg@10"]}, question="does it help?",
                   ensembles=[{"id": "both", "method": "rank_sum", "members": ["ease", "vae"]}],
                   tune={"budget": {"trials": 14}, "metric": "ndcg@10", "search": {"vae": {"dim": None}}})
    assert main(["tune", str(file), "--runs", str(folder / "runs"), "--threads", "1"]) == 0
    return folder


def test_each_model_gets_the_same_trials_the_first_as_it_is_written(searched: Path) -> None:
    result = told(searched / "runs")
    assert [row["id"] for row in result["models"]] == ["ease", "vae"]
    for row in result["models"]:
        assert row["tried"] == len(row["trials"]) == 14
        assert row["trials"][0]["value"] == row["first"]
        assert row["best"]["value"] == max(trial["value"] for trial in row["trials"] if trial["state"] == "done")
        assert row["difference"]["difference"] == pytest.approx(row["best"]["value"] - row["first"], abs=1e-6)
        assert row["difference"]["low"] <= row["difference"]["difference"] <= row["difference"]["high"]
        assert row["importances"].keys() <= row["search"].keys()
    ease, vae = result["models"]
    assert ease["trials"][0]["settings"]["l2"] == 20
    assert "dim" not in vae["search"]
    assert any(trial["reports"] for trial in vae["trials"])
    (pair,) = result["comparison"]
    assert {pair["leader"], pair["other"]} == {"ease", "vae"}


def test_the_tuned_file_runs_and_its_valid_figure_is_the_one_of_the_search(
    searched: Path, matinee: Matinee  # noqa: F811
) -> None:
    tuned = found(searched / "runs") / "tuned.yaml"
    experiment = load_experiment(tuned)
    assert (experiment.name, experiment.question) == ("toy-tuned", "does it help?")
    assert len(experiment.models) == 3
    assert experiment.evaluate.metrics == ("ndcg@10", "recall@10")
    assert "14 trials" in tuned.read_text()
    assert matinee("run", tuned, "--runs", searched / "runs", "--threads", "1").code == 0
    (run,) = (searched / "runs").glob("toy-tuned-*/metrics.json")
    valid = {row["id"]: row["value"] for row in json.loads(run.read_text())["rows"]
             if row["part"] == "valid" and row["metric"] == "ndcg@10" and row["segment"] is None}
    for row in told(searched / "runs")["models"]:
        assert valid[row["id"]] == row["best"]["value"]


def test_done_is_done_and_a_larger_budget_goes_on(
    searched: Path, matinee: Matinee, monkeypatch: pytest.MonkeyPatch  # noqa: F811
) -> None:
    file, runs = searched / "toy.yaml", searched / "runs"
    before = (found(runs) / "tune.json").read_bytes()
    monkeypatch.setattr("matinee.tune.workshop.Workshop.trial", None)  # nothing is fitted
    assert matinee("tune", file, "--runs", runs, "--threads", "1").code == 0
    assert (found(runs) / "tune.json").read_bytes() == before
    monkeypatch.undo()
    assert matinee("tune", file, "--runs", runs, "--threads", "1", "--trials", "15").code == 0
    assert [row["tried"] for row in told(runs)["models"]] == [15, 15]


@pytest.mark.slow
def test_a_search_killed_again_and_again_ends_with_the_trials_of_one_that_was_not(
    tmp_path: Path, matinee: Matinee  # noqa: F811
) -> None:
    models = [{"model": "./hungry.py", "seconds": 0.2, "epochs": 3}]
    file = written(tmp_path, models=models, tune={"budget": {"trials": 6}, "search": {
        "hungry": {"best": {"low": 0.0, "high": 1.0}, "megabytes": {"low": 1, "high": 50}}}})
    words = ["tune", str(file), "--threads", "1"]
    for kill_at in (0, 3):
        command = [sys.executable, "-m", "matinee", *words, "--runs", str(tmp_path / "killed")]
        running = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        wait_for(lambda: _stopped_within_a_trial(running, tmp_path / "killed", kill_at))  # noqa: B023
        fitting = _children(running.pid)
        running.kill()
        assert running.wait() == -signal.SIGKILL
        wait_for(lambda: not any(Path(f"/proc/{one}/cmdline").exists() for one in fitting), 60)  # noqa: B023
    assert matinee(*words, "--runs", tmp_path / "killed").code == 0
    assert matinee(*words, "--runs", tmp_path / "unbroken").code == 0
    assert tried(tmp_path / "killed") == tried(tmp_path / "unbroken")
    best = [told(tmp_path / name)["models"][0] for name in ("killed", "unbroken")]
    assert best[0]["first"] is not None
    for what in ("first", "best", "difference", "survives"):
        assert best[0][what] == best[1][what]
    assert {state for _, state, _, _ in tried(tmp_path / "killed")} <= {"done", "pruned"}
    assert [trial.state.name for trial in _journalled(tmp_path / "killed")].count("FAIL") == 2


def _stopped_within_a_trial(running: subprocess.Popen[bytes], runs: Path, after: int) -> bool:
    """Whether the search stands still, a trial begun after `after` others and not told: a kill is sure to cut it."""
    if sum(path.read_text().count('{"settings"') for path in runs.glob("*/trials.log")) <= after:
        return False
    running.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, running.pid, os.WSTOPPED | os.WNOWAIT)
    last = _journalled(runs)[-1]
    within = last.state == optuna.trial.TrialState.RUNNING and "settings" in last.user_attrs
    if not within:
        running.send_signal(signal.SIGCONT)
    return within


def _journalled(runs: Path) -> list[optuna.trial.FrozenTrial]:
    backend = optuna.storages.journal.JournalFileBackend(str(found(runs) / "trials.log"))
    study = optuna.load_study(study_name="hungry", storage=optuna.storages.JournalStorage(backend))
    return cast("list[optuna.trial.FrozenTrial]", study.trials)


def _children(process: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def test_a_trial_over_its_memory_is_stopped_and_has_failed(tmp_path: Path, matinee: Matinee) -> None:  # noqa: F811
    models = [{"model": "./hungry.py", "seconds": 0.5}]
    file = written(tmp_path, models=models, tune={"budget": {"trials": 3, "memory": 0.5}, "search": {
        "hungry": {"megabytes": [0, 1, 900]}}})
    assert matinee("tune", file, "--runs", tmp_path / "runs").code == 0
    states = {trial["settings"]["megabytes"]: trial for trial in told(tmp_path / "runs")["models"][0]["trials"]}
    assert states[900]["state"] == "failed"
    assert states[900]["why"].startswith("memory: over 500 MB")
    assert [states[one]["state"] for one in (0, 1)] == ["done", "done"]
    assert all(states[one]["peak_mb"] < 500 for one in (0, 1))


def test_a_trial_that_fails_or_dies_is_counted_and_the_search_goes_on(
    tmp_path: Path, matinee: Matinee  # noqa: F811
) -> None:
    file = written(tmp_path, tune={"budget": {"trials": 9}, "search": {
        "hungry": {"ends": ["well", "badly", "crash", "killed"]}}})
    assert matinee("tune", file, "--runs", tmp_path / "runs").code == 0
    (row,) = told(tmp_path / "runs")["models"]
    why = {trial["settings"]["ends"]: trial["why"] for trial in row["trials"]}
    assert why["badly"] == "diverged: the loss is nan; lower lr"
    assert why["crash"] == "the process ended with exit code 1: ValueError: no such luck"
    assert why["killed"] == "the process ended with exit code 9"
    assert (row["done"], row["failed"], row["ended"]) == (1, 3, "nothing new to try")
    assert "none was better than what was written" in (found(tmp_path / "runs") / "tuned.yaml").read_text()


def test_minutes_end_a_search_and_what_they_cut_a_larger_budget_makes_again(
    tmp_path: Path, matinee: Matinee  # noqa: F811
) -> None:
    file = written(tmp_path, tune={"budget": {"minutes": 0.05}, "search": {"hungry": {"seconds": [0.0, 5.0]}}})
    said = matinee("tune", file, "--runs", tmp_path / "runs")
    assert said.code == 0
    assert "hungry: a trial takes" in said.err
    (row,) = told(tmp_path / "runs")["models"]
    assert [trial["settings"]["seconds"] for trial in row["trials"]] == [0.0]
    assert (row["cut"], row["ended"]) == (1, "the minutes are over")
    assert 3 <= row["seconds"] < 4.5
    assert matinee("tune", file, "--runs", tmp_path / "runs", "--minutes", "1").code == 0
    (row,) = told(tmp_path / "runs")["models"]
    assert [trial["settings"]["seconds"] for trial in row["trials"]] == [0.0, 5.0]
    assert row["ended"] == "nothing new to try"


def test_a_model_that_its_minutes_are_not_enough_for_is_told(
    tmp_path: Path, matinee: Matinee, monkeypatch: pytest.MonkeyPatch  # noqa: F811
) -> None:
    monkeypatch.setattr("matinee.tune.workshop.WARM", 0.0)
    file = written(tmp_path, models=[{"model": "./hungry.py", "seconds": 50.0}, {"model": "ease", "l2": 20.0}],
                   tune={"budget": {"minutes": 0.4, "trials": 2}, "search": {"hungry": {"best": [0.5, 1.0]}}})
    said = matinee("tune", file, "--runs", tmp_path / "runs")
    assert said.code == 0
    assert "were not enough for one trial as the model is written" in said.err
    hungry, ease = told(tmp_path / "runs")["models"]
    assert (hungry["trials"], hungry["cut"], hungry["best"]) == ([], 1, None)
    assert ease["tried"] >= 1
    folder = found(tmp_path / "runs")
    assert "minutes were over before one trial was through" in (folder / "tune.html").read_text()
    assert "none ended well" in (folder / "tuned.yaml").read_text()
    assert load_experiment(folder / "tuned.yaml").models[0].recipe == load_experiment(file).models[0].recipe


def test_an_estimate_is_one_trial_a_model(tmp_path: Path, matinee: Matinee) -> None:  # noqa: F811
    file = written(tmp_path)
    said = matinee("tune", file, "--runs", tmp_path / "runs", "--estimate")
    assert "4 of them take about" in said.err
    assert (found(tmp_path / "runs") / "trials.log").read_text().count('"outcome"') == 1
    assert not (found(tmp_path / "runs") / "tune.json").exists()


@pytest.mark.parametrize(("sections", "code"), [
    ({"tune": {"models": ["hungry"]}}, "no-search"),
    ({"tune": {}}, "no-search"),
    ({"evaluate": {"metrics": ["coverage@10"]}}, "not-accuracy"),
])
def test_what_cannot_be_searched_is_refused(
    tmp_path: Path, matinee: Matinee, sections: dict[str, Any], code: str  # noqa: F811
) -> None:
    said = matinee("tune", written(tmp_path, **sections), "--runs", tmp_path / "runs")
    assert said.code == 2
    assert f"{code}: " in said.err


def test_a_split_without_a_valid_part_is_refused() -> None:
    with pytest.raises(DataError, match=r"no-valid: .* the test part is not for choosing by"):
        valid_of(Split(stages={}, settings={}, notes={}))


def test_a_second_search_on_the_same_folder_is_refused(tmp_path: Path, matinee: Matinee) -> None:  # noqa: F811
    file = written(tmp_path)
    assert matinee("tune", file, "--runs", tmp_path / "runs", "--estimate").code == 0
    code = ("import sys, time; from pathlib import Path; from matinee import durable\n"
            f"with durable.lock(Path({str(found(tmp_path / 'runs'))!r})):\n"
            "    print('held', flush=True); time.sleep(60)")
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        assert matinee("tune", file, "--runs", tmp_path / "runs").code == 5
        holder.kill()
    with durable.lock(found(tmp_path / "runs")):
        pass


def test_the_worker_sees_no_test_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = experiment_from(settings(tmp_path), tmp_path).resolved()
    seen = []

    def spied(dataset: Any, split: Split, filters: Any) -> Any:
        seen.append(list(split.stages))
        return split_stages(dataset, split, filters)

    monkeypatch.setattr(worker, "split_stages", spied)
    bench = Bench.of(plain, tmp_path, tmp_path / "runs", 1)
    assert (bench.valid.name, seen) == ("valid", [["valid"]])
    assert [one for one in vars(bench).values() if isinstance(one, Split | Material)] == []


def test_the_first_trial_of_a_model_is_done_twice_and_the_second_counts() -> None:
    fitted: list[Any] = []

    class Quick:
        def lacking(self, id_: str) -> tuple[str, ...]:
            return ()

        def trial(self, id_: str, settings: Any, values: Path, go_on: Callable[[float], bool]) -> dict[str, Any]:
            fitted.append((id_, go_on(0.5)))
            return {"value": float(len(fitted))}

    class Line:
        said: ClassVar[list[Any]] = []

        def say(self, facts: Any) -> None:
            self.said.append(facts)

        def may_go_on(self, value: float) -> bool:
            return len(fitted) != 3

    known: set[str] = set()
    bench, channel = cast(Bench, Quick()), cast(worker.Channel, Line())
    answers = [worker._one(bench, {"id": id_, "settings": {}, "values": "x"}, channel, known) for id_ in "aab"]
    assert [answer["value"] for answer in answers] == [2.0, 3.0, 5.0]
    assert Line.said == [{"again": True}, {"again": True}]
    assert fitted == [("a", True), ("a", True), ("a", True), ("b", False), ("b", True)]  # the second is never stopped


def test_what_survives_is_chosen_by_others_than_measure() -> None:
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 1, (40, 400))
    chosen = noise.mean(axis=1).max() - noise[0].mean()
    assert survives(noise, 0, 0) + noise[0].mean() < 0.5 * chosen
    better = np.vstack([np.zeros(400), np.ones(400)])
    assert survives(better, 0, 0) == 1


def test_a_worker_dies_when_nobody_asks(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-m", "matinee.tune.worker"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, env=dict(os.environ)) as fitting:
        assert fitting.stdin is not None
        fitting.stdin.close()
        assert fitting.wait(60) == 0
