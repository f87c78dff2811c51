"""The verbs that work on a finished run, as a user would type them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from ruamel.yaml import YAML

from matinee.cli.leaderboard import figure
from matinee.cli.main import main
from matinee.experiment.folder import RunFolder
from tests.small_run import settings

Captured = pytest.CaptureFixture[str]
MODEL = "@dataclass(frozen=True, kw_only=True)\nclass Mine(Recommender):\n    def fit(self, train, run=Run()):\n"


@pytest.fixture
def address(small: RunFolder) -> str:
    return str(small.path)


def test_every_list_from_a_fresh_process_is_the_submission_byte_for_byte(small: RunFolder, tmp_path: Path) -> None:
    for id_ in ("blend", "nested"):
        out = tmp_path / f"{id_}.csv"
        words = [sys.executable, "-m", "matinee", "recommend", str(small.path / id_), "--all", "--out", str(out)]
        subprocess.run(words, check=True, capture_output=True, timeout=120)
        assert out.read_bytes() == small.submission(id_).read_bytes()


def test_what_the_leaderboard_prints_is_metrics_json(small: RunFolder, address: str, capsys: Captured) -> None:
    assert main(["evaluate", address]) == 0
    shown = capsys.readouterr().out
    for row in small.metrics:
        if row["part"] == "test" and row["segment"] is None:
            (line,) = [line for line in shown.splitlines() if line.split()[:1] == [row["id"]]]
            assert figure(row) in line
    assert f"{len(small.metrics)} figures computed anew" in shown


def test_figures_that_are_not_those_of_the_lists_are_refused(
    small: RunFolder, tmp_path: Path, capsys: Captured
) -> None:
    copy = tmp_path / small.id
    shutil.copytree(small.path, copy)
    text = (copy / "metrics.json").read_text()
    (copy / "metrics.json").write_text(re.sub(r'"value": 0\.\d+', '"value": 0.123', text, count=1))
    assert main(["evaluate", str(copy)]) == 4
    assert "are not those of metrics.json" in capsys.readouterr().err


def test_a_run_of_a_file_and_a_second_time(small: RunFolder, tmp_path: Path, capsys: Captured) -> None:
    file = tmp_path / "tiny.yaml"
    with file.open("w") as stream:
        YAML(typ="safe").dump(
            settings(name="tiny", models=[{"model": "popularity"}], ensembles=[], output={"which": ["popularity"]}),
            stream,
        )
    words = ["run", str(file), "--runs", str(tmp_path / "runs"), "--set", "evaluate.metrics=[recall@5]"]
    assert main(words) == 0
    shown = capsys.readouterr().out
    assert "recall@5" in shown
    assert "popularity.csv" in shown
    assert main(words) == 0
    assert "done already" in capsys.readouterr().err
    assert main([*words, "--again"]) == 0
    assert len(list((tmp_path / "runs").glob("tiny-*"))) == 2


def test_a_fit_is_a_run_of_one_model(tmp_path: Path, capsys: Captured) -> None:
    words = ["fit", "ease", "synthetic:120x40", "--set", "l2=10", "--set", "split.protocol=leave_last"]
    assert main([*words, "--runs", str(tmp_path)]) == 0
    (folder,) = tmp_path.glob("ease-*")
    manifest = RunFolder(folder).manifest
    assert manifest["config"]["models"][0]["l2"] == 10
    assert manifest["config"]["split"]["protocol"] == "leave_last"
    assert main(["fit", "ease", "synthetic:120x40", "--set", "l3=10", "--runs", str(tmp_path)]) == 2
    assert "l2" in capsys.readouterr().err


def test_without_matplotlib_everything_but_the_page_is_made_and_that_is_said(
    tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("matinee.report.whole.find_spec", lambda name: None)
    words = ["fit", "popularity", "synthetic:120x40", "--runs", str(tmp_path)]
    assert main(words) == 6
    assert "matinee[report]" in capsys.readouterr().err
    assert len(list(tmp_path.glob("*/submission/popularity.csv"))) == 1
    monkeypatch.undo()
    assert main(words) == 0
    assert "report.html" in capsys.readouterr().out


@pytest.mark.parametrize(("broken", "line"), [("1 / 0\n", 5), (MODEL + "        return undefined_name\n", 8)])
def test_an_error_in_somebodys_own_model_names_file_and_line(
    broken: str, line: int, tmp_path: Path, capsys: Captured
) -> None:
    model = tmp_path / "mine.py"
    model.write_text("from dataclasses import dataclass\nfrom matinee.contract import Recommender, Run\n\n\n" + broken)
    assert main(["fit", str(model), "synthetic:60x30", "--runs", str(tmp_path / "runs")]) == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith(f"{model}:{line}: bad-model: the model file raised")


def test_comparing_tells_which_is_better(address: str, capsys: Captured) -> None:
    assert main(["compare", f"{address}/ease_recent", f"{address}/random_items", "--metric", "ndcg@10"]) == 0
    shown = capsys.readouterr().out
    assert "better" in shown
    assert "ease_recent" in shown


def test_runs_on_other_splits_cannot_be_compared(small: RunFolder, tmp_path: Path, capsys: Captured) -> None:
    words = ["fit", "popularity", "synthetic:300x90:3", "--set", "split.seed=5", "--runs", str(tmp_path)]
    assert main(words) == 0
    (other,) = tmp_path.glob("popularity-*")
    assert main(["compare", str(small.path), str(other)]) == 4
    assert "different splits" in capsys.readouterr().err


def test_a_list_for_somebody_new_holds_nothing_typed(small: RunFolder, address: str, capsys: Captured) -> None:
    typed = [small.dataset.items[3], small.dataset.items[8]]
    assert main(["recommend", f"{address}/nested", *typed]) == 0
    shown = capsys.readouterr().out
    assert "somebody new" in shown
    lines = [line.split() for line in shown.splitlines() if re.search(r"\s\d+\s", line)]
    assert len(lines) == 10
    assert not any(item in line[:3] for item in typed for line in lines[1:] if line[1:2] != [item])
    assert main(["recommend", f"{address}/als", "nothing-like-it"]) == 3
    assert "nothing-like-it" in capsys.readouterr().err


@pytest.mark.parametrize("id_", ["ease_recent", "als", "item_knn"])
def test_why_names_items_of_the_history_with_their_shares(
    id_: str, small: RunFolder, address: str, capsys: Captured
) -> None:
    titles = small.dataset.item_features.texts("title").values
    mine = small.dataset.log.take(np.array([7])).items.tolist()
    words = ["recommend", f"{address}/{id_}", "--why", "-k", "4"]
    assert main([*words, "--user", small.dataset.users[7]]) == 0
    header, *lines = [line for line in capsys.readouterr().out.splitlines() if line.strip()]
    assert header.split()[-2:] == ["because", "of"]
    for line in lines:
        told = {item: line.index(f"{titles[item]} (") for item in mine if f"{titles[item]} (" in line}
        shares = [int(line[place:].split("%")[0].split("(")[-1]) for place in sorted(told.values())]
        assert 1 <= len(shares) <= 3
        assert shares == sorted(shares, reverse=True)
        assert sum(shares) <= 101
    typed = [small.dataset.items[item] for item in mine[:2]]
    assert main([*words, *typed]) == 0
    shown = capsys.readouterr().out
    assert any(f"{titles[item]} (" in shown for item in mine[:2])


def test_who_cannot_say_why_is_told_so(address: str, tmp_path: Path, capsys: Captured) -> None:
    for id_, said in (("blend", "no-reasons"), ("ranks", "no-scorer"), ("popularity", "no-reasons")):
        assert main(["recommend", f"{address}/{id_}", "--user", "1", "--why"]) != 0
        assert said in capsys.readouterr().err
    words = ["recommend", f"{address}/als", "--user", "1", "--why", "--out", str(tmp_path / "lists.csv")]
    assert main(words) == 2
    assert "reasons are shown on the terminal and not written" in capsys.readouterr().err


def test_a_file_of_users_keeps_its_order(small: RunFolder, address: str, tmp_path: Path) -> None:
    users = [small.dataset.users[at] for at in (7, 2, 5)]
    (tmp_path / "users.csv").write_text("user\n" + "\n".join(users) + "\n")
    out = tmp_path / "lists.csv"
    words = ["recommend", f"{address}/als", "--users", str(tmp_path / "users.csv"), "-k", "3", "--out", str(out)]
    assert main(words) == 0
    assert [line.split(",")[0] for line in out.read_text().splitlines()[1:]] == [u for u in users for _ in range(3)]


def test_asking_for_nobody_and_for_two_kinds_of_users_is_refused(address: str, capsys: Captured) -> None:
    assert main(["recommend", f"{address}/als"]) == 2
    assert main(["recommend", f"{address}/als", "--all", "--user", "1"]) == 2
    assert "exactly one" in capsys.readouterr().err


def test_similar_items_are_not_the_item(small: RunFolder, address: str, capsys: Captured) -> None:
    assert main(["similar", f"{address}/ease_recent", small.dataset.items[0], "-k", "5"]) == 0
    assert len([line for line in capsys.readouterr().out.splitlines() if re.search(r"\s[1-5]\s", line)]) >= 5


def test_an_ensemble_is_added_without_refitting(
    small: RunFolder, address: str, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: int(small.manifest["threads"]) + 1)  # looked at on another machine
    words = ["ensemble", address, "als", "item_knn", "--method", "reciprocal_rank", "--id", "rrf"]
    code = main([*words, "--runs", str(small.path.parent)])
    told = capsys.readouterr()
    assert code == 0, told.err
    assert "rrf" in told.out
    assert "als: reused for valid" in told.err


def test_users_are_routed_from_stored_lists(small: RunFolder, address: str, capsys: Captured) -> None:
    words = ["ensemble", address, "popularity", "als", "--method", "segments", "--id", "routed"]
    code = main([*words, "--set", "by=history_length", "--set", "thresholds=[20]", "--runs", str(small.path.parent)])
    told = capsys.readouterr()
    assert code == 0, told.err
    assert "routed" in told.out
    assert "als: reused for final" in told.err


def test_lists_from_a_file_against_a_truth_from_a_file(tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "lists.csv").write_text("user,item,rank\na,x,1\na,y,2\nb,y,1\n")
    (tmp_path / "truth.csv").write_text("user,item\na,y\nb,z\nc,x\n")
    words = ["evaluate", str(tmp_path / "lists.csv"), "--truth", str(tmp_path / "truth.csv"), "--metric", "recall@2"]
    assert main(words) == 0
    shown = capsys.readouterr().out
    assert "3 users" in shown
    assert f"{1 / 3:.4f}" in shown


def test_a_run_is_reproduced_from_the_command_line(tmp_path: Path, capsys: Captured) -> None:
    assert main(["fit", "popularity", "synthetic:120x40", "--runs", str(tmp_path)]) == 0
    (folder,) = tmp_path.glob("popularity-*")
    assert main(["reproduce", folder.name, "--runs", str(tmp_path)]) == 0
    assert "every bit the same" in capsys.readouterr().out
    part = next(folder.glob("lists/test/**/*.parquet"))
    part.write_bytes(next(folder.glob("lists/valid/**/*.parquet")).read_bytes())
    assert main(["reproduce", str(folder), "--runs", str(tmp_path)]) == 4
    assert "lists/test" in capsys.readouterr().out


@pytest.mark.slow
def test_the_demo_ends_with_a_leaderboard(tmp_path: Path, capsys: Captured) -> None:
    assert main(["demo", "--runs", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    for word in ("73,508", "blend", "recall@10", "report.html", "blend.csv"):
        assert word in shown
    (folder,) = tmp_path.glob("demo-*")
    value = {
        row["id"]: row["value"]
        for row in RunFolder(folder).metrics
        if (row["part"], row["segment"], row["metric"]) == ("test", None, "recall@10")
    }
    assert value["random_items"] < 0.02 < 0.15 < value["popularity"] < max(value["ease"], value["als"])
    assert np.isfinite(list(value.values())).all()
