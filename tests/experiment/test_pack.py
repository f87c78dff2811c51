"""A run packed into an archive and done again from it in another folder."""

from __future__ import annotations

import os
import shutil
import zipfile
from pathlib import Path

import pytest

from matinee import durable
from matinee.cli.main import main
from matinee.config import experiment_from, load_experiment
from matinee.errors import DataError, ModelError, UsageError
from matinee.experiment.folder import RunFolder
from matinee.experiment.pack import pack, unpacked
from matinee.experiment.reproduce import Verdict, reproduce
from matinee.experiment.run import run
from tests.cli.commands import process
from tests.experiment.test_own_copies import matinee, named_files_experiment
from tests.experiment.test_reproduce import OUTSIDE, silent
from tests.small_run import settings

Captured = pytest.CaptureFixture[str]


def again(folder: RunFolder, into: Path, data: Path | None = None) -> Verdict:
    return reproduce(folder, into, data=data, progress=silent, say=lambda line: None)


def test_the_same_run_is_the_same_bytes_whenever_and_wherever_it_is_packed(small: RunFolder, tmp_path: Path) -> None:
    pack(small, tmp_path / "a.zip", with_data=True)
    shutil.copytree(small.path, tmp_path / "moved" / small.id)
    for path in (tmp_path / "moved").rglob("*"):
        os.utime(path, (1, 1))
        path.chmod(0o755)
    pack(RunFolder(tmp_path / "moved" / small.id), tmp_path / "b.zip", with_data=True)
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert archive.testzip() is None
        assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}


def test_every_model_comes_out_of_an_archive_bit_by_bit(small: RunFolder, tmp_path: Path) -> None:
    pack(small, tmp_path / "a.zip")
    verdict = again(unpacked(tmp_path / "a.zip", tmp_path / "runs"), tmp_path / "runs")
    assert verdict.results == verdict.surroundings == ()
    assert verdict.compared > 30


def test_an_outside_model_runs_only_where_it_is_trusted(tmp_path: Path) -> None:
    project, elsewhere = tmp_path / "project", tmp_path / "elsewhere"
    project.mkdir()
    elsewhere.mkdir()
    (project / "추천 모델.py").write_text(OUTSIDE)
    plain = settings(name="mine", models=[{"id": "mine", "model": "./추천 모델.py"}], ensembles=[],
                     data={"path": "synthetic:60x30"}, output={"which": ["mine"]})
    folder = run(experiment_from(plain, project), project / "runs", threads=1)
    pack(folder, elsewhere / "run.zip")
    shutil.rmtree(project)
    with pytest.raises(UsageError, match=r"runs-code: .*outside/[0-9a-f]{16}/추천_모델\.py; read them .* --trust"):
        unpacked(elsewhere / "run.zip", elsewhere / "runs")
    assert "every bit the same" in matinee("reproduce", "run.zip", "--trust", folder=elsewhere)


def test_files_that_are_named_travel_and_data_does_where_asked_for(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    plain = named_files_experiment(project)
    rows = [f"{user},{item}\n" for user in range(60) for item in range(user % 5, user % 5 + 12)]
    (project / "log.csv").write_text("user,item\n" + "".join(rows))
    for name in ("users (1).csv", "items.csv"):
        (project / name).write_text(f"{name[:4]}\n3\n7\n")
    listed = [f"{user},{item}\n" for user in range(60) for item in range(9)]
    (project / "lists.csv").write_text("user,item\n" + "".join(listed))
    folder = run(experiment_from({**plain, "data": {"path": "log.csv"}}, project), project / "runs")
    for with_data in (True, False):
        pack(folder, tmp_path / f"{with_data}.zip", with_data=with_data)
    os.rename(project, tmp_path / "gone")
    told = again(unpacked(tmp_path / "True.zip", tmp_path / "runs"), tmp_path / "runs")
    assert told.results == ()
    assert "data: cannot be read where it was" in told.surroundings[-1]
    bare = unpacked(tmp_path / "False.zip", tmp_path / "runs")
    with pytest.raises(DataError, match=r"packed without its data, .* give it by --data; its hash is [0-9a-f]{12}"):
        again(bare, tmp_path / "runs")
    assert again(bare, tmp_path / "runs", tmp_path / "gone/log.csv").results == ()
    (tmp_path / "other.csv").write_text("user,item\n" + "".join(rows[:-5]))
    with pytest.raises(ModelError, match=r"other-data: the data is .*, and the run was made on"):
        again(bare, tmp_path / "runs", tmp_path / "other.csv")
    how = (bare.path / "HOW.md").read_text()
    facts = folder.manifest
    for said in (facts["data"]["hash"], "log.csv ", "The data is not inside", facts["code"]["package"]):
        assert said in how


def test_side_files_are_where_they_were_or_asked_for(tmp_path: Path) -> None:
    project = tmp_path / "project"
    (project / "extra").mkdir(parents=True)
    (project / "log.csv").write_text("user,item\n" + "".join(f"{u},{i}\n" for u in range(40) for i in range(u % 5, 17)))
    (project / "extra/영화.csv").write_text("item,title\n" + "".join(f"{i},제목 {i}\n" for i in range(17)))
    plain = settings(data={"path": "log.csv", "side": ["extra/영화.csv"]}, models=["popularity"], ensembles=[],
                     output={"which": []})
    folder = run(experiment_from(plain, project), project / "runs")
    pack(folder, tmp_path / "a.zip")
    bare = unpacked(tmp_path / "a.zip", tmp_path / "runs")
    log = (project / "log.csv").rename(tmp_path / "moved.csv")
    assert again(bare, tmp_path / "runs", log).results == ()
    side = (project / "extra/영화.csv").rename(tmp_path / "영화.csv")
    with pytest.raises(DataError, match=r"extra/영화\.csv.* it had the side files extra/영화\.csv: give --side"):
        again(bare, tmp_path / "runs", log)
    (project / "extra/영화.csv").write_text("item,title\n0,other\n")
    with pytest.raises(ModelError, match=r"other-data: .* it had the side files extra/영화\.csv: give --side"):
        again(bare, tmp_path / "runs", log)
    told = reproduce(bare, tmp_path / "runs", data=log, side=[side], progress=silent, say=lambda line: None)
    assert told.results == ()
    with pytest.raises(ModelError, match=r"other-data: .* HOW\.md in the archive names them$"):
        reproduce(bare, tmp_path / "runs", data=log, side=[project / "extra/영화.csv"], progress=silent,
                  say=lambda line: None)
    assert "log.csv, side extra/영화.csv, layout" in (bare.path / "HOW.md").read_text()


@pytest.mark.parametrize("environment", [{}, {"LC_ALL": "C", "LANG": "C"}])
def test_an_experiment_with_a_korean_name_is_run_shown_packed_and_made_again(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    (tmp_path / "실험.yaml").write_text("name: 한글실험\ndata: {path: 'synthetic:60x30'}\nmodels: [popularity]\n"
                                      "output: {which: [popularity]}\n", encoding="utf-8")

    def said(*words: str) -> str:
        done = process(*words, folder=tmp_path, environment=environment)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    assert "submission/popularity.csv" in said("run", "실험.yaml", "--threads", "1")
    (run_,) = (tmp_path / "runs").glob("한글실험-*")
    assert run_.name in said("runs", "--name", "한글")
    assert said("runs", "show", "한글실").startswith(f"{run_.name}: test, ")
    assert "every bit the same" in said("reproduce", run_.name)
    assert said("pack", "한글실").startswith(f"{run_.name}.zip: ")
    shutil.rmtree(run_)
    assert f".reproduced/{run_.name}-2" in said("reproduce", f"{run_.name}.zip")


def test_the_experiment_in_an_archive_is_good(small: RunFolder, tmp_path: Path) -> None:
    pack(small, tmp_path / "a.zip", with_data=True)
    folder = unpacked(tmp_path / "a.zip", tmp_path)
    found = load_experiment(folder.path / "experiment.yaml")
    assert found.resolved() == small.manifest["config"]
    assert f"numpy=={small.manifest['packages']['numpy']}\n" in (folder.path / "packages.txt").read_text()


def test_a_result_that_differs_is_named_by_its_hash(small: RunFolder, tmp_path: Path) -> None:
    pack(small, tmp_path / "a.zip")
    folder = unpacked(tmp_path / "a.zip", tmp_path)
    results = folder.path / "results.json"
    text = results.read_text()
    changed = text.replace('"submission/blend.csv": "', '"submission/blend.csv": "0', 1)
    assert changed != text
    results.write_text(changed)
    assert again(folder, tmp_path / "runs").results == ("submission/blend.csv: other bytes",)


def test_from_the_command_line(small: RunFolder, tmp_path: Path, capsys: Captured) -> None:
    archive = str(tmp_path / "a.zip")
    assert main(["pack", str(small.path), "-o", archive]) == 0
    assert "without the data" in capsys.readouterr().out
    assert main(["reproduce", archive, "--runs", str(tmp_path / "runs")]) == 0
    assert "every bit the same" in capsys.readouterr().out
    assert main(["reproduce", archive, "--side", "x", "--runs", str(tmp_path / "runs")]) == 2
    begun = tmp_path / "begun"
    begun.mkdir()
    durable.write_json(begun / "manifest.json", small.manifest)
    assert main(["pack", str(begun), "-o", archive]) == 4
    assert "no results to come to again" in capsys.readouterr().err
