"""Models of pairs in an experiment: over the whole catalogue with an estimate first, and as a second stage."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import matinee
from matinee.config import experiment_from
from matinee.contract import Masks, Run, Scorer
from matinee.data.dataset import Dataset
from matinee.errors import ConfigError
from matinee.experiment import fitting, leading
from matinee.experiment.folder import RunFolder
from matinee.experiment.run import run
from matinee.experiment.stages import StageData
from matinee.models.wide_deep import WideDeep
from matinee.numerics.topk import select
from matinee.scoring import store
from matinee.scoring.deep_pairs import DeepPairs
from matinee.scoring.ordered_pairs import OrderedPairs
from matinee.scoring.reranked import Reranked

DATA = "synthetic:300x90:3"
ENTRY: dict[str, Any] = {"model": "wide_deep", "dim": 4, "hidden": [8], "epochs": 2, "features": ["item_count"]}
FIRST: list[dict[str, Any]] = [{"model": "item_knn"}, {"model": "popularity"}]
CANDIDATES = {"from": ["item_knn", "popularity"], "depth": 15}


def experiment(*entries: dict[str, Any]) -> Any:
    plain = {"name": "pairs", "data": {"path": DATA}, "models": [*FIRST, *entries],
             "evaluate": {"metrics": ["recall@10"]}}
    return experiment_from(plain, Path.cwd())


@pytest.fixture(scope="module")
def told() -> list[str]:
    return []


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, told: list[str]) -> RunFolder:
    entries = ENTRY, {**ENTRY, "id": "second", "weights": {"kind": "time"}, "candidates": CANDIDATES}
    return run(experiment(*entries), tmp_path_factory.mktemp("runs"), threads=1, say=told.append)


def stored(folder: RunFolder, id_: str) -> Scorer:
    return store.load(folder.model("test", id_))[0]


def test_without_candidates_it_scores_the_whole_catalogue_and_says_before_how_long_it_takes(
    folder: RunFolder, told: list[str]
) -> None:
    assert isinstance(stored(folder, "wide_deep"), DeepPairs)
    lines = [line for line in told if "pairs at test, about" in line]
    assert len(lines) == 1
    assert lines[0].startswith("wide_deep: ")


def test_with_candidates_it_orders_them_and_leaves_the_rest_to_the_first_model(folder: RunFolder) -> None:
    second, stage = stored(folder, "second"), matinee.stages(matinee.load(DATA))["test"]
    assert isinstance(second, Reranked)
    assert isinstance(second.inner, DeepPairs)
    queries = stage.ask(stage.users)
    seen = Masks(queries.history.indptr, queries.history.items)
    lists = [select(one.score(queries), 15, seen)[0] for one in second.sources]
    first, inner, got = second.sources[0].score(queries), second.inner.score(queries), second.score(queries)
    for user in range(0, len(queries), 20):
        found = np.unique(np.concatenate([mine[user] for mine in lists]))
        found = found[found >= 0]
        rest = np.setdiff1d(np.arange(second.n_items), found)
        assert np.array_equal(got[user, found], inner[user, found])
        assert got[user, rest].max() < got[user, found].min()
        assert (np.diff(got[user, rest[np.argsort(first[user, rest], kind="stable")]]) >= 0).all()


def test_a_model_that_cannot_rerank_refuses_candidates() -> None:
    with pytest.raises(ConfigError, match="fm does not re-rank candidates"):
        experiment({"model": "fm", "candidates": CANDIDATES})


def test_hard_negatives_are_what_the_first_stage_finds_beside_the_training_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learnt_from: list[Dataset] = []
    before = WideDeep.fit

    def fit(self: WideDeep, train: Dataset, run: Run = Run()) -> DeepPairs:
        learnt_from.append(train)
        return before(self, train, run)

    monkeypatch.setattr(WideDeep, "fit", fit)
    one, other = ({**ENTRY, "id": f"hard_{number}", "hard": hard, "candidates": CANDIDATES}
                  for number, hard in enumerate((0.0, 1.0)))
    folder = run(experiment(one, other), tmp_path / "runs", threads=1)
    without, beside = learnt_from[0], learnt_from[-1]
    found = beside.candidates
    assert without.candidates is None
    assert found is not None
    assert found.users.tolist() == np.flatnonzero(beside.log.counts).tolist()
    assert not found.hidden.any()
    log = beside.log.matrix()
    for row, user in enumerate(found.users):
        own = found.items[row][found.items[row] >= 0]
        assert 0 < len(own) <= 30
        assert not log[[user]].toarray()[0, own].any()
    queries = matinee.stages(matinee.load(DATA))["test"].ask(np.arange(20))
    assert not np.array_equal(*(stored(folder, id_).score(queries) for id_ in ("hard_0", "hard_1")))


def test_a_model_of_pairs_is_validated_by_some_users_always_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[int]] = []
    before = StageData.recommend

    def recommend(self: StageData, scorer: Scorer, k: int, **rest: Any) -> Any:
        if isinstance(scorer, DeepPairs) and self.name == "valid" and "progress" not in rest:
            asked.append(rest["users"].tolist())
        return before(self, scorer, k, **rest)

    monkeypatch.setattr(StageData, "recommend", recommend)
    monkeypatch.setattr(fitting, "SAMPLE", 20)
    run(experiment(ENTRY), tmp_path / "runs", threads=1)
    assert len(asked) == ENTRY["epochs"]
    assert len(asked[0]) == 20
    assert all(users == asked[0] for users in asked)


def test_taught_by_candidates_it_is_a_second_stage_as_the_trees_are(tmp_path: Path) -> None:
    told: list[str] = []
    entry = {**ENTRY, "id": "taught", "taught_by": "candidates", "candidates": CANDIDATES}
    folder = run(experiment(entry), tmp_path / "runs", threads=1, say=told.append)
    second = stored(folder, "taught")
    assert isinstance(second, OrderedPairs)
    assert [type(one) for one in second.sources] == [type(stored(folder, one["model"])) for one in FIRST]
    assert second.found["stop_at"] in (1, 2)
    assert any(line.startswith("taught: at test") for line in told)
    assert not list((folder.path).rglob("*.inner")), "what it takes to go on with a fit is kept after it"
    again: list[str] = []
    other = {**entry, "id": "same_again"}
    run(experiment(entry, other), tmp_path / "runs", threads=1, say=again.append)
    assert "taught: reused for valid" in again


def test_taught_by_candidates_it_needs_some_and_takes_no_confidence() -> None:
    entry = {**ENTRY, "id": "taught", "taught_by": "candidates"}
    with pytest.raises(ConfigError, match="wide_deep orders what other models find, and none is named"):
        experiment(entry)
    with pytest.raises(ConfigError, match="wide_deep does not honour confidence weights of candidates"):
        experiment({**entry, "candidates": CANDIDATES, "weights": {"kind": "time"}})


def test_several_processes_are_told_that_one_alone_has_candidates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leading, "processes", SimpleNamespace(count=lambda: 2))
    for more in ({"taught_by": "candidates"}, {"hard": 0.5}):
        with pytest.raises(ConfigError, match="wide_deep learns from candidates, which one process alone has"):
            run(experiment({**ENTRY, **more, "candidates": CANDIDATES}), tmp_path / "runs", threads=1)
    assert not list((tmp_path / "runs").rglob("*")), "nothing is done before"
