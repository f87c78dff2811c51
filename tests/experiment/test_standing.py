"""What runs came to, beside what was expected."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from matinee import durable
from matinee.config import experiment_from
from matinee.errors import ConfigError
from matinee.evaluation.compare import paired
from matinee.experiment import measure
from matinee.experiment.folder import RunFolder
from matinee.experiment.measure import compare_entries
from matinee.experiment.run import run
from matinee.experiment.standing import answer, chosen, finished, standing, unlike
from matinee.report.table import markdown, table
from matinee.report.whole import carry_out
from tests.small_run import settings


def changed(small: RunFolder, folder: Path, **config: Any) -> RunFolder:
    """A copy of the small run, with other words in its manifest."""
    shutil.copytree(small.path, folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    durable.write_json(folder / "manifest.json", {**manifest, "config": {**manifest["config"], **config}})
    return RunFolder(folder)


def test_entries_stand_best_first_by_any_metric(small: RunFolder) -> None:
    for metric in ("recall@10", "coverage@10"):
        values = [entry.figures[metric]["value"] for entry in standing(small, by=metric)]
        assert len(values) == 8
        assert values == sorted(values, reverse=True)
    assert [entry.id for entry in standing(small)] == [entry.id for entry in standing(small, by="recall@10")]
    assert standing(small, by="recall@7") == []
    assert standing(small, "valid")[0].figures["recall@10"]["part"] == "valid"


def test_what_was_expected_is_held_against_the_interval(small: RunFolder, tmp_path: Path) -> None:
    (found,) = compare_entries([(small, "ranks"), (small, "als")], "ndcg@10", "test").values()
    assert found.low > 0.001
    cases = {"less than expected": found.high + 0.01, "more than expected": found.low - 0.001,
             "as expected": (found.low + found.high) / 2}
    for verdict, number in cases.items():
        folder = changed(small, tmp_path / verdict, expect=f"{number:+.5f} ndcg@10 ranks over als")
        told = answer(folder)
        assert told is not None
        assert (told.one, told.other, told.verdict) == ("ranks", "als", verdict)
        assert told.found == found
        assert verdict in str(told)
        assert f"[{found.low:+.4f}, {found.high:+.4f}]" in str(told)


def test_an_interval_that_holds_nothing_and_the_number_cannot_tell(small: RunFolder, tmp_path: Path) -> None:
    told = answer(changed(small, tmp_path / "a", expect="+0.001 recall@10 ranks over ease_recent"))
    assert told is not None
    assert told.found.low <= 0 <= 0.001 <= told.found.high
    assert told.verdict == "cannot tell"


def test_without_names_the_last_is_held_against_the_first(small: RunFolder, tmp_path: Path) -> None:
    told = answer(changed(small, tmp_path / "a", expect="+0.1 recall@10"))
    assert told is not None
    assert (told.one, told.other, told.verdict) == ("blend", "random_items", "more than expected")


@pytest.mark.parametrize("expect", [None, "random < popularity"])
def test_where_nothing_was_expected_in_numbers_the_best_is_held_against_the_second(
    expect: str | None, small: RunFolder, tmp_path: Path
) -> None:
    told = answer(changed(small, tmp_path / "a", expect=expect))
    assert told is not None
    assert [told.one, told.other] == [entry.id for entry in standing(small)[:2]]
    assert told.expected is None
    every = compare_entries([(small, entry.id) for entry in standing(small)], "recall@10", "test")
    assert told.found == every[told.one, told.other]
    assert str(told).endswith(f"{told.found.verdict}, the best two of 8")


def test_the_best_two_are_told_apart_as_two_of_all(small: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two that chance alone sets apart in one of twenty comparisons are not better, one over the other."""
    values = {entry.id: np.zeros(400) for entry in standing(small)}
    first, second = standing(small)[:2]
    values[first.id][:14], values[first.id][20:24] = 1.0, -1.0
    monkeypatch.setattr(measure, "values_of", lambda folder, id_, stage, metric: values[id_])
    told = answer(small)
    assert told is not None
    assert told.found.low > 0
    assert paired(values[first.id], values[second.id], 0).verdict == "better"
    assert "cannot tell" in str(told)


def test_metrics_of_lists_alone_are_compared_as_well(tmp_path: Path) -> None:
    plain = settings(models=[{"model": "popularity"}, {"model": "item_knn"}], ensembles=[], output={"which": []},
                     evaluate={"metrics": ["novelty@10", "recall@10"]}, expect="+2 novelty@10 item_knn over popularity")
    folder = carry_out(experiment_from(plain, tmp_path), tmp_path / "runs")
    told = answer(folder)
    assert told is not None
    figures = {entry.id: entry.figures["novelty@10"]["value"] for entry in standing(folder)}
    assert told.found.difference == pytest.approx(figures["item_knn"] - figures["popularity"], abs=1e-12)
    assert told.found.low <= told.found.difference <= told.found.high
    assert (folder.path / "report.html").is_file()
    assert "novelty@10" in markdown(table([folder]))


def test_what_was_expected_and_asked_before_the_run_stays(tmp_path: Path) -> None:
    lines: list[str] = []

    def again(**words: str) -> RunFolder:
        plain = settings(models=[{"model": "popularity"}, {"model": "item_knn"}], ensembles=[], output={"which": []},
                         **words)
        return run(experiment_from(plain, tmp_path), tmp_path / "runs", say=lines.append)

    again(expect="+0.1 recall@10")
    folder = again(expect="+0.2 recall@10", question="why?")
    assert folder.thoughts == {"expect": "+0.1 recall@10"}
    assert ("expect is '+0.1 recall@10', as it was when this run began; "
            "--again begins one with '+0.2 recall@10'") in lines
    assert "question is not there, as there was none when this run began; --again begins one with 'why?'" in lines
    lines.clear()
    again(expect="+0.1 recall@10")
    assert not any(line.startswith("expect") for line in lines)


def test_one_entry_alone_has_no_answer(small: RunFolder, tmp_path: Path) -> None:
    models = small.manifest["config"]["models"][:1]
    assert answer(changed(small, tmp_path / "a", expect="+0.1 recall@10", models=models, ensembles=[])) is None


def test_runs_are_found_newest_first_and_chosen(small: RunFolder, tmp_path: Path) -> None:
    for number, name in enumerate(("one", "two")):
        folder = changed(small, tmp_path / name, name=name)
        manifest = {**folder.manifest, "made": f"2026-01-0{number + 1}T00:00:00Z"}
        durable.write_json(folder.path / "manifest.json", manifest)
    (tmp_path / ".cache").mkdir()
    for name in ("manifest.json", "metrics.json"):
        shutil.copy(small.path / name, tmp_path / ".cache")
    (tmp_path / "begun").mkdir()
    shutil.copy(small.path / "manifest.json", tmp_path / "begun")
    found = finished(tmp_path)
    assert [folder.id for folder in found] == ["two", "one"]
    assert [folder.id for folder in chosen(found, name="on")] == ["one"]
    assert len(chosen(found, model="als", data="synthetic")) == 2
    assert len(chosen(found, data=small.manifest["data"]["hash"][:6])) == 2
    assert chosen(found, model="ffm") == chosen(found, data="movielens") == []


def test_what_differs_is_named_by_its_key(small: RunFolder, tmp_path: Path) -> None:
    models = json.loads(json.dumps(small.manifest["config"]["models"]))
    models[3]["l2"] = 7
    other = changed(small, tmp_path / "a", models=models, question="another", seed=3)
    assert unlike([small, other]) == {"seed": ["0", "3"], "models.ease_recent.l2": ["20.0", "7"]}


def test_a_conclusion_in_the_file_of_a_run_that_is_done_is_written_beside_it(tmp_path: Path) -> None:
    def again(**words: str) -> RunFolder:
        plain = settings(models=[{"model": "popularity"}], ensembles=[], output={"which": []}, question="a?", **words)
        return run(experiment_from(plain, tmp_path), tmp_path / "runs")

    folder = again()
    assert folder.thoughts == {"question": "a?"}
    (folder.path / "report.html").write_text("without it")
    for _ in range(2):
        assert again(conclusion="하나").thoughts == {"question": "a?", "conclusion": "하나"}
    assert not (folder.path / "report.html").exists(), "the page lacks the conclusion"
    folder.conclude("둘")
    assert again(conclusion="하나").thoughts["conclusion"] == "둘", "what was said before is not said anew"
    assert len(durable.read_lines(folder.path / "notes.jsonl")) == 2


@pytest.mark.parametrize("words", [{"evaluate": {"metrics": ["recall@10", "diversity@10"]}},
                                   {"expect": "+0.1 diversity@10"}])
def test_a_metric_that_the_data_have_no_means_for_is_refused_before_anything_is_fitted(
    words: dict[str, Any], tmp_path: Path
) -> None:
    plain = {"name": "bare", "data": {"path": str(tmp_path / "log.csv")}, "models": [{"model": "popularity"},
             {"id": "again", "model": "popularity"}], **words}
    rows = [f"{user},{item},{user + item}" for user in range(30) for item in range(user % 3, 20)]
    (tmp_path / "log.csv").write_text("\n".join(["user,item,time", *rows]) + "\n")
    with pytest.raises(ConfigError, match="no-genres: diversity@10 compares genres"):
        run(experiment_from(plain, tmp_path), tmp_path / "runs")
    assert not list((tmp_path / "runs").glob("bare-*"))
