"""A run from its settings to its folder."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from matinee import durable
from matinee.config import experiment_from
from matinee.errors import ConfigError, ModelError, ResourceError
from matinee.evaluation.segments import active_spans
from matinee.experiment import lists_store
from matinee.experiment.answer import Answers
from matinee.experiment.cache import Cache
from matinee.experiment.folder import RunFolder, find
from matinee.experiment.measure import apart, measure_again
from matinee.experiment.run import run
from tests.small_run import settings

IDS = ["random_items", "popularity", "item_knn", "ease_recent", "als", "ranks", "nested", "blend"]


def results(folder: RunFolder) -> dict[str, bytes]:
    """Every file that must come out the same."""
    patterns = ("metrics.json", "submission/*.csv", "lists/**/*.parquet", "models/**/*.safetensors")
    return {
        str(path.relative_to(folder.path)): path.read_bytes()
        for pattern in patterns
        for path in folder.path.glob(pattern)
    }


def fits(folder: RunFolder) -> list[str]:
    return [
        f"{line['id']} {line['stage']}"
        for line in durable.read_lines(folder.journal)
        if line["event"] == "step" and line["stage"].startswith("fit:")
    ]


def test_the_folder_holds_every_artefact(small: RunFolder) -> None:
    names = {path.name for path in small.path.iterdir()}
    assert {
        "manifest.json",
        "metrics.json",
        "timings.json",
        "journal.jsonl",
        "truth",
        "lists",
        "models",
        "dataset",
        "split",
        "submission",
        "report.html",
    } <= names
    for stage in ("valid", "test"):
        assert {path.name for path in (small.path / "lists" / stage).iterdir()} == set(IDS)


def test_metrics_have_every_entry_part_and_segment(small: RunFolder) -> None:
    seen = {(row["id"], row["part"], row["segment"], row["metric"]) for row in small.metrics}
    for id_ in IDS:
        for part in ("valid", "test"):
            assert (id_, part, None, "recall@10") in seen
            assert (id_, part, "hidden_part=tail", "ndcg@10") in seen
    assert all(row["low"] <= row["value"] <= row["high"] for row in small.metrics if row["low"] is not None)


def test_everything_beats_random_items(small: RunFolder) -> None:
    value = {
        row["id"]: row["value"]
        for row in small.metrics
        if (row["part"], row["segment"], row["metric"]) == ("test", None, "recall@10")
    }
    assert all(value["random_items"] < figure for id_, figure in value.items() if id_ != "random_items")


def test_figures_computed_anew_from_stored_lists_are_those_of_the_run(small: RunFolder) -> None:
    assert apart(measure_again(small), small.metrics) == []


def test_a_changed_figure_is_noticed(small: RunFolder) -> None:
    stored = [dict(row) for row in small.metrics]
    stored[0]["value"] += 1e-12
    assert len(apart(measure_again(small), stored)) == 1


def test_test_is_fitted_once_where_it_shares_the_events_of_valid(small: RunFolder) -> None:
    assert small.shared == {"test": "valid"}
    assert sorted(fits(small)) == sorted(
        f"{id_} fit:{stage}"
        for id_, stages in {
            "random_items": ["valid"],
            "popularity": ["valid", "final"],
            "item_knn": ["valid", "final"],
            "ease_recent": ["valid", "final"],
            "als": ["valid", "final"],
        }.items()
        for stage in stages
    )


def test_no_list_of_any_stage_holds_a_seen_item(small: RunFolder) -> None:
    dataset, split = small.dataset, small.split
    logs = {name: dataset.log.select(stage.given) for name, stage in split.stages.items()} | {"final": dataset.log}
    for stage, log in logs.items():
        seen = set(
            zip(dataset.users.decode(log.users).to_list(), dataset.items.decode(log.items).to_list(), strict=True)
        )
        for path in (small.path / "lists" / stage).rglob("*.parquet"):
            frame = pl.read_parquet(path)
            assert not seen & set(zip(frame["user"].to_list(), frame["item"].to_list(), strict=True)), path


def test_the_newest_event_of_the_log_reaches_the_query_of_the_final_stage(small: RunFolder) -> None:
    final = Answers(small).final
    user = int(np.argmax(small.dataset.log.last_times()))
    query = final.ask(np.array([user]))
    assert query.history.times.max() == small.dataset.log.times.max()
    assert query.history.items[-1] == small.dataset.log.items[small.dataset.log.indptr[user + 1] - 1]


def test_a_run_that_is_done_says_so_and_does_nothing(small: RunFolder) -> None:
    before = {path: path.stat().st_mtime_ns for path in small.path.rglob("*") if path.is_file()}
    said: list[str] = []
    base = Path(small.manifest["base"])
    again = run(experiment_from(settings(), base), small.path.parent, say=said.append)
    assert again.path == small.path
    assert any("done already" in line for line in said)
    assert before == {path: path.stat().st_mtime_ns for path in small.path.rglob("*") if path.is_file()}


class Stop(Exception):
    pass


@pytest.mark.parametrize("where", ["model 3/5", "ensemble: nested", "evaluating", "final: als"])
def test_a_stopped_run_goes_on_and_ends_with_the_same_bytes(small: RunFolder, runs: Path, where: str) -> None:
    experiment = experiment_from(settings(), Path(small.manifest["base"]))

    def stop(line: str) -> None:
        if line.startswith(where):
            raise Stop

    with pytest.raises(Stop):
        run(experiment, runs, say=stop)
    folder = run(experiment, runs)
    assert results(folder) == results(small)
    done = fits(folder)
    assert len(done) == len(set(done)), "a model was fitted twice"


def test_an_added_ensemble_and_a_written_conclusion_refit_nothing(small: RunFolder) -> None:
    base = Path(small.manifest["base"])
    more = settings(conclusion="seen")
    assert run(experiment_from(more, base), small.path.parent).path == small.path
    more["ensembles"] = [*more["ensembles"], {"id": "votes", "method": "hard_vote", "members": ["als", "item_knn"]}]
    folder = run(experiment_from(more, base), small.path.parent)
    assert folder.path != small.path
    assert fits(folder) == []
    assert "votes" in {row["id"] for row in folder.metrics}


def test_another_seed_of_the_models_refits_and_another_models_change_does_not(small: RunFolder) -> None:
    changed = settings()
    changed["models"][4]["dim"] = 6
    folder = run(experiment_from(changed, Path(small.manifest["base"])), small.path.parent)
    assert fits(folder) == ["als fit:valid", "als fit:final"]


def test_a_stored_model_that_was_damaged_or_replaced_is_fitted_anew(small: RunFolder, runs: Path) -> None:
    experiment = experiment_from(settings(), Path(small.manifest["base"]))
    shutil.copytree(small.path, runs / small.id)
    stopped = RunFolder(runs / small.id)
    (stopped.path / "timings.json").unlink()
    (stopped.path / "journal.jsonl").unlink()
    cache = Cache(runs / ".cache")
    for id_ in ("als", "ease_recent"):
        key = json.loads((stopped.model("valid", id_) / "manifest.json").read_text())["about"]["key"]
        cache.note("model", key, stopped.model("valid", id_))
    arrays = stopped.model("valid", "als") / "arrays.safetensors"
    arrays.write_bytes(arrays.read_bytes()[:-1] + b"\x01")
    shutil.rmtree(stopped.model("valid", "ease_recent"))
    shutil.copytree(stopped.model("final", "ease_recent"), stopped.model("valid", "ease_recent"))
    said: list[str] = []
    folder = run(experiment, runs, say=said.append)
    assert any(line.startswith("als: fitted anew") for line in said)
    assert {"als fit:valid", "ease_recent fit:valid"} <= set(fits(folder))
    assert results(folder) == results(small)


def test_a_file_that_the_experiment_names_decides_the_run_by_its_content(small: RunFolder, tmp_path: Path) -> None:
    items = small.dataset.items.series.to_list()
    deny = tmp_path / "deny.csv"
    changed = settings(
        filters=[{"kind": "deny", "file": str(deny)}],
        models=[{"model": "popularity"}],
        ensembles=[],
        output={"which": ["popularity"]},
    )
    made = []
    for denied in items[:2]:
        deny.write_text(f"item\n{denied}\n")
        folder = run(experiment_from(changed, Path(small.manifest["base"])), tmp_path / "runs")
        given = {line.split(",")[1] for line in folder.submission("popularity").read_text().splitlines()}
        assert denied not in given
        made.append(folder.path)
    assert made[0] != made[1]


def test_an_ensemble_of_one_member_is_the_member(small: RunFolder) -> None:
    changed = settings(ensembles=[{"id": "alone", "method": "rank_sum", "members": ["als"]}], output={"which": []})
    folder = run(experiment_from(changed, Path(small.manifest["base"])), small.path.parent)
    for part in ("valid", "test"):
        one, two = (pl.read_parquet(next(folder.lists(part, id_).glob("*.parquet"))) for id_ in ("alone", "als"))
        top = [frame.filter(pl.col("rank") <= 10).select("user", "item", "rank") for frame in (one, two)]
        assert top[0].equals(top[1])


def test_a_file_as_member_counts_in_the_final_lists_and_not_in_the_figures(small: RunFolder, tmp_path: Path) -> None:
    old = tmp_path / "old.csv"
    old.write_bytes(small.submission("blend").read_bytes())
    changed = settings(
        ensembles=[{"id": "with_old", "method": "rank_sum", "members": ["als", {"file": str(old)}]}],
        output={"which": ["with_old"]},
    )
    said: list[str] = []
    folder = run(experiment_from(changed, Path(small.manifest["base"])), small.path.parent, say=said.append)
    assert any("without its files" in line for line in said)
    value = {
        row["id"]: row["value"]
        for row in folder.metrics
        if (row["part"], row["segment"], row["metric"]) == ("test", None, "recall@10")
    }
    assert value["with_old"] == value["als"]
    about = json.loads((folder.path / "models/final/with_old/ensemble.json").read_text())
    assert [next(iter(member)) for member in about["members"]] == ["id", "file"]


def test_users_are_routed_by_what_is_known_of_them_at_each_stage(small: RunFolder) -> None:
    """By the history that is asked with: the hidden end of a history lengthens its span, and must not count."""
    answers, whole = Answers(small), active_spans(small.dataset.log) / 86_400
    limit = float(np.median(whole))
    routed = {"id": "routed", "method": "segments", "by": "active_span", "thresholds": [limit]}
    changed = settings(ensembles=[{**routed, "members": ["popularity", "als"]}], output={"which": ["routed"]})
    folder = run(experiment_from(changed, Path(small.manifest["base"])), small.path.parent)
    fooled = 0
    for part in ("valid", "test", "final"):
        stage = answers.measured[part] if part != "final" else answers.final
        late = (active_spans(stage.given) / 86_400 > limit)[stage.users]
        fooled += int((late != (whole > limit)[stage.users]).sum())
        one, short, long = (
            next(lists_store.read(place.lists(part, id_), stage.users, stage.fit.users, stage.fit.items)).items
            for place, id_ in ((folder, "routed"), (small, "popularity"), (folder, "als"))
        )
        np.testing.assert_array_equal(one, np.where(late[:, None], long, short))
    assert fooled > 10, "the test cannot tell what is hidden from what is known"


def test_a_question_from_somebody_new_is_routed_by_its_own_history(small: RunFolder) -> None:
    routed = {"id": "routed", "method": "segments", "by": "history_length", "thresholds": [2]}
    changed = settings(ensembles=[{**routed, "members": ["popularity", "als"]}], output={"which": ["routed"]})
    answers = Answers(run(experiment_from(changed, Path(small.manifest["base"])), small.path.parent))
    for count, id_ in ((2, "popularity"), (3, "als")):
        ask = answers.ask_typed(list(small.dataset.items.series[:count]))
        got, want = (answers.lists(one, ask, np.zeros(1, np.int64), 10).items for one in ("routed", id_))
        np.testing.assert_array_equal(got, want)


def test_a_file_cannot_have_a_place_of_its_own_where_it_is_measured(small: RunFolder, tmp_path: Path) -> None:
    (tmp_path / "old.csv").write_bytes(small.submission("blend").read_bytes())
    old = {"file": str(tmp_path / "old.csv")}
    one = {"id": "routed", "method": "segments", "by": "active_span", "thresholds": [30], "members": ["als", old]}
    changed = settings(ensembles=[one], output={"which": []})
    with pytest.raises(ConfigError, match=r"file-member: the ensemble 'routed' has a file .* combines exactly 2"):
        run(experiment_from(changed, Path(small.manifest["base"])), small.path.parent)


def test_an_entry_of_another_run_can_be_a_member_on_the_same_split_only(small: RunFolder) -> None:
    base = Path(small.manifest["base"])
    member = {"run": f"{small.id}/als"}
    changed = settings(
        models=[{"model": "popularity"}],
        output={"which": []},
        ensembles=[{"id": "mixed", "method": "rank_sum", "members": ["popularity", member]}],
    )
    folder = run(experiment_from(changed, base), small.path.parent)
    assert "mixed" in {row["id"] for row in folder.metrics}
    changed["split"] = {"protocol": "gap_and_tail", "seed": 1}
    with pytest.raises(ModelError, match="other split"):
        run(experiment_from(changed, base), small.path.parent)


def test_scores_of_an_ensemble_of_lists_cannot_be_blended(small: RunFolder) -> None:
    changed = settings(output={"which": []})
    changed["ensembles"] = [
        changed["ensembles"][0],
        {"id": "wrong", "method": "score_blend", "members": ["ranks", "als"]},
    ]
    with pytest.raises(ConfigError, match="has scores to blend"):
        run(experiment_from(changed, Path(small.manifest["base"])), small.path.parent)


def test_two_processes_cannot_work_on_one_folder(small: RunFolder, runs: Path) -> None:
    experiment = experiment_from(settings(), Path(small.manifest["base"]))

    def second(line: str) -> None:
        if line.startswith("model 1"):
            with pytest.raises(ResourceError, match="another process"):
                run(experiment, runs)
            raise Stop

    with pytest.raises(Stop):
        run(experiment, runs, say=second)


def test_a_damaged_part_of_lists_is_named(small: RunFolder, tmp_path: Path) -> None:
    folder = small.lists("test", "als")
    asked = Answers(small).measured["test"].users
    assert lists_store.is_whole(folder)
    with pytest.raises(ModelError, match="part 0 of the lists is missing"):
        list(lists_store.read(tmp_path, asked, small.dataset.users, small.dataset.items))
    copy = shutil.copytree(folder, tmp_path / "als")
    part = next(copy.glob("*.parquet"))
    part.write_bytes(part.read_bytes()[:200])
    with pytest.raises(ModelError, match="no Parquet file"):
        list(lists_store.read(copy, asked, small.dataset.users, small.dataset.items))


def test_a_run_answers_to_the_beginning_of_its_name(small: RunFolder) -> None:
    runs = small.path.parent
    assert find(f"{small.id}/als", runs)[1] == "als"
    assert find(small.id, runs) == (small, None)
    with pytest.raises(ModelError, match="no run answers"):
        find("nothing/als", runs)
