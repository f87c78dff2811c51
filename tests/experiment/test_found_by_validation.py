"""What a model finds by validation is found once, at valid, and kept for test and for the submission."""

from __future__ import annotations

from pathlib import Path

import pytest

from matinee import durable
from matinee.config import experiment_from
from matinee.experiment.run import run
from matinee.scoring import store
from tests.small_run import settings


@pytest.mark.parametrize("weights", [None, "recency_half_life"])
def test_the_number_of_clusters_is_found_at_valid_and_kept(tmp_path: Path, weights: str | None) -> None:
    entry = {"model": "user_clusters", "dim": 4, "weights": weights}
    plain = settings(models=[entry], ensembles=[], output={"which": ["user_clusters"]},
                     split={"protocol": "leave_last", "valid": 1, "test": 1, "refit": True})
    folder = run(experiment_from(plain, tmp_path), tmp_path / "runs")
    tried = [line for line in durable.read_lines(folder.journal)
             if line["event"] == "step-metrics" and "clusters" in line]
    assert [line["clusters"] for line in tried] == [10, 20, 50, 100, 200, 400]
    assert {line["part"] for line in tried} == {"valid"}
    best = max(tried, key=lambda line: line["validation"])["clusters"]
    recall = next(row["value"] for row in folder.metrics
                  if (row["part"], row["metric"], row["segment"]) == ("valid", "recall@10", None))
    assert recall == pytest.approx(max(line["validation"] for line in tried))
    fits = [line["stage"] for line in durable.read_lines(folder.journal)
            if line["event"] == "step" and line["stage"].startswith("fit:")]
    assert fits == ["fit:valid", "fit:test", "fit:final"]
    for stage in ("valid", "test", "final"):
        scorer, about = store.load(folder.model(stage, "user_clusters"))
        assert about["found"] == dict(scorer.found) == {"stop_at": best}
    said: list[str] = []
    again = run(experiment_from({**plain, "name": "again"}, tmp_path), tmp_path / "runs", say=said.append)
    assert [line for line in said if "reused" in line][-3:] == [
        f"user_clusters: reused for {stage}" for stage in ("valid", "test", "final")]
    assert again.metrics == folder.metrics
