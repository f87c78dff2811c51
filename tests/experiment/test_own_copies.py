"""Runs whose files were renamed, edited, deleted and tidied up since: the same bytes still come."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from matinee.cli.main import main
from matinee.config import experiment_from
from matinee.data.load import load
from matinee.experiment import fingerprint
from matinee.experiment.answer import Answers
from matinee.experiment.folder import RunFolder
from matinee.experiment.reproduce import Verdict, reproduce
from matinee.experiment.run import run
from tests.experiment.test_reproduce import OUTSIDE, silent
from tests.small_run import settings


def git(folder: Path, *words: str) -> str:
    named = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
    return subprocess.run(["git", "-C", str(folder), *named, *words], check=True, capture_output=True, text=True).stdout


def again(folder: RunFolder, into: Path) -> Verdict:
    return reproduce(RunFolder.open(folder.path), into, progress=silent, say=lambda line: None)


def matinee(*words: str | Path, folder: Path) -> str:
    """The command in a process of its own, from inside `folder`; what it says on stdout."""
    done = subprocess.run([sys.executable, "-m", "matinee", *map(str, words)], cwd=folder, capture_output=True,
                          text=True, check=False, timeout=240, env=os.environ)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("in_git", [True, False], ids=["in a checkout", "outside of one"])
def test_after_a_tidy_up_an_outside_model_gives_the_same_bytes(in_git: bool, tmp_path: Path) -> None:
    project, elsewhere = tmp_path / "project", tmp_path / "elsewhere"
    project.mkdir()
    elsewhere.mkdir()
    model, file = project / "position.py", project / "experiment.yaml"
    model.write_text(OUTSIDE)
    plain = settings(name="mine", data={"path": "synthetic:60x30"}, ensembles=[], output={"which": ["position"]},
                     models=[{"model": "./position.py", "slope": 2.0}])
    with file.open("w") as stream:
        YAML(typ="safe").dump(plain, stream)
    if in_git:
        git(project, "init", "-q")
        git(project, "add", "-A")
        git(project, "commit", "-qm", "a model")
    matinee("run", file, "--threads", "1", folder=project)
    (folder,) = (project / "runs").glob("mine-*")
    model.write_text(OUTSIDE.replace("slope", "steepness"))
    renamed = matinee("reproduce", folder.name, folder=project)
    assert "./position.py: the file has changed since; the run's own copy is used" in renamed
    model.unlink()
    if in_git:
        (project / ".gitignore").write_text("runs/\n")
        git(project, "add", "-A")
        git(project, "commit", "-qm", "tidy up")
    inside = matinee("reproduce", folder.name, folder=project)
    os.rename(folder, elsewhere / folder.name)
    outside = matinee("reproduce", elsewhere / folder.name, folder=elsewhere)
    for said in (renamed, inside, outside):
        assert "every bit the same" in said
    for said in (inside, outside):
        assert "./position.py: the file is gone from where it was; the run's own copy is used" in said
        assert ("folder of the experiment: commit" in said) == in_git


def test_a_run_whose_model_is_gone_still_answers_and_takes_an_ensemble(tmp_path: Path) -> None:
    model = tmp_path / "position.py"
    model.write_text(OUTSIDE)
    plain = settings(models=[{"model": "./position.py"}, {"model": "popularity"}], ensembles=[],
                     output={"which": ["position"]})
    folder = run(experiment_from(plain, tmp_path), tmp_path / "runs")
    model.unlink()
    user = folder.dataset.users[0]
    assert main(["recommend", f"{folder.path}/position", "--user", user]) == 0
    assert main(["evaluate", str(folder.path)]) == 0
    assert main(["ensemble", str(folder.path), "position", "popularity", "--runs", str(tmp_path / "runs")]) == 0


def test_two_outside_models_of_one_file_name_do_not_meet(tmp_path: Path) -> None:
    for name, sign in (("up", "+"), ("down", "-")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "position.py").write_text(OUTSIDE.replace("(self.slope", f"({sign}self.slope"))
    models = [{"id": name, "model": f"./{name}/position.py"} for name in ("up", "down")]
    folder = run(experiment_from(settings(models=models, ensembles=[], output={"which": ["up", "down"]}), tmp_path),
                 tmp_path / "runs")
    assert folder.submission("up").read_bytes() != folder.submission("down").read_bytes()
    for name in ("up", "down"):
        (tmp_path / name / "position.py").unlink()
    assert again(folder, tmp_path / "again").results == ()


def named_files_experiment(base: Path) -> dict[str, Any]:
    data = load("synthetic:60x30")
    users, items = (ids.series.to_list() for ids in (data.users, data.items))
    (base / "users (1).csv").write_text(f"user\n{users[3]}\n{users[7]}\n")
    (base / "items.csv").write_text(f"item\n{items[4]}\n{items[9]}\n")
    (base / "lists.csv").write_text("user,item\n" + "".join(f"{u},{i}\n" for u in users for i in items[:9]))
    return settings(
        data={"path": "synthetic:60x30"}, models=[{"model": "popularity"}],
        filters=[{"kind": "deny", "file": "items.csv"}],
        ensembles=[{"id": "both", "method": "rank_sum", "members": ["popularity", {"file": "lists.csv"}]}],
        output={"which": ["both"], "users": "users (1).csv"},
    )


def test_lists_users_and_filters_are_kept_and_used_when_they_are_gone_or_edited(tmp_path: Path) -> None:
    folder = run(experiment_from(named_files_experiment(tmp_path), tmp_path), tmp_path / "runs")
    assert again(folder, tmp_path / "again").surroundings == ()
    (tmp_path / "items.csv").unlink()
    (tmp_path / "users (1).csv").write_text("user\nnobody\n")
    (tmp_path / "lists.csv").write_text("user,item\n1,1\n")
    verdict = again(folder, tmp_path / "again")
    assert verdict.results == ()
    assert sorted(verdict.surroundings) == [
        "items.csv: the file is gone from where it was; the run's own copy is used",
        "lists.csv: the file has changed since; the run's own copy is used",
        "users (1).csv: the file has changed since; the run's own copy is used",
    ]
    assert Answers(folder).final.filters


def test_answers_of_a_given_split_are_kept(tmp_path: Path) -> None:
    rows = [f"{u},{(u + i) % 25}\n" for u in range(40) for i in range(9)]
    (tmp_path / "log.csv").write_text("user,item\n" + "".join(rows))
    (tmp_path / "answers.csv").write_text("user,item\n" + "".join(f"{u},{(u + 11) % 25}\n" for u in range(40)))
    plain = settings(data={"path": "log.csv"}, split={"protocol": "given", "test": "answers.csv"}, ensembles=[],
                     models=[{"model": "popularity"}], output={"which": []}, evaluate={"metrics": ["recall@10"]})
    folder = run(experiment_from(plain, tmp_path), tmp_path / "runs")
    (tmp_path / "answers.csv").unlink()
    verdict = again(folder, tmp_path / "again")
    assert verdict.results == ()
    assert verdict.surroundings == ("answers.csv: the file is gone from where it was; the run's own copy is used",)


def test_an_uncommitted_change_of_the_package_can_be_applied_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "repo" / "package"
    package.mkdir(parents=True)
    (package / "a.py").write_text("one = 1\n\n \n")
    git(tmp_path / "repo", "init", "-q")
    git(tmp_path / "repo", "add", "-A")
    git(tmp_path / "repo", "commit", "-qm", "first")
    (package / "a.py").write_text("one = 2\n\n \n")
    (package / "새.py").write_text("new = '다'\n")
    monkeypatch.setattr(fingerprint, "PACKAGE", package)
    state = fingerprint.code_state()
    git(tmp_path, "clone", "-q", "repo", "copy")
    git(tmp_path / "copy", "checkout", "-q", state["commit"])
    (tmp_path / "code.diff").write_text(state["diff"])
    git(tmp_path / "copy", "apply", str(tmp_path / "code.diff"))
    for name in ("a.py", "새.py"):
        assert (tmp_path / "copy/package" / name).read_bytes() == (package / name).read_bytes()
    assert fingerprint.checkout(package) == {"commit": state["commit"], "changed": True}
    assert fingerprint.checkout(tmp_path) is None


def test_files_of_the_package_that_differ_are_named(small: RunFolder, tmp_path: Path) -> None:
    from matinee.experiment.surroundings import surroundings

    code = dict(small.manifest["code"])
    files = {**code["files"], "models/ease.py": "0", "models/gone.py": "1"}
    changed = RunFolder(small.path)
    changed.__dict__["manifest"] = {
        **small.manifest, "code": {**code, "package": "0" * 64, "files": files},
        "packages": {**small.manifest["packages"], "numpy": "1.0", "rich": "1.0"}, "threads": 999,
        "machine": {**small.manifest["machine"], "python": "2.7"},
        "thread_pools": [{**pool, "architecture": "PDP-11"} for pool in small.manifest["thread_pools"]],
    }
    told = "\n".join(surroundings(changed))
    for line in ("code: models/ease.py, models/gone.py of the package differ", "numpy: 1.0 then",
                 "packages that compute nothing: rich 1.0 -> ", "threads: 999 then", "python: 2.7 then",
                 "kernels for PDP-11 then"):
        assert line in told
    assert list(surroundings(small)) == []
