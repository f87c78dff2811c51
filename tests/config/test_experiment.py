"""A whole experiment: defaults, what it is written down as, and what cannot go together."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from matinee.config import Member, experiment_from, load_experiment
from matinee.data.confidence import GenrePreference, RecencyHalfLife
from matinee.split.gap_and_tail import GapAndTail
from tests.config.experiments import BASE, made, plain, refused, refused_text, toy, write

FULL = """
name: movierec
seed: 3
question: 장르 선호가 도움이 되는가?
expect: +0.005 recall@10
conclusion: no

data:
  layout: table
  path: data/train
  side: more
  columns: {user: 사용자, item: 영화}
  min_rating: 4
  encoding: cp949

split:
  protocol: gap_and_tail
  fraction: 0.2

evaluate:
  metrics: [ndcg@5, "recall@20:rectools"]
  segments: [hidden_part]

filters:
  - future_items
  - {kind: unpopular_items}

models:
  - ./toy_model.py
  - {id: weighted, model: ./toy_model.py, weights: genre_preference, dim: 8}
  - {id: recent, model: ./toy_model.py, weights: {kind: recency_half_life, half_life_days: 30}}
  - {id: features, model: ./toy_unweighted.py, features: [era, genre]}

ensembles:
  - {id: pair, method: rank_sum, members: [toy_model, weighted], depth: 20}
  - id: all
    method: weighted_vote
    weights: [2, 1, 0.5]
    members: [pair, {run: runs/old-1a2b3c4d/ease}, {file: old.csv}]
  - {id: tuned, method: score_blend, members: [toy_model, weighted], weights: tuned}

output: {k: 25, submission: uplus, which: [pair, weighted], users: people.csv}
tracking: {mlflow: true}
"""


def test_absent_means_the_default() -> None:
    experiment = made()
    assert (experiment.seed, experiment.question, experiment.filters, experiment.ensembles) == (0, None, (), ())
    assert experiment.split == GapAndTail()
    assert experiment.evaluate.metrics == ("recall@10", "ndcg@10")
    assert (experiment.output.k, experiment.output.submission, experiment.output.which) == (10, "table", ())
    assert (experiment.data.layout, experiment.data.side, experiment.data.repeats) == (None, (), None)
    assert not experiment.tracking.mlflow


def test_a_section_left_empty_is_absent(tmp_path: Path) -> None:
    text = "name: toy\ndata: {path: log.csv}\nmodels: [./toy_model.py]\nfilters:\nensembles: null\nsplit:\noutput:\n"
    assert load_experiment(write(tmp_path, text)).resolved() == {
        **made().resolved(),
        "models": [{**made().entry("toy"), "id": "toy_model"}],
    }


def test_everything_that_can_be_said(tmp_path: Path) -> None:
    experiment = load_experiment(write(tmp_path, FULL))
    assert experiment.base == tmp_path
    assert experiment.conclusion == "no", "YAML 1.2 knows no other word for false"
    assert experiment.data.side == ("more",)
    assert [entry.id for entry in experiment.models] == ["toy_model", "weighted", "recent", "features"]
    weights = [entry.weights for entry in experiment.models]
    assert weights == [None, GenrePreference(), RecencyHalfLife(half_life_days=30), None]
    assert experiment.models[3].features == ("era", "genre")
    pair, everything, tuned = experiment.ensembles
    assert (pair.weights, tuned.weights, everything.weights) == (None, "tuned", (2.0, 1.0, 0.5))
    assert everything.members == (Member(id="pair"), Member(run="runs/old-1a2b3c4d/ease"), Member(file="old.csv"))
    assert experiment.entry("weighted")["dim"] == 8
    with pytest.raises(KeyError):
        experiment.entry("nobody")


def test_the_resolved_form_holds_every_key_and_makes_the_same_experiment(tmp_path: Path) -> None:
    experiment = load_experiment(write(tmp_path, FULL))
    resolved = json.loads(json.dumps(experiment.resolved()))
    again = experiment_from(resolved, tmp_path)
    assert again == experiment
    assert again.resolved() == resolved
    assert resolved["split"]["tail"] == 0.5
    assert resolved["models"][2]["weights"] == {"kind": "recency_half_life", "half_life_days": 30.0}
    assert resolved["ensembles"][1]["members"] == ["pair", {"run": "runs/old-1a2b3c4d/ease"}, {"file": "old.csv"}]
    assert str(tmp_path) not in json.dumps(resolved), "the same experiment elsewhere is the same experiment"


def test_the_identity_leaves_out_what_decides_nothing() -> None:
    thought = made(question="a", expect="b", conclusion="c", tracking={"mlflow": True})
    assert thought.identity() == made().identity()
    assert thought.resolved() != made().resolved()
    assert made(models=[toy(l2=5)]).identity() == made(models=[toy(l2=5.0)]).identity() == made().identity()
    for other in ({"seed": 1}, {"models": [toy(l2=6)]}, {"output": {"k": 5}}, {"split": "leave_last"}, {"name": "b"}):
        assert made(**other).identity() != made().identity(), other


def test_paths_in_recipes_count_from_the_file_and_are_written_as_they_were(tmp_path: Path) -> None:
    inside = made(models=[toy(extra="../side.csv")])
    assert inside.models[0].recipe.extra == BASE / "../side.csv"  # type: ignore[attr-defined]
    assert inside.entry("toy")["extra"] == "../side.csv"
    denied = made(filters=[{"kind": "deny", "file": "bad.csv"}])
    assert denied.filters[0].file == BASE / "bad.csv"  # type: ignore[attr-defined]
    assert denied.resolved()["filters"] == [{"kind": "deny", "file": "bad.csv"}]
    absolute = made(models=[toy(extra=str(tmp_path / "x.csv"))])
    assert absolute.entry("toy")["extra"] == str(tmp_path / "x.csv")


@pytest.mark.parametrize(
    ("sections", "text"),
    [
        (
            {"models": [toy(), toy()]},
            "duplicate-id: models[1]: the id 'toy' is that of models[0] too; give one of them an `id`",
        ),
        (
            {
                "models": ["./toy_model.py"],
                "ensembles": [{"id": "toy_model", "method": "rank_sum", "members": ["toy_model"]}],
            },
            "duplicate-id: ensembles[0]: the id 'toy_model' is that of models[0] too; give one of them an `id`",
        ),
        ({"models": []}, "missing-key: there is no model and no ensemble; list at least one under `models`"),
        (
            {"models": {"ease": 1}},
            "wrong-type: models: a mapping stands where a list is expected; begin each entry with '-'",
        ),
        ({"models": [3]}, "wrong-type: models[0]: 3 stands where a name or keys and values are expected"),
        ({"models": [{"id": "a"}]}, "missing-key: models[0]: the key 'model' is missing; add it"),
        (
            {"models": [toy(features=["era"])]},
            "features-ignored: models[0].features: ./toy_model.py does not learn from features; "
            "leave `features` out for this model",
        ),
        (
            {"models": [toy(candidates={"depth": 1})]},
            "candidates-ignored: models[0].candidates: ./toy_model.py does not re-rank "
            "candidates; leave `candidates` out for this model",
        ),
        (
            {"models": [{"model": "./toy_unweighted.py", "weights": "recency_half_life"}]},
            "weights-ignored: models[0].weights: ./toy_unweighted.py does not honour confidence weights; "
            "leave `weights` out for this model",
        ),
        (
            {"models": [toy(weights="view_cuont")]},
            'unknown-kind: models[0].weights.kind: there is no kind "view_cuont"; did you mean view_count?',
        ),
        (
            {"models": [toy(weights={"kind": "recency_half_life", "half_life": 3})]},
            "unknown-key: models[0].weights.half_life: there is no such key; did you mean half_life_days?",
        ),
        (
            {"models": ["./gone.py"]},
            "unknown-model: models[0].model: there is no model file './gone.py'; "
            "a path counts from the experiment file",
        ),
        ({"split": {"fraction": 0.1}}, "missing-key: split: the key 'protocol' is missing; add it"),
        (
            {"split": "leave_lst"},
            'unknown-protocol: split.protocol: there is no protocol "leave_lst"; did you mean leave_last?',
        ),
        (
            {"split": {"protocol": "by_time", "valid": 0.6, "test": 0.6}},
            "no-train-part: split: valid 0.6 and test 0.6 leave nothing to learn from; let them add up to less than 1",
        ),
        (
            {"evaluate": {"metrics": []}},
            "out-of-range: evaluate.metrics: a list is refused; must be a list of text at least 1 long",
        ),
        (
            {"evaluate": {"metrics": ["recall@10", "recall@10"]}},
            "duplicate-name: evaluate.metrics[1]: 'recall@10' is given twice; keep one of them",
        ),
        (
            {"evaluate": {"metrics": ["recall@101"]}},
            "lists-too-short: evaluate.metrics[0]: recall@101 needs 101 places where lists "
            "are 100 deep; ask for at most 100, or make longer lists",
        ),
        (
            {"evaluate": {"segments": ["hidden_parts"]}},
            "unknown-segment: evaluate.segments[0]: no segment is called 'hidden_parts'; did you mean hidden_part?",
        ),
        (
            {"output": {"which": ["ease"]}},
            "unknown-id: output.which[0]: no model or ensemble has the id 'ease'; known: toy",
        ),
        (
            {"output": {"which": ["toy", "toy"]}},
            "duplicate-name: output.which[1]: 'toy' is given twice; keep one of them",
        ),
        ({"data": {"layout": "table"}}, "missing-key: data: the key 'path' is missing; add it"),
        (
            {"data": {"path": "x", "encoding": "utf-9"}},
            "unknown-value: data: there is no encoding 'utf-9'; such as utf-8, latin-1, cp949",
        ),
        (
            {"filters": [{"kind": "futur_item"}]},
            'unknown-kind: filters[0].kind: there is no kind "futur_item"; '
            "did you mean future_items or unpopular_items?",
        ),
    ],
)
def test_what_cannot_go_together_is_refused(sections: dict[str, Any], text: str) -> None:
    assert str(refused(**sections)) == text


def ensemble(*members: Any, **more: Any) -> dict[str, Any]:
    return {"id": "e", "method": "weighted_vote", "members": list(members), **more}


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        (ensemble(), "missing-key: ensembles[0]: an ensemble needs members; list at least one under `members`"),
        (
            ensemble("tyo"),
            "unknown-member: ensembles[0].members[0]: no model or ensemble has the id 'tyo'; did you mean toy?",
        ),
        (
            ensemble("toy", "toy"),
            "duplicate-name: ensembles[0].members[1]: this member is given twice; give it a larger weight",
        ),
        (
            ensemble({"file": "a", "run": "b/c"}),
            "bad-member: ensembles[0].members[0]: a member is an id, {run: RUN/ID} or {file: PATH}; "
            "give exactly one of them",
        ),
        (ensemble({"fil": "a"}), "unknown-key: ensembles[0].members[0].fil: there is no such key; did you mean file?"),
        (
            ensemble({"run": "ease"}),
            'bad-member: ensembles[0].members[0].run: "ease" is not RUN/ID; such as movierec-1a2b3c4d/ease',
        ),
        (
            ensemble("toy", weights="tune"),
            'wrong-type: ensembles[0].weights: "tune" is refused; must be a list of numbers >= 0, or tuned',
        ),
        (
            ensemble("toy", method="hard_vote", weights="tuned"),
            "weights-refused: ensembles[0].weights: hard_vote counts all members alike; "
            "leave `weights` out, or use weighted_vote",
        ),
        (
            ensemble("toy", method="half_and_half"),
            "member-count: ensembles[0].members: half_and_half has 1 members; it combines exactly 2",
        ),
        (
            ensemble("toy", "toy", method="segments", by="active_span", thresholds=[1, 30]),
            "member-count: ensembles[0].members: segments has 2 members; it combines exactly 3",
        ),
        (
            ensemble("toy", "toy", method="segments", by="active_span", thresholds=[30, 1]),
            "bad-thresholds: ensembles[0]: the thresholds [30.0, 1.0] do not ascend; "
            "write the smallest first, each once",
        ),
        (
            ensemble("toy", "toy", method="segments", by="activespan", thresholds=[1]),
            'unknown-value: ensembles[0].by: "activespan" is not known; did you mean active_span?',
        ),
        (
            ensemble("toy", "toy", method="segments", by="active_span"),
            "missing-key: ensembles[0]: the key 'thresholds' is missing; add it",
        ),
        (
            ensemble("toy", {"file": "old.csv"}, method="score_blend"),
            "no-scores: ensembles[0].members[1]: only a model of this experiment has scores to blend; "
            "combine lists by rank_sum or a vote",
        ),
        (
            ensemble("toy", method="hard_vot"),
            'unknown-method: ensembles[0].method: there is no method "hard_vot"; did you mean hard_vote?',
        ),
        (
            ensemble("toy", dept=3),
            "unknown-key: ensembles[0].dept: there is no such key; did you mean depth?",
        ),
    ],
)
def test_an_ensemble_that_cannot_be_is_refused(entry: dict[str, Any], text: str) -> None:
    assert str(refused(ensembles=[entry])) == text


@pytest.mark.parametrize(
    ("weights", "text"),
    [
        ([1], "bad-weights: ensembles[0].weights: 1 weights for 2 members; give one weight a member"),
        ([0, 0], "bad-weights: ensembles[0].weights: the weights sum to 0; give at least one member a weight above 0"),
        ([1, -1], "out-of-range: ensembles[0].weights[1]: -1 is refused; must be a number >= 0 and <= 1000000000"),
        (
            [float("nan"), 1],
            "out-of-range: ensembles[0].weights[0]: NaN is refused; must be a number >= 0 and <= 1000000000",
        ),
        (["1", 1], 'wrong-type: ensembles[0].weights[0]: "1" is refused; must be a number >= 0 and <= 1000000000'),
    ],
)
def test_weights_that_cannot_be_are_refused(weights: list[Any], text: str) -> None:
    entry = ensemble("toy", {"file": "old.csv"}, weights=weights)
    assert str(refused(ensembles=[entry])) == text


def test_an_ensemble_may_not_hold_itself() -> None:
    circle = [{"id": a, "method": "rank_sum", "members": ["toy", b]} for a, b in ("ab", "bc", "ca")]
    error = refused(ensembles=circle)
    assert error.code == "cycle"
    assert error.what.endswith(("a -> b -> c -> a", "b -> c -> a -> b", "c -> a -> b -> c"))
    assert refused(ensembles=[{"id": "a", "method": "rank_sum", "members": ["a"]}]).what.endswith("itself: a -> a")


def test_a_broken_model_file_is_named(tmp_path: Path) -> None:
    file = write(tmp_path, "name: a\ndata: {path: x}\nmodels: [./toy_model.py]\n")
    (tmp_path / "toy_model.py").write_text("def broken(:\n")
    error = refused_text(tmp_path, file.read_text().replace("toy_model", "broken"))
    assert error.code == "unknown-model"
    (tmp_path / "broken.py").write_text("def broken(:\n")
    error = refused_text(tmp_path, file.read_text().replace("toy_model", "broken"))
    assert (error.code, str(error.place)) == ("bad-model", f"{file}:3:10")
    assert "broken.py, line 1" in error.what


def test_the_order_of_keys_decides_nothing() -> None:
    backwards = dict(reversed(plain().items()))
    assert experiment_from(backwards, BASE).resolved() == made().resolved()


def test_every_shipped_experiment_is_an_experiment() -> None:
    project = Path(__file__).parents[2]
    shipped = [*project.glob("configs/experiments/**/*.yaml"), project / "src/matinee/experiment/demo.yaml"]
    for file in shipped:
        experiment = load_experiment(file)
        assert experiment_from(experiment.resolved(), experiment.base) == experiment, file
