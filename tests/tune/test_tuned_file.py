"""The file that a search makes is the experiment with other settings, wherever it stands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from matinee.config import Experiment, experiment_from, load_experiment
from matinee.tune.tuned_file import tuned_file
from tests.config.experiments import BASE


def full(folder: Path, **sections: Any) -> Experiment:
    """An experiment with a path of every kind, in a folder of its own."""
    folder.mkdir()
    for name in ("toy_model.py", "toy_unweighted.py"):
        (folder / name).write_bytes((BASE / name).read_bytes())
    for name in ("log.csv", "truth.csv", "dates.csv", "users.csv", "old.csv", "vectors.parquet"):
        (folder / name).write_text("")
    return experiment_from({
        "name": "films", "seed": 3, "question": "which: one, or [another]?",
        "data": {"path": "log.csv", "side": ["side"], "columns": {"user": "who"}, "min_rating": 3.5},
        "split": {"protocol": "given", "test": "truth.csv"},
        "evaluate": {"metrics": ["recall@10", "ndcg@10"], "segments": ["hidden_part"]},
        "filters": [{"kind": "available", "file": "dates.csv"}],
        "models": [
            {"id": "toy", "model": "./toy_model.py", "extra": "side/extra.bin", "since": "2020-01-01", "layers": [8]},
            {"id": "yes", "model": "ease", "l2": 20, "weights": {"kind": "recency_half_life"}},
            {"model": "latent_neighbours", "of": {"model": "als", "dim": 8}},
            {"id": "started", "model": "sasrec", "init_items": "vectors.parquet"},
        ],
        "ensembles": [{"id": "all", "method": "weighted_vote", "members": ["toy", "yes", {"file": "old.csv"}],
                       "weights": [1, 2, 3]}],
        "output": {"which": ["all"], "users": "users.csv"}, **sections,
    }, folder)


@pytest.mark.parametrize("place", [".", "runs/films-tune-1a2b3c4d", "../elsewhere"])
def test_it_reads_back_as_the_experiment_with_the_settings_found(tmp_path: Path, place: str) -> None:
    experiment = full(tmp_path / "here")
    folder = tmp_path / "here" / place
    folder.mkdir(parents=True, exist_ok=True)
    found = {"yes": {"l2": 904.0, "query_decay": 0.867}, "toy": {"mode": "mean", "label": None}}
    text = tuned_file(experiment, "ndcg@10", found, {"yes": "trial 6 of 14\nof which"}, ["Found.", ""], folder)
    (folder / "tuned.yaml").write_text(text)
    tuned = load_experiment(folder / "tuned.yaml")
    assert tuned.name == "films-tuned"
    assert tuned.evaluate.metrics == ("ndcg@10", "recall@10")
    wanted = experiment.resolved()
    wanted["models"][0].update(found["toy"])
    wanted["models"][1].update(found["yes"])
    wanted["name"], wanted["evaluate"] = tuned.name, tuned.resolved()["evaluate"]
    assert _settled(tuned.resolved(), folder) == _settled(wanted, experiment.base)


def test_what_nobody_changed_is_not_written_and_what_was_searched_is(tmp_path: Path) -> None:
    text = tuned_file(full(tmp_path / "here"), "recall@10", {"yes": {"l2": 500.0, "query_decay": 1.0}},
                      {"yes": "trial 6"}, ["Found."], tmp_path)
    lines = text.splitlines()
    assert lines[0] == "# Found."
    at = lines.index("  # trial 6")
    assert lines[at + 1].startswith('  - {id: "yes", model: ease, l2: 500.0, query_decay: 1.0, weights: {kind: ')
    assert "dropout" not in lines[at + 1]
    assert "tune:" not in text
    assert "k: 10" not in text


def _settled(value: Any, base: Path) -> Any:
    """With whatever is a path made absolute."""
    if isinstance(value, dict):
        return {key: inner if key in {"id", "name"} else _settled(inner, base) for key, inner in value.items()}
    if isinstance(value, list):
        return [_settled(inner, base) for inner in value]
    if isinstance(value, str) and ((base / value).exists() or value.startswith(("side", ".", "/")) or "side" in value):
        return str((base / value).resolve())
    return value
