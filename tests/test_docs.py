"""What the README and the guides say is what happens."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
from scripts import middle_or_next
from scripts.readme_table import renewed

from matinee import catalog, durable
from matinee.cli.main import main
from matinee.config import cells, experiment_from, load_experiment, spaces_of
from matinee.data.confidence import CONFIDENCES
from matinee.features import registry as features
from matinee.nn.recipe import Trained
from tests.docs.pages import links_of
from tests.paths import data_folder

ROOT = Path(__file__).parents[1]


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / page).read_text(), re.S)


def test_the_ten_lines_of_the_readme_run() -> None:
    (code,) = blocks("README.md", "python")
    assert len([line for line in code.splitlines() if line.strip()]) <= 10
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert re.search(r"recall@10 0\.\d{4} \[0\.\d{4}, 0\.\d{4}\] over 3,084 users", done.stdout)


@pytest.mark.parametrize("file", sorted((ROOT / "configs/experiments").rglob("*.yaml")), ids=lambda file: file.stem)
def test_every_shipped_experiment_is_good(file: Path) -> None:
    experiment = load_experiment(file)
    assert experiment_from(experiment.resolved(), experiment.base) == experiment
    assert experiment.question


def test_the_experiment_of_the_guide_is_good(tmp_path: Path) -> None:
    (text,) = blocks("docs/guides/experiments.md", "yaml")
    (tmp_path / "guide.yaml").write_text(text)
    assert load_experiment(tmp_path / "guide.yaml").ensembles[1].weights == "tuned"


def test_the_model_of_the_guide_can_be_fitted(tmp_path: Path) -> None:
    (code,) = blocks("docs/guides/add-a-model.md", "python")
    (tmp_path / "newest_first.py").write_text(code)
    model, runs = str(tmp_path / "newest_first.py"), str(tmp_path / "runs")
    assert main(["fit", model, "synthetic:80x40", "--set", "days=10", "--runs", runs]) == 0
    assert len(list((tmp_path / "runs").glob("newest_first*/report.html"))) == 1


def test_the_page_on_confidence_names_them_all_and_its_examples_run(tmp_path: Path) -> None:
    page = (ROOT / "docs/guides/confidence.md").read_text()
    table = page.split("## What a weight does")[0]
    assert re.findall(r"^\| `(\w+)`", table, re.M) == list(CONFIDENCES)
    (code,) = blocks("docs/guides/confidence.md", "python")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert len(re.findall(r"^\w+: 0\.\d{4} \[0\.\d{4}, 0\.\d{4}\]$", done.stdout, re.M)) == 5
    (text,) = blocks("docs/guides/confidence.md", "yaml")
    (tmp_path / "guide.yaml").write_text("name: guide\ndata: {path: here}\n" + text)
    assert all(entry.weights for entry in load_experiment(tmp_path / "guide.yaml").models)


def test_the_experiment_on_training_runs_and_writes_what_the_page_shows(tmp_path: Path) -> None:
    page = (ROOT / "docs/guides/training.md").read_text()
    (text,) = blocks("docs/guides/training.md", "yaml")
    (tmp_path / "training.yaml").write_text(text)
    small = ["--set", "data.path=synthetic:80x60", "--set", "models.multi_vae.epochs=2", "--threads", "1"]
    assert main(["run", str(tmp_path / "training.yaml"), "--runs", str(tmp_path / "runs"), *small]) == 0
    (journal,) = (tmp_path / "runs").glob("training-*/journal.jsonl")
    (shown,) = (json.loads(line) for line in page.splitlines() if line.startswith('{"event"'))
    assert shown.keys() == durable.read_lines(journal)[0].keys()
    named = "\n".join(line.split("|")[1] for line in page.splitlines() if line.startswith("| `"))
    assert {field.name for field in fields(Trained)} == set(re.findall(r"`(\w+)`", named))


def test_the_page_on_features_names_them_all_and_its_examples_run(tmp_path: Path) -> None:
    page = (ROOT / "docs/guides/features.md").read_text()
    rows = re.findall(r"^\| (\w+) \| (`.*)\|$", page, re.M)
    table = {scope: sorted(re.findall(r"`(\w+)`", names)) for scope, names in rows}
    scopes = {scope: [name for name in features.names() if features.feature(name).scope == scope] for scope in table}
    assert table == scopes
    assert sum(map(len, table.values())) == len(features.names())
    (text,) = blocks("docs/guides/features.md", "yaml")
    (tmp_path / "guide.yaml").write_text("name: guide\ndata: {path: here}\n" + text)
    assert load_experiment(tmp_path / "guide.yaml").models[1].features == ("era", "genre")
    told = (r"recall@10 0\.\d+\n\(1, \d+\)\n", "")
    for code, said in zip(blocks("docs/guides/features.md", "python"), told, strict=True):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=240)
        assert re.fullmatch(said, done.stdout), done.stderr


def test_the_page_on_autoencoders_names_them_all_and_its_examples_run(tmp_path: Path) -> None:
    page = (ROOT / "docs/guides/autoencoders.md").read_text()
    table = re.findall(r"`(\w+)`", "".join(line.split("|")[1] for line in page.splitlines() if line.startswith("| `")))
    assert sorted(table) == [name for name in catalog.names() if catalog.load(name).family == "autoencoder"]
    (code,) = blocks("docs/guides/autoencoders.md", "python")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120)
    assert done.stdout == "(5, 16) float32\n", done.stderr
    (text,) = blocks("docs/guides/autoencoders.md", "yaml")
    (tmp_path / "guide.yaml").write_text("name: guide\ndata: {path: here}\n" + text)
    assert len(load_experiment(tmp_path / "guide.yaml").models) == 2
    (films,) = blocks("docs/guides/autoencoders.md", "csv")
    (tmp_path / "films.csv").write_text(films)
    (command,) = re.findall(r"^matinee (fit .*)$", page, re.M)
    words = command.replace("films.csv", str(tmp_path / "films.csv")).replace("epochs=30", "epochs=1").split()
    assert main([*words, "--set", "data.sample_users=0.1", "--runs", str(tmp_path / "runs")]) == 0


def test_the_experiment_on_sessions_runs_and_the_page_shows_what_is_told_of_movielens(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (text,) = blocks("docs/guides/sessions.md", "yaml")
    (tmp_path / "sessions.yaml").write_text(text)
    small = ["--set", "data.path=synthetic:80x60", "--threads", "1"]
    for entry in ("histories", "learnt", "asked"):
        small += ["--set", f"models.{entry}.epochs=1"]
    assert main(["run", str(tmp_path / "sessions.yaml"), "--runs", str(tmp_path / "runs"), *small]) == 0
    capsys.readouterr()
    assert main(["data", "describe", str(data_folder("ml-1m"))]) == 0
    told = capsys.readouterr().out.splitlines()
    shown = blocks("docs/guides/sessions.md", "")[1].splitlines()
    assert len(shown) == 3
    assert set(shown) <= set(told)


def test_the_page_on_item_vectors_does_what_it_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    page = "docs/guides/item-vectors.md"
    told = (ROOT / page).read_text()
    commands = re.findall(r"^matinee (data .*)$", told, re.M)
    assert [main(command.split()) for command in commands] == [0, 0]
    assert "\n".join(capsys.readouterr().out.splitlines()[:2]) in told
    (code,) = blocks(page, "python")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120)
    assert done.stdout.splitlines()[:2] == ["Toy Story (1995)", "Toy Story 2 (1999)"], done.stderr
    asked = []
    for text in blocks(page, "yaml"):
        Path("guide.yaml").write_text("name: guide\ndata: {path: here}\n" + text)
        asked += [entry.recipe.named_vectors() for entry in load_experiment(Path("guide.yaml")).models]
    assert asked == [(), (), ("titles.parquet",), ("factors-1a2b3c4d/pure_svd",), (), ("plots.parquet",)]
    (table,) = blocks(page, "csv")
    for text, code in ((table, "nothing-in-common"), ("item,v0,v1\na,1,2\nb,1,x\n", "bad-number")):
        Path("bert.csv").write_text(text)
        words = "embed-titles embedded:movietweetings --encoder bert.csv --out t.parquet"
        assert main(["data", *words.split()]) == 3
        said = capsys.readouterr().err
        assert code in said
        assert said in told or code != "bad-number"


def test_the_page_on_two_stages_shows_what_the_run_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = "docs/guides/two-stages.md"
    (text, another), (shown,), (code,) = (blocks(page, language) for language in ("yaml", "text", "python"))
    (tmp_path / "two.yaml").write_text(text.replace("ensembles:", f"{another}ensembles:"))
    assert load_experiment(tmp_path / "two.yaml").models[-1].recipe.learns_candidates
    assert main(["run", str(tmp_path / "two.yaml"), "--runs", str(tmp_path / "runs")]) == 0
    told = "".join(capsys.readouterr())
    assert [line for line in shown.strip().splitlines() if line not in told] == []
    (folder,) = (tmp_path / "runs").glob("two_stages-*")
    exec(code.replace("runs/two_stages-1a2b3c4d", str(folder)), {})
    assert "item_count" in capsys.readouterr().out


def test_the_experiments_of_the_page_on_tuning_are_good(tmp_path: Path) -> None:
    search, sweep = blocks("docs/guides/tuning.md", "yaml")
    (tmp_path / "search.yaml").write_text(search)
    (tmp_path / "sweep.yaml").write_text(sweep)
    tuned = load_experiment(tmp_path / "search.yaml")
    assert list(spaces_of(tuned.models[0], tmp_path, tuned.tune.search["ease"])) == ["l2", "dropout"]
    assert len(cells(load_experiment(tmp_path / "sweep.yaml").sweep)) == 6


def test_the_table_of_the_readme_is_the_one_of_the_results() -> None:
    assert renewed("README.md") == (ROOT / "README.md").read_text()


def test_the_page_on_middle_and_next_is_of_the_results() -> None:
    rows = middle_or_next.best_rows(json.loads(middle_or_next.RESULTS.read_text()))
    assert middle_or_next.PAGE.read_text() == middle_or_next.page(rows)
    picture = middle_or_next.PICTURE.read_text()
    assert picture.startswith("<svg")
    assert all(f">{at}<" in picture for at in range(1, len(rows) + 1))


def test_links_between_pages_lead_somewhere() -> None:
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        for target in links_of(page.relative_to(ROOT).as_posix()):
            place = target.lstrip("!").partition("#")[0]
            assert place.startswith("http") or (page.parent / place).exists(), f"{page.name} -> {target}"
