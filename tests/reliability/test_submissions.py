"""Lists on their way to a file: I2, I7, I8, I11, I12."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from matinee import durable
from matinee.cli.main import main
from matinee.config import experiment_from
from matinee.errors import DataError, ResourceError
from matinee.experiment import submission
from matinee.experiment.folder import RunFolder
from matinee.experiment.run import run
from matinee.ranking.lists import Lists
from tests.experiment.test_run import results
from tests.small_run import settings


def test_I2_an_unknown_user_is_refused_and_one_without_history_gets_a_marked_list(
    small: RunFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["recommend", str(small.path / "als"), "--user", "아무도"]) == 3
    assert "아무도" in capsys.readouterr().err
    (tmp_path / "log.csv").write_text(
        "user,item,time\n" + "".join(f"u{u},i{i},{u * 100 + i}\n" for u in range(30) for i in range(u % 5, u % 5 + 12))
    )
    (tmp_path / "users.csv").write_text("user,gender\n" + "".join(f"u{u},F\n" for u in range(31)))
    changed = settings(
        data={"path": "log.csv", "side": str(tmp_path / "side"), "min_user_events": 0},
        models=[{"model": "ease"}],
        ensembles=[],
        output={"which": ["ease"], "submission": "table"},
    )
    (tmp_path / "side").mkdir()
    (tmp_path / "users.csv").rename(tmp_path / "side" / "users.csv")
    folder = run(experiment_from(changed, tmp_path), tmp_path / "runs")
    lines = folder.submission("ease").read_text().splitlines()
    cold = [line for line in lines if line.startswith("u30,")]
    assert len(cold) == 10
    assert all(line.endswith("true") for line in cold)


@pytest.mark.slow
def test_I7_a_run_killed_at_any_moment_goes_on_and_ends_with_the_same_bytes(small: RunFolder, tmp_path: Path) -> None:
    base, runs = Path(small.manifest["base"]), tmp_path / "runs"
    code = f"""
from pathlib import Path
from matinee.config import experiment_from
from matinee.experiment.run import run
from tests.small_run import settings
run(experiment_from(settings(), Path({str(base)!r})), Path({str(runs)!r}))
"""
    for lines in (3, 9):
        child = subprocess.Popen([sys.executable, "-c", code], cwd=Path(__file__).parents[2])
        journal = runs / small.id / "journal.jsonl"
        while child.poll() is None and (not journal.is_file() or len(durable.read_lines(journal)) < lines):
            time.sleep(0.005)
        child.send_signal(signal.SIGKILL)
        child.wait()
        assert not (runs / small.id / "submission" / "blend.csv").is_file()
    folder = run(experiment_from(settings(), base), runs)
    assert results(folder) == results(small)
    assert not list(folder.path.rglob(".matinee-*"))


def test_I8_a_full_disk_ends_with_code_5_and_neither_a_final_nor_a_temporary_file(
    small: RunFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(durable.os, "fsync", full)
    out = tmp_path / "lists.csv"
    assert main(["recommend", str(small.path / "als"), "--all", "--out", str(out)]) == 5
    assert "disk is full" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_on_publishing_a_folder_keeps_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "model"
    with durable.publishing(folder) as fresh:
        (fresh / "a").write_text("old")
    monkeypatch.setattr(durable.os, "fsync", lambda d: (_ for _ in ()).throw(OSError(errno.EDQUOT, "quota")))
    with pytest.raises(ResourceError, match="quota is used up"), durable.publishing(folder) as fresh:
        (fresh / "a").write_text("new")
    assert (folder / "a").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda rows: rows[1:], "users have fewer than 10 items"),
        (lambda rows: rows[10:], "users are missing"),
        (lambda rows: [*rows, rows[-1]], "users have more than 10 items"),
        (lambda rows: [rows[1], *rows[1:]], "users have an item twice"),
        (lambda rows: [(rows[0][0], "없는 영화"), *rows[1:]], "items are unknown"),
        (lambda rows: [*rows, ("nobody", rows[0][1])], "users are not asked for"),
    ],
)
def test_I11_whatever_a_submission_lacks_is_named(small: RunFolder, tmp_path: Path, change: object, said: str) -> None:
    rows = [tuple(line.split(",")) for line in small.submission("blend").read_text().splitlines()[1:]]
    path = tmp_path / "s.csv"
    assert callable(change)
    path.write_text("user,item\n" + "".join(f"{u},{i}\n" for u, i in change(rows)))
    everybody = np.arange(small.dataset.n_users)
    found = submission.check(path, small.dataset, "boostcamp", 10, everybody)
    assert any(said in fault for fault in found.faults), found.faults
    good = submission.check(small.submission("blend"), small.dataset, "boostcamp", 10, everybody)
    assert good.faults == ()
    assert main(["submission", "check", str(path), "--run", str(small.path)]) == 3
    assert main(["submission", "check", str(small.submission("blend")), "--run", str(small.path)]) == 0


def test_a_seen_item_in_a_submission_is_named(small: RunFolder, tmp_path: Path) -> None:
    log, dataset = small.dataset.log, small.dataset
    rows = [line.split(",") for line in small.submission("blend").read_text().splitlines()[1:]]
    user = dataset.users.find(rows[0][0])
    rows[0][1] = dataset.items[int(log.items[log.indptr[user]])]
    path = tmp_path / "s.csv"
    path.write_text("user,item\n" + "".join(f"{u},{i}\n" for u, i in rows))
    found = submission.check(path, dataset, "boostcamp", 10, np.arange(dataset.n_users))
    assert found.faults == (f"1 users are given an item they have seen: {rows[0][0]}",)


def test_the_columns_of_a_submission_are_checked(small: RunFolder, tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    path.write_text("item,user\n1,2\n")
    with pytest.raises(DataError, match="boostcamp wants user,item"):
        submission.check(path, small.dataset, "boostcamp", 10, np.arange(3))


def test_I12_ids_that_look_like_formulas_stay_exact_and_are_counted(tmp_path: Path) -> None:
    items = ["=SUM(A1)", "+7", "-x", "@here", "0123", "쌍둥이"]
    rows = [f"u{u},{items[(u + n) % 6]},{u * 10 + n}" for u in range(12) for n in range(4)]
    (tmp_path / "log.csv").write_text("\n".join(["user,item,time", *rows]) + "\n")
    changed = settings(
        data={"path": "log.csv"},
        models=[{"model": "popularity"}],
        ensembles=[],
        split={"protocol": "leave_last", "valid": 1, "test": 1},
        evaluate={"metrics": ["recall@1"]},
        output={"which": ["popularity"], "k": 2},
    )
    said: list[str] = []
    folder = run(experiment_from(changed, tmp_path), tmp_path / "runs", say=said.append)
    lines = folder.submission("popularity").read_text().splitlines()[1:]
    assert {line.split(",")[1] for line in lines} == set(items)
    assert any("formula ids: 4" in line for line in said)


def test_a_list_of_ids_is_written_as_the_uplus_layout_wants_it(small: RunFolder, tmp_path: Path) -> None:
    dataset = small.dataset
    lists = Lists(
        np.array([0, 1]),
        np.array([[3, 1], [2, -1]], np.int32),
        np.array([[2, 1], [1, -np.inf]], np.float32),
        np.zeros((2, 2), bool),
    )
    submission.write(tmp_path / "s.csv", lists, dataset, "uplus", np.array([1, 0]))
    first, second = (tmp_path / "s.csv").read_text().splitlines()[1:]
    assert first.startswith(dataset.users[1])
    assert dataset.items[2] in first
    assert dataset.items[1] in second
