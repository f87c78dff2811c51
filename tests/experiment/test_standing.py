"""What runs came to, beside what was expected."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from matinee import durable
from matinee.config import experiment_from
from matinee.experiment.folder import RunFolder
from matinee.experiment.measure import compare_entries
from matinee.experiment.run import run
from matinee.experiment.standing import answer, chosen, finished, standing, unlike
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


@pytest.mark.parametrize("expect", [None, "random < popularity", "+0.1 coverage@10", "+0.1 nothing@10"])
def test_where_nothing_was_expected_in_numbers_the_best_is_held_against_the_second(
    expect: str | None, small: RunFolder, tmp_path: Path
) -> None:
    told = answer(changed(small, tmp_path / "a", expect=expect))
    assert told is not None
    assert [told.one, told.other] == [entry.id for entry in standing(small)[:2]]
    assert told.expected is None
    assert told.found.verdict in str(told)


def test_names_that_are_not_there_have_no_answer(small: RunFolder, tmp_path: Path) -> None:
    assert answer(changed(small, tmp_path / "a", expect="+0.1 recall@10 nobody over als")) is None
    assert answer(changed(small, tmp_path / "b", expect="+0.1 recall@10 als over als")) is None


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
