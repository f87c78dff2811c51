"""The mirror in MLflow under faults: group R of the catalogue, apart from the servers of R2."""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from matinee import durable
from matinee.cli.main import main
from matinee.experiment.folder import RunFolder
from matinee.tracking import address as addresses
from matinee.tracking import content, follow, sync
from matinee.tracking.mirror import State, behind, is_mirrored
from matinee.tracking.names import LARGEST, original
from matinee.tracking.store import Store
from tests.architecture.source import PACKAGE, files
from tests.reliability.tracked import assert_complete, brought_up, history, mirror, one_run, step, toy

pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SADeprecationWarning")


EXPERIMENT = """
name: tracked
data: {path: "synthetic:60x30:3"}
models: [{model: popularity}]
tracking: {mlflow: true}
"""


class Killed(BaseException):
    """What a kill does to whoever is at work."""


CALLS = ("run", "add_points", "add_words", "add_file", "set_status", "steps", "known")


def test_R4_killed_at_any_moment_each_step_arrives_once(mirrored: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before or after each call to MLflow in turn; whoever comes next finishes what was left."""
    folder = toy(mirrored)
    for moment in range(60):
        left = [moment]
        with monkeypatch.context() as patch:
            for name in CALLS:
                patch.setattr(Store, name, _dying(getattr(Store, name), left))
            try:
                brought_up(folder)
            except Killed:
                continue
        break
    assert 2 < moment < 59
    assert_complete(folder)
    assert one_run(folder).info.status == "FINISHED"


def _dying(call: Callable[..., Any], left: list[int]) -> Callable[..., Any]:
    def called(*words: Any, **named: Any) -> Any:
        for at_last in (False, True):
            found = call(*words, **named) if at_last else None
            left[0] -= 1
            if left[0] < 0:
                raise Killed
        return found

    return called


def test_R5_syncs_one_after_the_other_and_at_once(
    tmp_path: Path, mirrored: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At once on a store that neither has made yet, so that both would migrate it."""
    for id_ in ("toy-1", "toy-2"):
        toy(mirrored, id_)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'fresh' / 'new.db'}")
    words = [sys.executable, "-m", "matinee", "track", "sync", "--runs", str(mirrored)]
    both = [subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) for _ in range(2)]
    said = [one.communicate(timeout=120)[0] for one in both]
    assert [one.returncode for one in both] == [0, 0], said
    assert said == ["toy-1: up to date\ntoy-2: up to date\n"] * 2
    folders = [RunFolder(mirrored / id_) for id_ in ("toy-1", "toy-2")]
    stamps = []
    for _ in range(2):
        sync.sync(folders, mirrored, lambda line: None)
        stamps.append(_written(tmp_path / "fresh"))
    assert stamps[0] == stamps[1], "the second wrote something"
    for folder in folders:
        assert_complete(folder)


def _written(place: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in place.rglob("*") if path.is_file()}


def test_R6_numbers_that_mlflow_cannot_keep_are_named(mirrored: Path) -> None:
    folder = toy(mirrored, epochs=0)
    odd = [math.nan, math.inf, -math.inf, 1e308, -0.0, 2**53 + 1]
    for epoch, value in enumerate(odd, 1):
        step(folder, epoch=epoch, odd=value)
    brought_up(folder)
    kept = [value for _, value in history(folder)["a/fit/valid/odd"]]
    assert math.isnan(kept[0])
    assert kept[1:] == [LARGEST, -LARGEST, 1e308, 0.0, float(2**53)]
    told = one_run(folder).data.tags["matinee.replaced"]
    assert told == ("a/fit/valid/odd at 2: inf; a/fit/valid/odd at 3: -inf; a/fit/valid/odd at 5: -0.0; "
                    "a/fit/valid/odd at 6: 9007199254740993")
    lines = [line["odd"] for line in durable.read_lines(folder.journal) if "odd" in line]
    assert repr(lines) == repr(odd)


def test_R7_names_and_parameters_of_any_size_arrive(mirrored: Path) -> None:
    odd = {"ndcg@10": 0.5, "look_at_me": 1, "../x": 2, "é": 3, "a" * 300: 4, "": 5}
    many = [{"id": f"m{at}", "l2": at} for at in range(50_000)]
    folder = toy(mirrored, epochs=0, about="x" * 10_000, models=many)
    step(folder, epoch=1, **odd)
    brought_up(folder)
    names = json.loads((folder.path / "tracking" / "names.json").read_text())
    found = {original(names.get(key, key))[-1]: points for key, points in history(folder).items() if "fit/valid" in key}
    assert {name: found[name] for name in odd} == {name: [(1, value)] for name, value in odd.items()}
    run = one_run(folder)
    assert len(run.data.params) == content.PARAMETERS
    assert run.data.tags["matinee.parameters_left_out"] == str(4 + 100_000 - content.PARAMETERS)
    kept = run.data.params["about"]
    assert len(kept) == 500
    assert kept.startswith("xxx")
    assert json.loads((folder.path / "tracking" / "config.yaml").read_text())["about"] == "x" * 10_000


def test_R8_only_bare_names_leave_and_no_store_says_where_to_write(
    mirrored: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "e.yaml").write_text(EXPERIMENT.replace("tracked", '"<script>"'))
    assert main(["run", str(tmp_path / "e.yaml"), "--runs", str(mirrored)]) == 2
    folder = toy(mirrored)
    (folder.path / "models" / "out").symlink_to(tmp_path / "e.yaml")
    names = [name for _, name in content.files(folder, ended=True)]
    assert "models/valid/a/about.json" in names
    assert all(".." not in name and not name.startswith(("/", ".")) and name != "models/out" for name in names)
    mirror(folder).store._client.create_experiment("toy", (tmp_path / "elsewhere").as_uri())
    assert main(["track", "sync", "--runs", str(mirrored)]) == 2
    assert "artefacts-elsewhere" in capsys.readouterr().err
    assert not (tmp_path / "elsewhere").exists()
    assert_complete(folder)
    server = addresses.Address("http://me:pw@host:5000", mirrored)
    assert server.accepts("mlflow-artifacts:/1/abc/artifacts")
    assert server.accepts("mlflow-artifacts://host:5000/1") is False, "another name of it"
    for there in ("file:///etc", "/etc", "s3://bucket/x", "mlflow-artifacts://other/1", "http://other/1"):
        assert not server.accepts(there), there


def test_R9_a_killed_run_is_marked_killed_at_the_next_start(mirrored: Path) -> None:
    folder = toy(mirrored, done=False)
    brought_up(folder)
    other = toy(mirrored, "other-1")
    with durable.lock(folder.path):
        follow.settle_others(other, mirror(other).store)
        sync.sync([folder], mirrored, lambda line: None)
        assert one_run(folder).info.status == "RUNNING", "it is at work"
    follow.settle_others(other, mirror(other).store)
    assert one_run(folder).info.status == "KILLED"
    assert State.of(folder).status == "KILLED"
    mirror(folder).end("RUNNING")
    assert one_run(folder).info.status == "RUNNING", "gone on with"
    sync.sync([folder], mirrored, lambda line: None)
    assert one_run(folder).info.status == "KILLED"


def test_a_follower_whose_run_is_killed_says_so_and_goes(mirrored: Path) -> None:
    folder = toy(mirrored, done=False)
    (folder.path / "tracking").mkdir()
    done = subprocess.run([sys.executable, "-m", "matinee.tracking.follow", str(folder.path)], input=b"",
                          timeout=follow.GRACE + 60, check=False)
    assert done.returncode == 0
    assert one_run(folder).info.status == "KILLED"
    assert len(history(folder)["a/fit/valid/loss"]) == 3


def test_R10_a_torn_last_line_is_left_out_until_it_is_whole(mirrored: Path) -> None:
    folder = toy(mirrored, done=False)
    line = b'{"event": "step-metrics", "id": "a", "part": "valid", "epoch": 4, "loss": 0.25}\n'
    with folder.journal.open("ab") as file:
        file.write(line[:40])
    follower = brought_up(folder)
    assert len(history(folder)["a/fit/valid/loss"]) == 3
    with folder.journal.open("ab") as file:
        file.write(line[40:])
    follower.catch_up(ended=False)
    assert history(folder)["a/fit/valid/loss"][3:] == [(4, 0.25)]


def test_R11_models_are_plain_files_and_nothing_is_registered(mirrored: Path, tmp_path: Path) -> None:
    folder = toy(mirrored)
    found = brought_up(folder)
    copies = found.store.address.artefacts
    assert copies
    place = copies / "toy" / found.state.run / "artifacts"
    kept = {path.relative_to(place).as_posix(): path.read_bytes() for path in place.rglob("*") if path.is_file()}
    assert kept == {"config.yaml": (folder.path / "tracking" / "config.yaml").read_bytes(),
                    **{name: path.read_bytes() for path, name in content.files(folder, ended=True)}}
    assert {"manifest.json", "metrics.json", "journal.jsonl", "models/valid/a/arrays.safetensors"} <= set(kept)
    assert found.store._client.search_registered_models() == []
    source = "".join(path.read_text() for path in files(PACKAGE / "tracking")).replace("PICKLE_DESERIALIZATION", "")
    assert not [word for word in ("pyfunc", "log_model", "pickle", "register_model") if word in source.lower()]


def test_a_run_that_mlflow_lacks_is_behind_until_it_is_told(mirrored: Path) -> None:
    folder = toy(mirrored)
    assert not is_mirrored(folder)
    assert behind(folder) == "nothing of this run is there yet"
    brought_up(folder)
    assert behind(folder) is None
    step(folder, epoch=4, loss=0.1)
    (folder.path / "report.html").write_text("x")
    assert behind(folder) == "1 figures, 2 files of this run are missing there"
    brought_up(folder)
    assert behind(folder) is None
    folder.conclude("it did")
    assert behind(folder) is not None
    brought_up(folder)
    assert one_run(folder).data.tags["mlflow.note.content"] == "question: why?\n\nconclusion: it did"
    shutil.rmtree(folder.path / "tracking")
    for path in folder.path.iterdir():
        os.utime(path, (1.8e9, 1.8e9))  # as after a copy: no time of a file tells one point from another
    brought_up(folder)
    assert len(history(folder)["a/test/ndcg_at_10"]) == 1
    assert len(history(folder)["a/fit/valid/loss"]) == 4, "forgotten, asked again, told once"
