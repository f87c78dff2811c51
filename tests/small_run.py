"""A small experiment on a generated log: five models, three ensembles, two submissions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matinee.config import experiment_from
from matinee.experiment.folder import RunFolder
from matinee.report.whole import carry_out


def settings(**changes: Any) -> dict[str, Any]:
    """The plain values of the small experiment, with some sections replaced."""
    return {
        "name": "small",
        "data": {"path": "synthetic:300x90:3"},
        "split": {"protocol": "gap_and_tail"},
        "evaluate": {"metrics": ["recall@10", "ndcg@10", "coverage@10"], "segments": ["hidden_part"]},
        "models": [
            {"model": "random_items"},
            {"model": "popularity"},
            {"model": "item_knn", "neighbours": 20},
            {"id": "ease_recent", "model": "ease", "l2": 20.0, "weights": "recency_half_life"},
            {"model": "als", "dim": 8, "epochs": 3},
        ],
        "ensembles": [
            {"id": "ranks", "method": "rank_sum", "members": ["ease_recent", "als", "item_knn"]},
            {"id": "nested", "method": "weighted_vote", "members": ["ranks", "popularity"], "weights": [3, 1]},
            {"id": "blend", "method": "score_blend", "members": ["ease_recent", "als"], "weights": "tuned"},
        ],
        "output": {"which": ["nested", "blend"], "submission": "boostcamp"},
        **changes,
    }


def finished(base: Path, **changes: Any) -> RunFolder:
    """Carry the small experiment out below `base/runs`."""
    return carry_out(experiment_from(settings(**changes), base), base / "runs")
