"""A model inside a model's recipe is part of what a fit depends on, of the manifest and of doing a run again."""

from __future__ import annotations

from pathlib import Path

from matinee.config import experiment_from
from matinee.experiment.fitting import Fitter
from matinee.experiment.folder import RunFolder
from matinee.experiment.reproduce import reproduce
from matinee.experiment.run import run
from tests.experiment.test_reproduce import silent
from tests.small_run import settings

INNER = '''"""Where a history stands is how much it holds of the even and of the odd items."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from matinee.contract import Recommender, Run
from matinee.scoring.history_factors import HistoryFactors


@dataclass(frozen=True, kw_only=True)
class Parity(Recommender):
    family: ClassVar[str] = "factors"
    slope: float = 1.0

    def fit(self, train, run=Run()):
        sides = np.eye(2, dtype=np.float32)[np.arange(train.n_items) % 2] * np.float32(self.slope)
        return HistoryFactors(sides, sides, np.zeros(train.n_items, np.float32), 0.0)
'''


def plain(inner: object, **changes: object) -> dict[str, object]:
    models = [{"id": "near", "model": "latent_neighbours", "neighbours": 9, "of": inner}]
    return settings(name="nested", models=models, ensembles=[], output={"which": []}, **changes)


def key(base: Path, inner: object) -> str:
    experiment = experiment_from(plain(inner), base)
    fitter = Fitter(experiment, 1, silent, lambda facts: None, base)

    class Events:
        hash = "same"

    class Stage:
        name = "valid"
        fit = Events()

    return fitter.key(experiment.models[0], Stage(), None, None)  # type: ignore[arg-type]


def test_a_fit_depends_on_the_file_and_the_settings_of_the_model_inside(tmp_path: Path) -> None:
    (tmp_path / "parity.py").write_text(INNER)
    first = key(tmp_path, "./parity.py")
    assert key(tmp_path, {"model": "./parity.py", "slope": 1.0}) == first
    assert key(tmp_path, {"model": "./parity.py", "slope": 2.0}) != first
    (tmp_path / "parity.py").write_text(INNER.replace("% 2]", "% 2].copy()"))
    assert key(tmp_path, "./parity.py") != first
    assert len({first, key(tmp_path, "pure_svd"), key(tmp_path, {"model": "als", "dim": 96}), key(tmp_path, None)}) == 4


def test_a_run_is_done_again_from_its_copy_of_the_model_inside(tmp_path: Path) -> None:
    (tmp_path / "parity.py").write_text(INNER)
    folder = run(experiment_from(plain({"model": "./parity.py", "slope": 2.0}), tmp_path), tmp_path / "runs")
    manifest = RunFolder.open(folder.path).manifest
    assert manifest["config"]["models"][0]["of"] == {"model": "parity.py", "slope": 2.0}
    (copy,) = manifest["outside"]["parity.py"]["files"]
    assert Path(copy).name == "parity.py"
    (tmp_path / "parity.py").unlink()
    verdict = reproduce(RunFolder.open(folder.path), tmp_path / "again", progress=silent, say=lambda line: None)
    assert verdict.results == ()


def test_another_file_inside_is_another_run(tmp_path: Path) -> None:
    (tmp_path / "parity.py").write_text(INNER)
    one = run(experiment_from(plain("./parity.py"), tmp_path), tmp_path / "runs")
    (tmp_path / "parity.py").write_text(INNER.replace("% 2]", "% 2].copy()"))
    two = run(experiment_from(plain("./parity.py"), tmp_path), tmp_path / "runs")
    assert one.id != two.id
