"""Every model of the house can be fitted again from a run's manifest, to the bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from matinee import catalog
from matinee.config import experiment_from
from matinee.experiment.folder import RunFolder
from matinee.experiment.reproduce import reproduce
from matinee.experiment.run import run
from matinee.testing import Subject

SHORT = {"epochs": 2, "validate_every": 1, "pretrain_epochs": 1}
NEEDS = {"user_profile": "its tiny settings weigh directors, which these data do not have"}


def entry(name: str) -> dict[str, Any]:
    """At the model's tiny settings, with features and candidates where it reads them, two epochs at most."""
    subject = Subject(name)
    kind, tiny = subject.kind, {} if name in NEEDS else subject.tiny
    found = {"model": name, **tiny, **{key: value for key, value in SHORT.items() if key in subject.fields}}
    if kind.orders_candidates:
        found["candidates"] = {"from": ["first"], "depth": 20}
    if kind.orders_candidates or kind.honours_features:
        found["features"] = ["item_count", "genre"]
    return found


@pytest.mark.slow
def test_every_model_is_the_same_to_the_bit(tmp_path: Path) -> None:
    settings = {"name": "all", "data": {"path": "embedded:movietweetings", "sample_users": 0.05},
                "split": {"protocol": "gap_and_tail"}, "output": {"which": []},
                "models": [{"id": "first", "model": "ease"}, *map(entry, catalog.names()),
                           {**entry("deep_fm"), "id": "second", "taught_by": "candidates",
                            "candidates": {"from": ["first"], "depth": 20}}]}
    folder = run(experiment_from(settings, tmp_path), tmp_path / "runs")
    verdict = reproduce(RunFolder.open(folder.path), tmp_path / "again",
                        progress=lambda what, done, total: None, say=lambda line: None)
    assert verdict.results == ()
    assert verdict.surroundings == ()
    assert verdict.compared > 2 * len(catalog.names())
