"""Put the figures of benchmarks/quality/results.json into the README's table: python scripts/readme_table.py"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from matinee import durable

ROOT = Path(__file__).parents[1]
BEGIN, END = "<!-- figures of make quality -->\n", "<!-- end of figures -->"
TITLES = {
    "next_item": "next item, fitted on train",
    "next_item_refit": "next item, fitted on train + valid",
    "random_811": "random 8:1:1, three splits",
    "gap_and_tail": "gap and tail",
}


def table(results: dict[str, Any]) -> str:
    """Markdown rows: one a protocol and model, best first."""
    rows = ["| MovieLens-1M | model | Recall@10 | NDCG@10 | published figure or floor |", "|---|---|---|---|---|"]
    for name, protocol in results["protocols"].items():
        ordered = sorted(protocol["models"].items(), key=lambda pair: -pair[1]["figures"]["ndcg@10"])
        for place, (model, found) in enumerate(ordered):
            figures = found["figures"]
            bounds = "; ".join(f"{bound['metric']} {_wanted(bound)}" for bound in found["bounds"])
            rows.append(f"| {TITLES[name] if place == 0 else ''} | {model} | {figures['recall@10']:.4f} | "
                        f"{figures['ndcg@10']:.4f} | {bounds} |")
    return "\n".join(rows) + "\n"


def _wanted(bound: dict[str, Any]) -> str:
    return f"≥ {bound['wanted']}" if "within" not in bound or bound["within"] is None else str(bound["wanted"])


def renewed(readme: str) -> str:
    """The README with its table made anew."""
    results = json.loads((ROOT / "benchmarks/quality/results.json").read_text())
    before, rest = readme.split(BEGIN)
    return before + BEGIN + table(results) + END + rest.split(END)[1]


if __name__ == "__main__":
    path = ROOT / "README.md"
    durable.write_text(path, renewed(path.read_text()))
