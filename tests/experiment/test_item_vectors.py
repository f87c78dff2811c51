"""Models that begin at the item vectors of a file or of another run."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from matinee.config import experiment_from
from matinee.data.item_vectors import ItemVectors, write
from matinee.errors import ConfigError, DataError, ModelError
from matinee.experiment.folder import RunFolder
from matinee.experiment.reproduce import reproduce
from matinee.experiment.run import run
from matinee.scoring import store

BEGINS = '''"""Scores by the first number of the vectors that it begins at, a model from outside."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from matinee.contract import Recommender, Run
from matinee.numerics.start_vectors import found_elsewhere, start_vectors
from matinee.scoring.constant import Constant


@dataclass(frozen=True, kw_only=True)
class Begins(Recommender):
    family: ClassVar[str] = "baseline"
    personal: ClassVar[bool] = False
    start: str = "tfidf"

    def named_vectors(self):
        return found_elsewhere(self.start)

    def fit(self, train, run=Run()):
        return Constant(start_vectors(train, self.start, 2, np.random.default_rng(run.seed), spread=1.0)[:, 0].copy())
'''


def settings(start: str, **changes: Any) -> dict[str, Any]:
    return {
        "name": "begun",
        "data": {"path": "synthetic:80x30:3"},
        "split": {"protocol": "gap_and_tail", "refit": True},
        "models": [{"id": "begins", "model": "./begins.py", "start": start}],
        "output": {"which": ["begins"]},
        **changes,
    }


def silent(what: str, done: int, total: int) -> None:
    pass


def carried_out(base: Path, start: str, lines: list[str] | None = None, **changes: Any) -> RunFolder:
    (base / "begins.py").write_text(BEGINS)
    say = (lambda line: None) if lines is None else lines.append
    return RunFolder.open(run(experiment_from(settings(start, **changes), base), base / "runs", say=say).path)


def a_file(path: Path, seed: int = 0, n: int = 30) -> Path:
    items = pl.Series(carried_items()[:n])
    write(path, ItemVectors.of(items, np.random.default_rng(seed).standard_normal((len(items), 3))))
    return path


def carried_items() -> list[str]:
    from matinee.data.load import load

    return load("synthetic:80x30:3").items.series.to_list()


def scores(folder: RunFolder, stage: str, id_: str = "begins") -> np.ndarray:
    scorer: Any = store.load(folder.model(stage, id_))[0]
    return scorer.item_scores


def factors(base: Path, **changes: Any) -> RunFolder:
    """A run with something to begin at, and something that is nothing to begin at."""
    models = [{"model": "als", "dim": 4, "epochs": 2}, {"id": "old", "model": "als", "dim": 4, "epochs": 2,
                                                        "weights": "recency_half_life"}, {"model": "ease"}]
    ensembles = [{"id": "both", "method": "rank_sum", "members": ["als", "ease"]}]
    return carried_out(base, "tfidf", models=models, ensembles=ensembles, **{"output": {"which": ["als"]}, **changes})


def test_a_file_is_found_beside_the_experiment_and_kept(tmp_path: Path) -> None:
    lines: list[str] = []
    a_file(tmp_path / "v.parquet", n=20)
    folder = carried_out(tmp_path, "v.parquet", lines)
    assert "v.parquet: 20 of 30 items have a vector of 3 numbers" in lines
    assert (scores(folder, "valid") == scores(folder, "final")).all()
    assert sorted(folder.vectors["v.parquet"]) == ["final", "test", "valid"]
    (tmp_path / "v.parquet").unlink()
    verdict = reproduce(folder, tmp_path / "again", progress=silent, say=lambda line: None)
    assert (verdict.results, verdict.surroundings) == ((), ())
    (kept,) = (folder.path / "vectors").iterdir()
    a_file(kept, seed=1)
    with pytest.raises(ModelError, match="damaged: these item vectors are not what was written"):
        _ = RunFolder.open(folder.path).vectors


def test_other_content_of_a_file_is_another_run_and_another_fit(tmp_path: Path) -> None:
    a_file(tmp_path / "v.parquet")
    first = carried_out(tmp_path, "v.parquet")
    lines: list[str] = []
    shutil.copy(tmp_path / "v.parquet", tmp_path / "same.parquet")
    assert carried_out(tmp_path, "v.parquet", lines).id == first.id
    a_file(tmp_path / "v.parquet", seed=1)
    second = carried_out(tmp_path, "v.parquet", lines)
    assert second.id != first.id
    assert not [line for line in lines if "begins: reused" in line]
    assert (scores(first, "valid") != scores(second, "valid")).any()


def test_another_run_gives_each_stage_what_it_fitted_there(tmp_path: Path) -> None:
    other = factors(tmp_path)
    folder = carried_out(tmp_path, f"{other.id}/als")
    starts = folder.vectors[f"{other.id}/als"]
    for stage in ("valid", "test", "final"):
        scorer: Any = store.load(other.model(stage, "als"))[0]
        np.testing.assert_array_equal(starts[stage].values, scorer.item_factors)
    assert (scores(folder, "valid") != scores(folder, "test")).any()
    assert (scores(folder, "test") != scores(folder, "final")).any()
    shutil.rmtree(other.path)
    verdict = reproduce(folder, tmp_path / "again", progress=silent, say=lambda line: None)
    assert verdict.results == ()


def test_where_a_run_has_no_final_model_that_of_test_is_taken(tmp_path: Path) -> None:
    other = factors(tmp_path, output={"which": []})
    starts = carried_out(tmp_path, f"{other.id}/old").vectors[f"{other.id}/old"]
    assert starts["final"].hash == starts["test"].hash != starts["valid"].hash


@pytest.mark.parametrize(
    ("start", "error", "said"),
    [
        ("{run}", ConfigError, "no-vectors: 'begun-.*' names a run and none of its entries; write RUN/ID"),
        ("{run}/ease", ModelError, "no-vectors: begun-.*/ease is a DenseItemItem and has no vectors of items"),
        ("{run}/both", ModelError, "no-vectors: begun-.*/both is an ensemble"),
        ("{run}/none", ModelError, "no-model: begun-.*/none has no model of the stage valid"),
        ("nowhere/als", ModelError, "no-run: no run answers to 'nowhere/als'"),
        ("nowhere.csv", DataError, "nowhere.csv: no-file"),
        ("begins.py", DataError, "unknown-format: 'begins.py' is no file of vectors"),
        ("strange.csv", DataError, "nothing-in-common"),
    ],
)
def test_what_cannot_be_begun_at_is_refused_before_anything_is_fitted(
    tmp_path: Path, start: str, error: type[Exception], said: str
) -> None:
    other = factors(tmp_path, output={"which": []})
    (tmp_path / "strange.csv").write_text("item,x\nnobody,1\n")
    with pytest.raises(error, match=said):
        carried_out(tmp_path, start.format(run=other.id))
    assert len(list((tmp_path / "runs").iterdir())) == 2  # the other run, and the cache


def test_a_run_of_another_split_may_know_what_is_hidden(tmp_path: Path) -> None:
    other = factors(tmp_path, split={"protocol": "leave_last"})
    with pytest.raises(ModelError, match=r"other-split: .*/als was made on another split, so it may know"):
        carried_out(tmp_path, f"{other.id}/als")


def test_a_model_inside_a_recipe_is_looked_into_and_old_manifests_have_no_vectors(tmp_path: Path) -> None:
    folder = factors(tmp_path)
    assert folder.vectors == {}
    manifest = json.loads((folder.path / "manifest.json").read_text())
    del manifest["vectors"]
    (folder.path / "manifest.json").write_text(json.dumps(manifest))
    assert RunFolder.open(folder.path).vectors == {}


def with_an_order(start: str) -> dict[str, Any]:
    """A model that begins somewhere, and an order of what it finds."""
    ranker = {"model": "boosted_ranker", "trees": 5, "patience": 2, "least": 5, "leaves": 7,
              "candidates": {"from": ["begins"], "depth": 10}}
    return {"models": [{"id": "begins", "model": "./begins.py", "start": start}, ranker]}


def test_a_first_stage_may_begin_at_a_file(tmp_path: Path) -> None:
    a_file(tmp_path / "v.parquet")
    folder = carried_out(tmp_path, "", **with_an_order("v.parquet"))
    verdict = reproduce(folder, tmp_path / "again", progress=silent, say=lambda line: None)
    assert verdict.results == ()


def test_a_first_stage_may_not_begin_at_a_model_that_has_learnt_what_the_order_is_taught_by(tmp_path: Path) -> None:
    other = factors(tmp_path)
    with pytest.raises(ConfigError, match=r"leak: begins begins at vectors of .*/als, which has learnt .* file"):
        carried_out(tmp_path, "", **with_an_order(f"{other.id}/als"))
