"""A second stage: taught on what its first stage could not know, asked beside one that knows everything."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import matinee
from matinee.config import CandidateSettings, experiment_from
from matinee.contract import Queries, Run
from matinee.data.dataset import Dataset
from matinee.errors import ConfigError
from matinee.experiment.fitting import Fitter
from matinee.experiment.folder import RunFolder
from matinee.experiment.run import run
from matinee.experiment.stages import StageData
from matinee.experiment.two_stage import candidates, inner_stage, recalls, second_stage
from matinee.features.fitted import with_features
from matinee.models.boosted_ranker import BoostedRanker
from matinee.models.item_knn import ItemKNN
from matinee.models.popularity import Popularity
from matinee.report.whole import carry_out
from matinee.scoring import store
from matinee.scoring.boosted import BoostedCandidates, table
from matinee.scoring.first_stage import found_by
from matinee.split.gap_and_tail import GapAndTail
from matinee.split.given import Given
from tests.reference import two_stage as reference

SETTINGS = CandidateSettings(sources=("item_knn", "popularity"), depth=15)
FEATURES = ["item_count", "user_count", "item_percentile"]
RANKER = BoostedRanker(trees=20, patience=3, least=5, leaves=7, lr=0.2)
RECIPES: dict[str, Any] = {"item_knn": ItemKNN(), "popularity": Popularity()}


def data() -> Dataset:
    return matinee.load("synthetic:300x90:3")


def stages() -> dict[str, StageData]:
    return matinee.stages(data())


def silent(what: str, done: int, total: int) -> None:
    pass


def taught(train: Dataset, features: list[str] = FEATURES, ranker: BoostedRanker = RANKER) -> BoostedCandidates:
    inner = inner_stage(GapAndTail(), "valid", train)
    found = candidates([one.fit(inner.fit) for one in RECIPES.values()], inner, SETTINGS, 0, silent)
    order = second_stage(found, inner, train, knowing=[one.fit(train) for one in RECIPES.values()],
                         teach=lambda data: ranker.fit(with_features(data, features), Run(threads=1)))
    assert isinstance(order, BoostedCandidates)
    return order


def test_the_first_stage_is_taught_without_what_the_order_is_taught_by() -> None:
    train = stages()["valid"].fit
    inner = inner_stage(GapAndTail(), "valid", train)
    assert inner.truth is not None
    hidden = {(int(user), int(item)) for user, row in zip(inner.truth.users, np.split(
        inner.truth.items, inner.truth.indptr[1:-1]), strict=True) for item in row}
    known = set(zip(inner.fit.log.users.tolist(), inner.fit.log.items.tolist(), strict=True))
    assert hidden
    assert not hidden & known
    assert hidden | known == set(zip(train.log.users.tolist(), train.log.items.tolist(), strict=True))
    assert inner.given is inner.fit.log


def test_candidates_are_the_lists_of_all_with_what_is_hidden_among_them() -> None:
    inner = inner_stage(GapAndTail(), "valid", stages()["valid"].fit)
    sources = [one.fit(inner.fit) for one in RECIPES.values()]
    found = candidates(sources, inner, SETTINGS, 0, silent)
    assert inner.truth is not None
    assert np.array_equal(found.users, inner.users)
    assert found.hidden.any()
    for at, user in enumerate(found.users.tolist()):
        queries = inner.ask(np.array([user]))
        seen = set(queries.history.items.tolist())
        want = reference.union([reference.best(one.score(queries)[0], SETTINGS.depth, seen) for one in sources])
        n = len(want)
        assert found.items[at, :n].tolist() == list(want)
        assert (found.items[at, n:] == -1).all()
        assert found.ranks[at, :n].tolist() == list(want.values())
        row = int(np.searchsorted(inner.truth.users, user))
        hidden = set(inner.truth.items[inner.truth.indptr[row] : inner.truth.indptr[row + 1]].tolist())
        assert found.hidden[at].tolist() == [item in hidden for item in found.items[at].tolist()]
        for source, one in enumerate(sources):
            scores = reference.standardised(one.score(queries)[0])[found.items[at, :n]]
            np.testing.assert_allclose(found.scores[at, :n, source], scores, atol=1e-4)


def test_at_most_so_many_users_teach() -> None:
    inner = inner_stage(GapAndTail(), "valid", stages()["valid"].fit)
    sources = [one.fit(inner.fit) for one in RECIPES.values()]
    few, again = (candidates(sources, inner, replace(SETTINGS, users=40), 3, silent) for _ in range(2))
    assert len(few) == 40
    assert np.array_equal(few.users, again.users)
    assert set(few.users) < set(inner.users)
    assert not np.array_equal(few.users, candidates(sources, inner, replace(SETTINGS, users=40), 4, silent).users)


def test_lists_are_the_candidates_in_the_trees_order_and_the_rest_below() -> None:
    stage = stages()["valid"]
    scorer = taught(stage.fit)
    queries = stage.ask(stage.users[:12])
    scores = scorer.score(queries)
    for at in range(12):
        one = queries.take(np.array([at]))
        items, z, ranks, first = found_by(scorer.sources, one, SETTINGS.depth, repeats=False)
        values = [float(scorer.trees.sums(table(items[:, place : place + 1], z[:, place : place + 1],
                                                ranks[:, place : place + 1], scorer.learnt, one))[0])
                  for place in range(items.shape[1])]  # each candidate by itself
        want = reference.order(items[0].tolist(), values, first[0])
        got = sorted(range(90), key=lambda item: (-scores[at, item], item))
        assert got[: items.shape[1]] == want[: items.shape[1]]
        assert got == want


def test_what_the_order_stands_on_is_of_the_stage_and_not_of_the_teaching() -> None:
    train = stages()["valid"].fit
    scorer = taught(train)
    counts = scorer.learnt["item_count"]["column"].values  # type: ignore[union-attr]
    np.testing.assert_allclose(counts, np.log1p(train.log.item_counts()))
    queries = stages()["valid"].ask(np.arange(5))
    for source, recipe in zip(scorer.sources, RECIPES.values(), strict=True):
        assert np.array_equal(source.score(queries), recipe.fit(train).score(queries))


def test_it_is_better_than_what_it_puts_into_order() -> None:
    stage = matinee.stages(matinee.load("synthetic:3000x300:3"))["valid"]
    own = {name: recipe.fit(stage.fit) for name, recipe in RECIPES.items()}
    own["order"] = taught(stage.fit, ranker=BoostedRanker(trees=100, least=50, leaves=15))
    found = {name: stage.measure(stage.recommend(one, 10), ["recall@10"])[0].value for name, one in own.items()}
    assert found["order"] > max(found["item_knn"], found["popularity"]), found


def test_somebody_new_and_an_empty_history_are_served() -> None:
    stage = stages()["valid"]
    scorer = taught(stage.fit)
    empty = Queries.of(stage.given.take(np.array([0])).select(np.zeros(int(stage.given.counts[0]), bool)))
    assert np.isfinite(scorer.score(empty)).all()
    known = stage.ask(np.array([4]))
    new = Queries.of(known.history, attributes=known.attributes)
    assert np.array_equal(np.argsort(-scorer.score(new)[0], kind="stable")[:10],
                          np.argsort(-scorer.score(known)[0], kind="stable")[:10])


def experiment(base: Path, **changes: Any) -> Any:
    plain = {"name": "two_stages", "data": {"path": "synthetic:300x90:3"}, "evaluate": {"metrics": ["recall@10"]},
             "models": [{"id": "ranked", "model": "boosted_ranker", "trees": 20, "least": 5,
                         "candidates": {"from": ["item_knn", "popularity"], "depth": 15}, "features": FEATURES},
                        {"model": "item_knn"}, {"model": "popularity"}],
             "output": {"which": ["ranked"]}, **changes}
    return experiment_from(plain, base)


def test_a_run_fits_both_stages_and_its_model_comes_back(tmp_path: Path) -> None:
    said: list[str] = []
    folder = run(experiment(tmp_path), tmp_path / "runs", say=said.append, threads=1)
    shares = json.loads((folder.path / "candidates/test/ranked.json").read_text())
    assert any(f"hold {shares['together']:.3f} of what is hidden" in line for line in said)
    assert max(shares["item_knn"], shares["popularity"]) <= shares["together"] <= 1
    scorer = store.load(folder.model("valid", "ranked"))[0]
    assert isinstance(scorer, BoostedCandidates)
    stage = matinee.stages(data())["test"]
    assert recalls(scorer.sources, stage, replace(SETTINGS)) == pytest.approx(shares)
    assert store.load(folder.model("final", "ranked"))[0].found["stop_at"] == scorer.found["stop_at"]
    assert (folder.path / "submission/ranked.csv").is_file()
    page = carry_out(experiment(tmp_path), tmp_path / "runs", threads=1).path / "report.html"
    assert "What ranked puts into order" in page.read_text()
    again = run(experiment(tmp_path), tmp_path / "other", threads=1)
    assert same_lists(folder, again)


def test_a_run_teaches_by_a_first_stage_that_knows_less(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fits: list[tuple[str, str, int, bool]] = []
    before = Fitter.fit

    def fit(self: Fitter, entry: Any, stage: StageData, *rest: Any) -> Any:
        fits.append((entry.id, stage.name, len(stage.fit.log), stage.fit.candidates is not None))
        return before(self, entry, stage, *rest)

    monkeypatch.setattr(Fitter, "fit", fit)
    run(experiment(tmp_path, output={}), tmp_path / "runs", threads=1)
    events = {(id_, stage): n for id_, stage, n, _ in fits}
    for id_ in ("item_knn", "popularity"):
        assert events[id_, "valid.inner"] == events["ranked", "valid.inner"] < events[id_, "valid"]
    assert [(id_, stage) for id_, stage, _, told in fits if told] == [("ranked", "valid.inner")]


def test_candidates_are_found_again_by_another_order_and_damaged_ones_are_not(tmp_path: Path) -> None:
    first = experiment(tmp_path, output={})
    said: list[str] = []
    run(first, tmp_path / "runs", threads=1)
    other = [dict(one) for one in first.resolved()["models"]]
    other[0] |= {"features": ["item_count"]}
    again = run(experiment(tmp_path, output={}, models=other), tmp_path / "runs", threads=1, say=said.append)
    assert "ranked: candidates reused" in said
    assert not any("without what the order is taught by" in line for line in said)
    (place,) = (tmp_path / "runs/.cache/candidates").glob("*/arrays.safetensors")
    content = bytearray(place.read_bytes())
    content[-3] ^= 1
    place.write_bytes(content)
    said.clear()
    other[0] |= {"trees": 21}
    run(experiment(tmp_path, output={}, models=other), tmp_path / "runs", threads=1, say=said.append)
    assert "ranked: candidates reused" not in said
    assert again.is_done
    fresh = run(experiment(tmp_path, output={}, models=other), tmp_path / "fresh", threads=1)
    assert same_lists(fresh, RunFolder(tmp_path / "runs" / fresh.id))


def same_lists(one: RunFolder, other: RunFolder) -> bool:
    paths = sorted(path.relative_to(one.path) for path in one.path.glob("lists/**/*.parquet"))
    return bool(paths) and all((one.path / path).read_bytes() == (other.path / path).read_bytes() for path in paths)


def test_another_first_stage_is_another_second_stage(tmp_path: Path) -> None:
    before = run(experiment(tmp_path), tmp_path / "runs", threads=1)
    models = [dict(one) for one in before.manifest["config"]["models"]]
    next(one for one in models if one["id"] == "item_knn")["neighbours"] = 3
    said: list[str] = []
    run(experiment(tmp_path, models=models), tmp_path / "runs", threads=1, say=said.append)
    assert "popularity: reused for valid" in said
    assert not any(line.startswith("ranked: reused") for line in said)


@pytest.mark.parametrize(("entry", "code"), [
    ({}, "no-candidates"),
    ({"candidates": {"from": ["easy"]}}, "unknown-member"),
    ({"candidates": {"from": ["ease", "ease"]}}, "duplicate-name"),
    ({"candidates": {"from": ["second"]}}, "unknown-member"),
    ({"candidates": {"from": []}}, "out-of-range"),
    ({"candidates": {"from": ["ease"], "dept": 5}}, "unknown-key"),
    ({"candidates": {"depth": 5}}, "missing-key"),
    ({"candidates": {"from": ["ease"]}, "features": ["era", "eras"]}, "features-unknown"),
])
def test_a_first_stage_that_there_is_not_is_refused(tmp_path: Path, entry: dict[str, Any], code: str) -> None:
    models = [{"model": "ease"}, {"id": "first", "model": "boosted_ranker", **entry},
              {"id": "second", "model": "boosted_ranker", "candidates": {"from": ["ease"]}}]
    with pytest.raises(ConfigError) as caught:
        experiment(tmp_path, models=models, output={})
    assert caught.value.code == code


def test_a_model_that_scores_by_itself_takes_no_candidates(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="candidates-ignored"):
        experiment(tmp_path, models=[{"model": "ease", "candidates": {"from": ["ease"]}}], output={})


def test_truth_from_outside_has_no_rule_and_gap_and_tail_stands_in(tmp_path: Path) -> None:
    (tmp_path / "truth.csv").write_text("user,item\nu1,i1\n")
    given, own = (inner_stage(one, "test", data()) for one in (Given(test=tmp_path / "truth.csv"), GapAndTail()))
    assert given.truth is not None
    assert own.truth is not None
    assert given.truth.hash == own.truth.hash


def test_what_each_column_adds_sums_to_the_score() -> None:
    stage = stages()["valid"]
    scorer = taught(stage.fit)
    query = stage.ask(stage.users[3:4])
    scores = scorer.score(query)[0]
    best = np.argsort(-scores, kind="stable")[:6].astype(np.int32)
    items, rows, parts = scorer.parts(query, np.append(best, np.int32(np.argmin(scores))))  # the last is no candidate
    assert items.tolist() == best.tolist()
    assert rows.shape[1] == len(scorer.columns) == parts.shape[1] - 1
    np.testing.assert_allclose(parts.sum(axis=1), scores[best], atol=1e-5)
    assert rows[:, scorer.columns.index("popularity: place")].max() <= SETTINGS.depth
