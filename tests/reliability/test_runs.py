"""Configuration faults that need a run: C6, C8, C9, C10."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from matinee import durable
from matinee.cli.main import main
from matinee.config import experiment_from
from matinee.experiment.folder import RunFolder
from matinee.experiment.run import run
from tests.small_run import settings


def test_C6_k_over_the_catalogue_gives_shorter_lists_and_k_0_is_refused(
    small: RunFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    user, out = small.dataset.users[0], tmp_path / "lists.csv"
    words = ["recommend", str(small.path / "ease_recent"), "--user", user, "--out", str(out)]
    assert main([*words, "-k", "100000"]) == 0
    eligible = small.dataset.n_items - len(set(small.dataset.log.take(np.array([0])).items.tolist()))
    assert len(out.read_text().splitlines()) == 1 + eligible
    assert capsys.readouterr().err.count("shorter than 100,000") == 1
    assert main([*words, "--overwrite", "-k", "0"]) == 2
    assert "greater than or equal to 1" in capsys.readouterr().err


def test_C8_an_output_that_exists_is_refused_before_any_work(
    small: RunFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "lists.csv"
    out.write_text("mine")
    words = ["recommend", str(small.path / "ease_recent"), "--all", "--out", str(out)]
    assert main(words) == 2
    assert "exists" in capsys.readouterr().err
    assert out.read_text() == "mine"
    assert main([*words, "--overwrite"]) == 0
    assert out.read_text().startswith("user,item")
    closed = tmp_path / "closed"
    closed.mkdir()
    if os.geteuid() != 0:
        closed.chmod(0o500)
        assert main([*words[:-1], str(closed / "lists.csv")]) == 5
    (tmp_path / "file").write_text("")
    assert main([*words[:-1], str(tmp_path / "file" / "lists.csv")]) == 5


def test_C9_a_flag_wins_over_the_environment_and_both_are_told(
    small: RunFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MATINEE_RUNS", str(tmp_path / "elsewhere"))
    assert main(["compare", small.id, "--runs", str(small.path.parent)]) == 0
    told = capsys.readouterr().err
    assert str(small.path.parent) in told
    assert str(tmp_path / "elsewhere") in told
    monkeypatch.setenv("MATINEE_RUNS", str(small.path.parent))
    assert main(["compare", small.id]) == 0


def test_C10_what_was_stored_under_other_settings_is_never_taken_for_these(small: RunFolder, tmp_path: Path) -> None:
    base = Path(small.manifest["base"])
    runs = tmp_path / "runs"
    shutil.copytree(small.path, runs / small.id)
    stopped = RunFolder(runs / small.id)
    (stopped.path / "timings.json").unlink()
    about = stopped.path / "lists" / "test" / "als" / "about.json"
    durable.write_json(about, {"key": "of other settings", "parts": 1, "depth": 80})
    part = about.parent / "part-00000.parquet"
    part.write_bytes(b"not these")
    folder = run(experiment_from(settings(), base), runs)
    assert folder.path == stopped.path
    assert part.read_bytes() == (small.path / "lists/test/als/part-00000.parquet").read_bytes()
    other = run(experiment_from(settings(seed=1), base), runs)
    assert other.path != folder.path
