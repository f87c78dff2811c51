"""A run done again from its manifest."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from matinee import durable
from matinee.config import experiment_from
from matinee.errors import ModelError
from matinee.experiment.folder import RunFolder
from matinee.experiment.reproduce import reproduce
from matinee.experiment.run import run
from tests.small_run import settings

OUTSIDE = '''"""Scores by position, a model from outside."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from matinee.contract import Recommender, Run
from matinee.scoring.constant import Constant


@dataclass(frozen=True, kw_only=True)
class Position(Recommender):
    family: ClassVar[str] = "baseline"
    personal: ClassVar[bool] = False
    slope: float = 1.0

    def fit(self, train, run=Run()):
        return Constant((self.slope * np.arange(train.n_items)).astype(np.float32))
'''


def silent(what: str, done: int, total: int) -> None:
    pass


def test_every_bit_is_the_same(small: RunFolder, tmp_path: Path) -> None:
    verdict = reproduce(small, tmp_path, progress=silent, say=lambda line: None)
    assert verdict.results == ()
    assert verdict.surroundings == ()
    assert verdict.compared > 30


def test_a_result_that_was_changed_is_named(small: RunFolder, tmp_path: Path) -> None:
    base = Path(small.manifest["base"])
    folder = run(experiment_from(settings(name="changed", output={"which": []}), base), tmp_path / "runs")
    rows = json.loads((folder.path / "metrics.json").read_text())
    rows["rows"][0]["value"] += 0.5
    durable.write_json(folder.path / "metrics.json", rows)
    verdict = reproduce(RunFolder.open(folder.path), tmp_path / "again", progress=silent, say=lambda line: None)
    assert len(verdict.results) == 1
    assert verdict.results[0].startswith("metrics.json: random_items")


def test_an_outside_model_that_is_gone_is_taken_from_the_runs_copy(tmp_path: Path) -> None:
    file = tmp_path / "position.py"
    file.write_text(OUTSIDE)
    changed = settings(models=[{"model": "./position.py", "slope": 2.0}], ensembles=[], output={"which": ["position"]})
    folder = run(experiment_from(changed, tmp_path), tmp_path / "runs")
    file.unlink()
    verdict = reproduce(RunFolder.open(folder.path), tmp_path / "again", progress=silent, say=lambda line: None)
    assert verdict.results == ()


def test_data_that_is_gone_is_taken_from_the_runs_copy_and_told(tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    rows = [f"사용자{u},{i},{1_000_000 + 97 * u + i}" for u in range(40) for i in range(u % 7, u % 7 + 20)]
    log.write_text("\n".join(["user,item,time", *rows]) + "\n")
    changed = settings(data={"path": "log.csv"}, models=[{"model": "popularity"}], ensembles=[], output={"which": []})
    folder = run(experiment_from(changed, tmp_path), tmp_path / "runs")
    log.write_text("\n".join(["user,item,time", *rows[:-3]]) + "\n")
    verdict = reproduce(RunFolder.open(folder.path), tmp_path / "again", progress=silent, say=lambda line: None)
    assert verdict.results == ()
    assert len(verdict.surroundings) == 1
    assert verdict.surroundings[0].startswith("data: ")
    log.unlink()
    verdict = reproduce(RunFolder.open(folder.path), tmp_path / "again", progress=silent, say=lambda line: None)
    assert verdict.results == ()
    assert "cannot be read where it was" in verdict.surroundings[0]


def test_other_code_is_told(small: RunFolder, tmp_path: Path) -> None:
    manifest = json.loads((small.path / "manifest.json").read_text())
    manifest["code"]["package"] = "0" * 64
    manifest["packages"]["numpy"] = "1.0"
    copy = tmp_path / "copy"
    shutil.copytree(small.path, copy)
    durable.write_json(copy / "manifest.json", manifest)
    verdict = reproduce(RunFolder.open(copy), tmp_path / "again", progress=silent, say=lambda line: None)
    assert any(line.startswith("code: package 000000000000 then") for line in verdict.surroundings)
    assert any(line.startswith("numpy: 1.0 then") for line in verdict.surroundings)
    assert verdict.results == ()


def test_a_run_that_was_stopped_has_nothing_to_compare(small: RunFolder, tmp_path: Path) -> None:
    base = Path(small.manifest["base"])

    class Stop(Exception):
        pass

    def stop(line: str) -> None:
        if line == "evaluating":
            raise Stop

    with pytest.raises(Stop):
        run(experiment_from(settings(name="stopped"), base), tmp_path, say=stop)
    folder = RunFolder.open(next(tmp_path.glob("stopped-*")))
    with pytest.raises(ModelError, match="stopped before its end"):
        reproduce(folder, tmp_path / "again", progress=silent, say=lambda line: None)


def test_a_second_reproduction_reuses_nothing_of_the_first(small: RunFolder, tmp_path: Path) -> None:
    for _ in range(2):
        said: list[str] = []
        verdict = reproduce(small, tmp_path, progress=silent, say=said.append)
        assert verdict.results == ()
        assert not any("reused" in line for line in said)
    assert sorted(path.name for path in tmp_path.iterdir()) == [small.id, f"{small.id}-2"]
