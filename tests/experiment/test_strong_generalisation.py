"""The experiment for MovieLens-20M, carried out on MovieLens-1M: users that no model has seen."""

from __future__ import annotations

from pathlib import Path

import pytest

from matinee.config import load_experiment
from matinee.experiment.run import run
from tests.architecture.source import PROJECT
from tests.paths import data_folder

SMALL = ["split.valid_users=0.1", "split.test_users=0.1", "data.sample_users=0.3", "models.rec_vae.epochs=1",
         "models.rec_vae.hidden=[100]",
         "models.multi_dae.hidden=[]", "models.multi_vae.hidden=[200]",
         *(f"models.{model}.{setting}" for model in ("multi_dae", "multi_vae")
           for setting in ("epochs=12", "lr=0.005", "batch_size=100"))]


@pytest.mark.slow
def test_unseen_users_are_served_by_every_model(tmp_path: Path) -> None:
    file = PROJECT / "configs/experiments/ml20m_unseen_users.yaml"
    folder = run(load_experiment(file, [f"data.path={data_folder('ml-1m')}", *SMALL]), tmp_path)
    rows = {row["id"]: row for row in folder.metrics if row["part"] == "test" and row["metric"] == "recall@20"}
    assert set(rows) == {"popularity", "ease", "multi_dae", "multi_vae", "rec_vae"}
    assert len({row["users"] for row in rows.values()}) == 1
    for name in ("ease", "multi_dae", "multi_vae"):
        assert rows[name]["value"] > rows["popularity"]["value"], name
