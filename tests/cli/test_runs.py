"""`matinee runs`, as a user would type it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from matinee.cli.compare import show_comparisons
from matinee.cli.leaderboard import figure
from matinee.evaluation.compare import Comparison
from matinee.experiment.folder import RunFolder
from matinee.experiment.standing import standing
from tests.cli.commands import Said, matinee

__all__ = ["matinee"]


@pytest.fixture
def folder(small: RunFolder, tmp_path: Path) -> RunFolder:
    """A copy of the small run that may be written into."""
    shutil.copytree(small.path, tmp_path / "runs" / small.id)
    return RunFolder(tmp_path / "runs" / small.id)


def test_runs_are_listed_with_the_best_entry(folder: RunFolder, matinee: Callable[..., Said]) -> None:
    runs = ("--runs", folder.path.parent)
    said = matinee("runs", "--best", "ndcg@10", *runs)
    assert said.code == 0
    (line,) = [line for line in said.out.splitlines() if line.startswith(folder.id)]
    best = standing(folder, by="ndcg@10")[0]
    assert best.id in line.split()
    assert f"ndcg@10 {figure(best.figures['ndcg@10'])}" in line
    assert f"without recall@3 on test: {folder.id}" in matinee("runs", "--best", "recall@3", *runs).err
    for words in (["--model", "ffm"], ["--data", "ml-1m"], ["--name", "large"]):
        assert "no such run" in matinee("runs", *words, *runs).err


def test_runs_on_other_splits_stand_in_other_tables(folder: RunFolder, matinee: Callable[..., Said]) -> None:
    runs = ("--runs", folder.path.parent)
    assert matinee("fit", "popularity", "synthetic:120x40", *runs).code == 0
    listed = matinee("runs", *runs).out
    assert listed.count("gap_and_tail: test, data") == 2
    other = next(path.name for path in folder.path.parent.glob("popularity-*"))
    compared = matinee("runs", "compare", folder.id, other, *runs)
    assert "data.path" in compared.out
    assert "different splits" in compared.err
    assert "models.ease_recent.l2" in compared.out
    assert matinee("runs", "table", folder.id, other, *runs).code == 4


def test_runs_on_one_split_are_compared_by_their_best(folder: RunFolder, matinee: Callable[..., Said]) -> None:
    shutil.copytree(folder.path, folder.path.with_name("twin"))
    said = matinee("runs", "compare", folder.id, "twin", "--runs", folder.path.parent)
    assert said.code == 0
    assert said.out.splitlines()[-1].endswith("cannot tell")
    shown = matinee("runs", "show", folder.id, "twin", "--runs", folder.path.parent).out
    assert shown.count("answer: recall@10: popularity over") == 2


def test_an_interval_that_leaves_0_out_beside_a_verdict_that_cannot_tell_is_explained(
    capsys: pytest.CaptureFixture[str],
) -> None:
    pair = Comparison(-0.0061, -0.0111, -0.0005, 0.08, "cannot tell")
    show_comparisons({("ease", "popularity"): pair}, "recall@10", "test")
    assert "the verdict corrected for all pairs (Holm)" in capsys.readouterr().out
    show_comparisons({("ease", "popularity"): replace(pair, high=0.0005)}, "recall@10", "test")
    assert "the verdict" not in capsys.readouterr().out


def test_a_table_is_shown_or_written(folder: RunFolder, tmp_path: Path, matinee: Callable[..., Said]) -> None:
    words = ("runs", "table", folder.id, "--metric", "recall@10", "--runs", folder.path.parent)
    shown = matinee(*words).out
    assert shown.startswith("|  | recall@10 |\n|---|---:|\n| popularity | **0.")
    assert matinee(*words, "-o", tmp_path / "t.md").code == 0
    assert (tmp_path / "t.md").read_text() == shown
    assert matinee(*words, "--format", "latex").out.startswith("\\begin{tabular}")
    assert "there is no format 'html'" in matinee(*words, "--format", "html").error


def test_a_conclusion_is_shown_wherever_the_run_is(folder: RunFolder, matinee: Callable[..., Said]) -> None:
    runs = ("--runs", folder.path.parent)
    assert matinee("runs", "conclude", folder.id, "인기가 이긴다 <b>", *runs).code == 0
    for words in (["runs"], ["runs", "show", folder.id], ["runs", "table", folder.id]):
        assert "인기가 이긴다" in matinee(*words, *runs).out
    page = (folder.path / "report.html").read_text()
    assert "인기가 이긴다 &lt;b&gt;" in page
    assert "<b>Answer.</b> recall@10: popularity over" in page
    assert "the conclusion is empty" in matinee("runs", "conclude", folder.id, " ", *runs).error


def test_a_short_name_is_the_beginning_of_an_id_and_no_pattern(folder: RunFolder, matinee: Callable[..., Said]) -> None:
    runs = ("--runs", folder.path.parent)
    assert matinee("runs", "show", folder.id[:3], *runs).code == 0
    for name in (f"{folder.id[:-1]}?", "small-*", "s**", "[s]mall", f"**/{folder.id}"):
        said = matinee("runs", "show", name, *runs)
        assert (said.code, said.error.split(":")[0]) == (4, "no-run"), said
    assert matinee("recommend", "small-*/als", "--user", "1", *runs).code == 4
    assert f"`matinee runs --runs {folder.path.parent}` lists them" in said.error


def test_a_short_name_of_several_runs_names_them(folder: RunFolder, matinee: Callable[..., Said]) -> None:
    runs = ("--runs", folder.path.parent)
    for number in range(6):
        shutil.copytree(folder.path, folder.path.with_name(f"several-{number}"))
    said = matinee("runs", "conclude", "several", "무엇을", *runs)
    assert said.code == 4
    assert said.error.startswith("several-runs: 6 runs begin with 'several': several-0, several-1, several-2")
    assert "several-4 ...; write more of the id; `matinee runs " in said.error
    assert matinee("runs", "show", "several/als", *runs).error.startswith("several-runs: ")
    assert matinee("runs", "show", "several-3", *runs).code == 0


@pytest.mark.parametrize(("words", "text"), [
    (("runs", "--best", "recal@10"), "unknown-metric: no metric is called 'recal@10'; did you mean recall@10"),
    (("runs", "--part", "vaild"), "unknown-part: there is no part 'vaild'; did you mean valid?"),
    (("runs", "show", "small", "--part", "tset"), "unknown-part: there is no part 'tset'; did you mean test?"),
    (("runs", "compare", "small", "--part", "train"), "unknown-part: there is no part 'train'; known: valid, test"),
    (("runs", "table", "small", "--metric", "ndgc@10"), "unknown-metric: no metric is called 'ndgc@10'; did you mean "),
    (("compare", "small", "--part", "vaild"), "unknown-part: "),
    (("evaluate", "small", "--metric", "recall"), "bad-metric: 'recall' has no list length"),
    (("ledger", "--metric", "foo"), "unknown-metric: no metric is called 'foo'; known: recall@K, "),
    (("ledger", "agree", "--metric", "ndcg10"), "unknown-metric: no metric is called 'ndcg10'; did you mean ndcg@10"),
])
def test_a_name_that_nobody_knows_is_refused_with_the_nearest(
    folder: RunFolder, matinee: Callable[..., Said], words: tuple[str, ...], text: str
) -> None:
    said = matinee(*words, "--runs", folder.path.parent)
    assert (said.code, said.out) == (2, "")
    assert said.error.startswith(text)


def test_runs_are_compared_though_one_has_no_figures_of_a_part(
    folder: RunFolder, matinee: Callable[..., Said]
) -> None:
    twin = RunFolder(shutil.copytree(folder.path, folder.path.with_name("twin")))
    twin.write_json("metrics.json", {"rows": [row for row in twin.metrics if row["part"] == "test"]})
    said = matinee("runs", "compare", "twin", folder.id, "--part", "valid", "--runs", folder.path.parent)
    assert (said.code, said.err) == (0, "")
    assert "valid, 95 % intervals" in said.out
