"""Every block of code of every page: Python runs, experiments load, commands are understood, and the cheap ones run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import test_docs
from tests.docs.pages import Block, all_pages, blocks_of, commands_of, without_comment
from tests.docs.running import Walk, experiment_of, parsed, words_of

OWN_TEST = {
    "README.md": "test_the_ten_lines_of_the_readme_run",
    "docs/guides/add-a-model.md": "test_the_model_of_the_guide_can_be_fitted",
    "docs/guides/autoencoders.md": "test_the_page_on_autoencoders_names_them_all_and_its_examples_run",
    "docs/guides/confidence.md": "test_the_page_on_confidence_names_them_all_and_its_examples_run",
    "docs/guides/features.md": "test_the_page_on_features_names_them_all_and_its_examples_run",
    "docs/guides/item-vectors.md": "test_the_page_on_item_vectors_does_what_it_shows",
    "docs/guides/sessions.md": "test_the_experiment_on_sessions_runs_and_the_page_shows_what_is_told_of_movielens",
    "docs/guides/training.md": "test_the_experiment_on_training_runs_and_writes_what_the_page_shows",
    "docs/guides/two-stages.md": "test_the_page_on_two_stages_shows_what_the_run_says",
}
"""Pages whose blocks a test of tests/test_docs.py runs, smaller than they stand there."""
ONLY_UNDERSTOOD = {
    "README.ko.md": "its blocks are those of README.md byte for byte",
    "docs/guides/data-report.md": "tests/cli/test_data_report.py makes the same page of a smaller log",
    "docs/guides/experiments.md": "the data are a competition's",
    "docs/guides/ledger.md": "the submissions are a competition's; tests/cli/test_ledger.py gives the same commands",
    "docs/guides/month.md": "it takes hours",
    "docs/guides/quality.md": "it takes hours; blocks of yaml are of a model's settings file",
    "docs/guides/sequences.md": "a minute of networks; tests/nn trains each of them smaller",
    "docs/guides/tracking.md": "it wants a server; tests/tracking starts one",
    "docs/guides/tuning.md": "ten minutes a model; tests/tune searches for seconds",
    "docs/ideas/architecture.md": "its blocks are drawings",
}
"""Pages whose commands are understood and whose experiments are loaded, but not carried out, and why."""
OTHER_PROGRAMS = {
    "pip install": "installs into the environment",
    "recbole/bin/pip install": "installs RecBole",
    "python3 -m venv": "makes an environment",
    "source .venv/bin/activate": "is of an interactive shell",
    "make ": "sets up an environment of its own; CI gives these commands",
    "mlflow server": "is a server",
    "export MLFLOW_": "is of an interactive shell",
    "torchrun": "several processes; tests/reliability/test_processes.py starts them",
    "python -m scripts.month": "reads a run of hours; tests/test_month.py makes the page of a small one",
    "MATINEE_TEST_DATA=FOLDER python -m benchmarks.quality.against_recbole": "trains RecBole for hours",
}
"""Commands of other programs that no test gives, and why."""
TOO_DEAR = {
    "matinee demo": "a minute; tests/cli/test_verbs.py gives it",
}
"""Commands that are only understood, on pages where all others run."""
PAGES = all_pages()


def experiments(page: str) -> list[Block]:
    return [block for block in blocks_of(page) if block.language == "yaml" and page != "docs/guides/quality.md"]


@pytest.mark.parametrize("page", [page for page in PAGES if commands_of(page)])
def test_every_command_is_understood(page: str) -> None:
    for command in commands_of(page):
        words = words_of(command)
        if words is not None:
            parsed(words)
        else:
            assert command.startswith(tuple(OTHER_PROGRAMS)), f"{page} gives an unknown command: {command}"


@pytest.mark.parametrize("page", [page for page in PAGES if experiments(page)])
def test_every_experiment_loads(page: str, tmp_path: Path) -> None:
    before = ""
    for block in experiments(page):
        experiment = experiment_of(block.text, before, tmp_path)
        assert experiment.models or experiment.ensembles
        before = block.text


@pytest.mark.parametrize("page", [page for page in PAGES if page not in {*OWN_TEST, *ONLY_UNDERSTOOD}
                                  and blocks_of(page)])
def test_the_page_does_what_it_shows(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MATINEE_MEMBER", "kim")
    walk = Walk(capsys, TOO_DEAR)
    for block in blocks_of(page):
        walk.take(block)


def test_what_is_left_out_is_there() -> None:
    """A reason whose page or command has gone goes too."""
    every = [command for page in PAGES for command in commands_of(page)]
    assert [page for page in {*OWN_TEST, *ONLY_UNDERSTOOD} if page not in PAGES or not blocks_of(page)] == []
    assert [name for name in OWN_TEST.values() if not hasattr(test_docs, name)] == []
    assert [program for program in OTHER_PROGRAMS if not any(one.startswith(program) for one in every)] == []
    assert [command for command in TOO_DEAR if command not in map(without_comment, every)] == []


def test_the_ledgers_page_judges_its_table_as_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    by_language = {block.language: block for block in blocks_of("docs/guides/ledger.md")}
    Path("teams.csv").write_text(by_language["csv"].text)
    walk = Walk(capsys)
    walk.carry_out("matinee ledger agree teams.csv")
    assert by_language["text"].text.strip() in walk.said
