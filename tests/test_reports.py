"""Each experiment under reports/ has its page, each page is of its experiment, and no figure stands there alone."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from scripts import reports
from scripts.reports import PAGES, PICTURES, Done, digest, page, stated

from matinee.config import load_experiment
from matinee.report.whole import carry_out

FILES = [(name, file) for name, files in reports.reports().items() for file in files]
FIGURE, INTERVAL, RUN = r"0\.\d{4}", r"0\.\d{4} to 0\.\d{4}", r"`[\w.]+-[0-9a-f]{8}`"


def rows(text: str) -> list[list[str]]:
    """The cells of every row of every table."""
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()
            if line.startswith("| ")]


@pytest.mark.parametrize(("name", "file"), FILES, ids=[f"{name}-{file.stem}" for name, file in FILES])
def test_a_page_holds_every_arm_with_value_interval_and_run(name: str, file: Path) -> None:
    text = (PAGES / f"{name}.md").read_text()
    assert f"asks `{digest(file)}`" in text, f"{file.name} has changed since: make reports REPORT={name}"
    experiment = load_experiment(file)
    several = len(reports.reports()[name]) > 1
    for arm in [*(entry.id for entry in experiment.models), *(entry.id for entry in experiment.ensembles)]:
        found = [row for row in rows(text) if row[1] in ({arm, f"{file.stem}/{arm}"} if several else {arm})
                 and row[-1].startswith(f"`{experiment.name}-")]
        assert len(found) == 1, arm
        assert re.fullmatch(FIGURE, found[0][2])
        assert re.fullmatch(INTERVAL, found[0][3])
        assert re.fullmatch(RUN, found[0][-1])
    for thought in ("question", "expect", "conclusion"):
        assert (stated(file).get(thought) or "") in text, f"{thought} has changed since: make reports REPORT={name}"


@pytest.mark.parametrize("name", reports.reports())
def test_a_page_answers_its_question_and_shows_its_picture(name: str) -> None:
    text = (PAGES / f"{name}.md").read_text()
    assert "**Question.**" in text
    assert "**Expected.**" in text
    assert "**Found.**" in text
    shown = re.findall(r"!\[.*?\]\((.*?)\)", text)
    assert shown
    for picture in shown:
        assert (PAGES / picture).read_text().startswith("<svg")


def test_no_page_and_no_picture_is_left_over() -> None:
    other = {"month"}  # of scripts/month.py
    assert {path.stem for path in PAGES.glob("*.md")} - other == set(reports.reports())
    assert {path.stem.split("-")[0] for path in PICTURES.glob("*.svg")} - other == set(reports.reports())


def test_a_page_of_two_experiments_compares_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reports, "PICTURES", tmp_path / "pictures")
    text = """name: {name}
question: does it matter?
expect: no
data: {{path: "synthetic:200x60"}}
evaluate: {{metrics: [recall@10, ndcg@10], segments: [hidden_part]}}
filters: [{{kind: unpopular_items, least: {least}}}]
models: [{{model: popularity}}, {{id: recent, model: popularity, half_life_days: 30}}]
"""
    done = []
    for name, least in (("all", 0), ("half", 40)):
        file = tmp_path / f"{name}.yaml"
        file.write_text(text.format(name=name, least=least))
        done.append(Done(file, carry_out(load_experiment(file), tmp_path / "runs")))
    made = "\n".join(page("both", done))
    arms = [row[1] for row in rows(made) if re.fullmatch(RUN, row[-1])]
    assert sorted(arms) == ["all/popularity", "all/recent", "half/popularity", "half/recent"]
    assert sum(" against " in row[0] for row in rows(made)) == 6
    assert re.search(r"- `half`: does it matter\?; unpopular_items \(least 40\): leaves out \d+\.\d% of 60 items", made)
    assert "| views, at most | 200 |" in made
    assert (tmp_path / "pictures" / "both.svg").read_text().startswith("<svg")
    monkeypatch.setattr(reports, "MOST_PAIRS", 0)
    pairs = [row[0] for row in rows("\n".join(page("both", done))) if " against " in row[0]]
    assert sorted(pairs) == ["all/recent against all/popularity", "half/popularity against all/popularity",
                             "half/recent against all/recent"]


def test_a_page_is_of_what_was_asked_and_not_of_what_was_thought(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("name: a\nquestion: x\nmodels: [ease]\n")
    (tmp_path / "b.yaml").write_text("name: a\nconclusion: y\nmodels: [ease]\n")
    (tmp_path / "c.yaml").write_text("name: a\nmodels: [als]\n")
    first, second, third = (digest(tmp_path / f"{name}.yaml") for name in "abc")
    assert first == second != third


def test_a_page_tells_how_much_was_seen_before_where_that_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reports, "PICTURES", tmp_path / "pictures")
    file = tmp_path / "again.yaml"
    file.write_text("""name: again
data: {path: "synthetic-uplus:300x80"}
split: {protocol: by_time, valid: 0.2, test: 0.2}
evaluate: {metrics: [recall@10, ndcg@10, seen@10], segments: [short_history, seen_before]}
models: [{model: popularity}]
""")
    done = Done(file, carry_out(load_experiment(file), tmp_path / "runs"))
    found = rows("\n".join(page("again", [done])))
    first = next(at for at, row in enumerate(found) if row[1] == "share seen before")
    assert found[first][3:] == ["recall@10 of what was seen", "recall@10 of what was new"]
    truth, arm = found[first + 1 : first + 3]
    stage = done.answers.measured["test"]
    assert stage.truth is not None
    had = [np.isin(stage.truth.items[a:b], stage.given.items[c:d]).mean() for user, a, b in
           zip(stage.truth.users, stage.truth.indptr, stage.truth.indptr[1:], strict=False)
           for c, d in [stage.given.indptr[user : user + 2]]]
    assert truth[:2] == ["the truth", f"{np.mean(had):.4f}"]
    assert [arm[0], arm[1]] == ["popularity", f"{done.figure('popularity', 'seen@10')['value']:.4f}"]
    assert all(re.fullmatch(INTERVAL, text) for text in (truth[2], arm[2]))
