"""Put the figures of benchmarks/quality/results.json into the READMEs' tables: python scripts/readme_table.py"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matinee import durable

ROOT = Path(__file__).parents[1]
BEGIN, END = "<!-- figures of make quality -->\n", "<!-- end of figures -->"
COLUMNS = {
    # protocol: its title, and the figure that stands for it
    "gap_and_tail": ("gap and tail, Recall@10", "recall@10"),
    "random_811": ("random 8:1:1, NDCG@10", "ndcg@10"),
    "next_item": ("next item, NDCG@10", "ndcg@10"),
    "next_item_refit": ("the same, fitted on train + valid", "ndcg@10"),
}
TITLES = {
    # page: the titles of its columns in its own language
    "README.md": [title for title, _ in COLUMNS.values()],
    "README.ko.md": ["gap and tail, Recall@10", "무작위 8:1:1, NDCG@10", "다음 아이템, NDCG@10",
                     "같은 것, train + valid로 학습"],
}


def table(rows: Sequence[Mapping[str, Any]], titles: Sequence[str] = TITLES["README.md"]) -> str:
    """Markdown rows: one a model, best first by the first column; protocols without a column are left out."""
    rows = [row for row in rows if row["protocol"] in COLUMNS]
    order = [row["model"] for row in sorted(rows, key=_place)]
    lines = ["| MovieLens-1M | " + " | ".join(titles) + " |",
             "|---|" + "---|" * len(COLUMNS)]
    for model in dict.fromkeys(order):
        own = [row for row in rows if row["model"] == model]
        lines.append(f"| {model} | " + " | ".join(_cell(own, protocol) for protocol in COLUMNS) + " |")
    return "\n".join(lines) + "\n"


def _place(row: Mapping[str, Any]) -> tuple[int, float]:
    """Rows of an earlier column first, the best of a column first."""
    column = list(COLUMNS).index(row["protocol"])
    return column, -row["figures"][COLUMNS[row["protocol"]][1]]


def _cell(rows: Sequence[Mapping[str, Any]], protocol: str) -> str:
    """The figure at the defaults; in brackets that at other settings, where it is better or alone."""
    metric = COLUMNS[protocol][1]
    found = {bool(row["settings"]): row["figures"][metric]
             for row in sorted(rows, key=lambda row: row["figures"][metric]) if row["protocol"] == protocol}
    shown = [f"{found[False]:.4f}"] if False in found else []
    if True in found and found[True] > found.get(False, 0.0):
        shown.append(f"({found[True]:.4f})")
    return " ".join(shown)


def renewed(name: str = "README.md") -> str:
    """The README of that name with its table made anew."""
    results = json.loads((ROOT / "benchmarks/quality/results.json").read_text())
    before, rest = (ROOT / name).read_text().split(BEGIN)
    return before + BEGIN + table(results["rows"], TITLES[name]) + END + rest.split(END)[1]


if __name__ == "__main__":
    for page in TITLES:
        durable.write_text(ROOT / page, renewed(page))
