"""The table of runs for a README or a paper."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from matinee.errors import ModelError
from matinee.experiment.folder import RunFolder
from matinee.experiment.measure import compare_entries
from matinee.experiment.standing import standing
from matinee.report.table import MARK, Cell, Table, latex, markdown, table


def test_figures_are_those_of_the_run_and_the_best_is_bold_once(small: RunFolder) -> None:
    shown = table([small])
    assert shown.metrics == ("recall@10", "ndcg@10", "coverage@10")
    figures = {entry.id: entry.figures for entry in standing(small)}
    assert [name for name, _ in shown.rows] == list(figures)
    for at, metric in enumerate(shown.metrics):
        cells = {name: cells[at] for name, cells in shown.rows}
        (best,) = [name for name, cell in cells.items() if cell.best]
        assert figures[best][metric]["value"] == max(own[metric]["value"] for own in figures.values())
        for name, cell in cells.items():
            row = figures[name][metric]
            assert cell.text == f"{row['value']:.4f}"
            assert cell.interval == ("" if row["low"] is None else f"[{row['low']:.4f}, {row['high']:.4f}]")


def test_what_cannot_be_told_from_the_best_is_marked(small: RunFolder) -> None:
    (cells,) = zip(*[cells for _, cells in table([small], ["ndcg@10"]).rows], strict=True)
    names = [name for name, _ in table([small], ["ndcg@10"]).rows]
    verdicts = compare_entries([(small, None)], "ndcg@10", "test")
    for name, cell in zip(names[1:], cells[1:], strict=True):
        pair = next(pair for pair in verdicts if set(pair) == {names[0], name})
        assert cell.level == (verdicts[pair].verdict == "cannot tell")
    assert {cell.level for cell in cells[1:]} == {True, False}
    assert not cells[0].level
    assert not any(cell.level for _, (cell,) in table([small], ["coverage@10"]).rows), "no figure of each user"


def test_a_metric_that_was_not_measured_is_refused(small: RunFolder) -> None:
    with pytest.raises(ModelError, match=r"no recall@7 of .* it has recall@10, ndcg@10, coverage@10"):
        table([small], ["recall@7"])


HOSTILE = Table(
    ("recall@10",),
    (("a_b|c", (Cell("0.5000", "[0.4000, 0.6000]", True, False),)), ("나", (Cell("0.4000", "", False, True),)),
     ("c", (Cell("", "", False, False),))),
    ("question: 100 % of <i> a_b\\^~ | #1 ?",),
)


def test_markdown_keeps_its_columns_whatever_the_names() -> None:
    lines = markdown(HOSTILE).splitlines()
    assert lines[2:5] == [r"| a\_b\|c | **0.5000** [0.4000, 0.6000] |", f"| 나 | 0.4000 {MARK} |", "| c |  |"]
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in lines[:5]} == {3}
    assert lines[-1] == r"question: 100 % of \<i\> a\_b\\^~ \| \#1 ?"


def test_latex_escapes_what_tex_would_read() -> None:
    text = latex(HOSTILE)
    assert r"a\_b|c & \textbf{0.5000} {\footnotesize [0.4000, 0.6000]} \\" in text
    assert r"나 & 0.4000 $\approx$ \\" in text
    escaped = r"100 \% of \textless{}i\textgreater{} a\_b\textbackslash{}\textasciicircum{}\textasciitilde{} | \#1 ?"
    assert escaped + r"\\" in text
    assert text.count("{") == text.count("}")
    assert len(re.findall(r"(?<!\\)&", text)) == 4
    assert latex(replace(HOSTILE, rows=())).count(r"\\") == 2
