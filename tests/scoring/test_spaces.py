"""The codes of autoencoders as a space for neighbours and clusters: fitted as its recipe says, stored with them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from matinee import config
from matinee.contract import Run, Scorer
from matinee.scoring import store
from matinee.scoring.autoencoder import Autoencoder
from matinee.scoring.clusters import UserClusters
from matinee.scoring.neighbours import LatentNeighbours
from matinee.testing.toy import U, planted

INSIDE = [
    {"model": "multi_dae", "dim": 16, "epochs": 30, "lr": 0.01, "batch_size": 64},
    {"model": "multi_vae", "dim": 16, "epochs": 30, "lr": 0.01, "batch_size": 64},
    {"model": "autorec", "dim": 6, "epochs": 40, "lr": 0.02, "batch_size": 64},
]
OUTSIDE: list[tuple[str, dict[str, Any]]] = [("latent_neighbours", {"neighbours": 12}), ("user_clusters", {})]


@pytest.mark.parametrize("of", INSIDE, ids=lambda of: of["model"])
@pytest.mark.parametrize(("model", "settings"), OUTSIDE, ids=[model for model, _ in OUTSIDE])
def test_an_autoencoder_inside_runs_all_its_epochs_and_its_codes_find_the_planted_tastes(
    model: str, settings: dict[str, Any], of: dict[str, Any], tmp_path: Path
) -> None:
    toy, told, judged = planted(), list[Mapping[str, Any]](), list[Scorer]()

    def judge(scorer: Scorer) -> float:
        judged.append(scorer)
        return toy.recall(scorer)

    recipe = config.recipe(model, {**settings, "of": of})
    run = Run(seed=1, threads=1, validate=judge, journal=told.append, checkpoint=tmp_path / "checkpoint")
    scorer = recipe.fit(toy.data, run)
    assert isinstance(scorer, LatentNeighbours | UserClusters)
    assert [row["epoch"] for row in told if "epoch" in row] == list(range(1, of["epochs"] + 1))
    assert not any(isinstance(one, Autoencoder) for one in judged)
    told.clear()
    kept = recipe.fit(toy.data, run)  # from its checkpoints, which are deleted by whoever stores the model
    assert [row.get("event") for row in told if "epoch" in row] == ["resumed", "trained-before"]
    np.testing.assert_array_equal(kept.score(toy.queries()), scorer.score(toy.queries()))
    assert isinstance(scorer.space, Autoencoder)
    assert scorer.space.found == {}
    assert toy.recall(scorer) >= 0.95
    assert toy.recall(scorer, known=np.zeros(U, np.int64)) >= 0.95
    store.save(scorer, tmp_path / "model", about={})
    again = store.load(tmp_path / "model")[0]
    np.testing.assert_array_equal(again.score(toy.queries()), scorer.score(toy.queries()))


def test_where_the_model_outside_stopped_is_nothing_to_the_one_inside() -> None:
    toy, told = planted(), list[Mapping[str, Any]]()
    recipe = config.recipe("user_clusters", {"of": INSIDE[0]})
    scorer = recipe.fit(toy.data, Run(seed=1, threads=1, stop_at=7, journal=told.append))
    assert isinstance(scorer, UserClusters)
    assert len(scorer.centres) == 7
    assert len(told) == INSIDE[0]["epochs"]
