"""The mirror at MLflow's own server: what arrives, files by its proxy included, and what a bad one cannot spoil."""

from __future__ import annotations

import socket
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from matinee.cli.main import main
from matinee.experiment.folder import RunFolder
from matinee.tracking import content
from matinee.tracking.address import Outage
from matinee.tracking.mirror import State, behind
from tests.experiment.test_run import results
from tests.reliability import tracked
from tests.reliability.flaky_server import FAULTS, Flaky, between
from tests.reliability.progress import wait_for
from tests.reliability.tracked import assert_complete, brought_up, mirror, one_run, toy

pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SADeprecationWarning")

EXPERIMENT = """
name: tracked
data: {path: "synthetic:300x90:3"}
models: [{model: popularity}, {model: bpr, epochs: 3}]
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, int]]:
    """Where the server keeps its things, and its port."""
    folder = tmp_path_factory.mktemp("server")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tracked.server(folder, folder / "mlflow.db", port) as url:
        wait_for(lambda: _answers(f"{url}/health"), 180)
        yield folder, port


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as said:
            return bool(said.status == 200)
    except OSError:
        return False


@pytest.mark.slow
def test_R2_a_server_that_fails_in_any_way_at_any_moment_costs_nothing(
    place: tuple[Path, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, port = place
    runs = tmp_path / "runs"
    with between(port) as (flaky, url):
        tracked.settings(monkeypatch, url)
        whole = toy(runs, "whole-1")
        brought_up(whole)
        assert_complete(whole)
        before = flaky.seen
        brought_up(toy(runs, "whole-2"))  # the experiment is there now
        requests = flaky.seen - before
        _same_files(whole, folder)
        for fault in FAULTS:
            for moment, after in {"start": 0, "middle": requests // 3, "end": requests - 1}.items():
                one = toy(runs, f"{fault}-{moment}")
                journal = one.journal.read_bytes()
                flaky.fails(fault, after)
                with pytest.raises(Outage):
                    brought_up(one)
                assert behind(one)
                assert State.of(one).trouble or moment == "start"
                flaky.heals()
                brought_up(one)
                assert one.journal.read_bytes() == journal
                assert_complete(one)
                assert one_run(one).info.status == "FINISHED"
                assert behind(one) is None
        _a_run_beside_one_that_hangs(flaky, tmp_path, capsys)
    with pytest.raises(Outage):
        brought_up(toy(runs, "refused"))


def _a_run_beside_one_that_hangs(flaky: Flaky, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The whole command, its follower included: the same bytes as without, a word about it, and all of it later."""
    (tmp_path / "with.yaml").write_text(EXPERIMENT)
    (tmp_path / "without.yaml").write_text(EXPERIMENT + "tracking: {mlflow: false}\n")
    assert main(["run", str(tmp_path / "without.yaml"), "--runs", str(tmp_path / "without")]) == 0
    flaky.fails("hang", 0)
    started = time.monotonic()
    assert main(["run", str(tmp_path / "with.yaml"), "--runs", str(tmp_path / "with")]) == 6
    assert time.monotonic() - started < 60
    assert "not-mirrored" in capsys.readouterr().err
    without, with_ = (RunFolder(next((tmp_path / name).glob("tracked-*"))) for name in ("without", "with"))
    assert results(with_) == results(without)
    flaky.heals()
    assert main(["track", "sync", "--runs", str(tmp_path / "with")]) == 0
    assert "up to date" in capsys.readouterr().out
    assert behind(with_) is None


def _same_files(folder: RunFolder, place: Path) -> None:
    """Through the proxy: the server's own folder has the bytes, and we were told no other place."""
    found = mirror(folder)
    run = one_run(folder).info
    assert run.artifact_uri.startswith("mlflow-artifacts:")
    kept = place / "kept" / run.experiment_id / run.run_id / "artifacts"
    sent = {name: path.read_bytes() for path, name in content.files(folder, ended=True)}
    assert {name: (kept / name).read_bytes() for name in sent} == sent
    assert {one.path for one in found.store._client.list_artifacts(run.run_id)} >= {"manifest.json", "models"}
