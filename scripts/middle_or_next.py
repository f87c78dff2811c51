"""Can a model of the next item fill the middle of a history, can one without order tell the next?

python -m scripts.middle_or_next writes docs/middle-or-next.md and its picture, of the rows that `make quality` has
measured on gap_and_tail: each model at the best of its settings there.
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from benchmarks.provenance import table
from matplotlib.figure import Figure

from matinee import catalog
from matinee.report.labels import name_dots
from scripts.reports import draw, write

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks/quality/results.json"
PAGE, PICTURE = ROOT / "docs/middle-or-next.md", ROOT / "docs/pictures/middle_or_next.svg"
ABOUT = """# The middle or the next

Can a model of the next item fill the middle of a history, and can one that is blind to order tell the next? Of
everybody in MovieLens-1M a tenth of the events is hidden, half of it the newest, half anywhere before; each model
says ten items, once, and what it finds is counted apart: **tail** is what came next, **gap** what is missing from the
middle. Figures are recall@10 at test, of `make quality` ([all](../benchmarks/quality/results.md), with intervals);
each model at the best of its settings there. Numbers in the picture are those of the table. `boosted_ranker` finds
nothing by itself; what it makes of the lists of two or three of these stands on [its page](results/two_stages.md).

![Each model by what it finds at the end and in the middle](pictures/middle_or_next.svg)
"""


def best_rows(results: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Of each model its best row on gap_and_tail, the best first."""
    rows = [row for row in results["rows"] if row["protocol"] == "gap_and_tail"]
    best: dict[str, dict[str, Any]] = {}
    for row in sorted(rows, key=lambda row: -row["figures"]["recall@10"]):
        best.setdefault(row["model"], row)
    return list(best.values())


def parts(row: Mapping[str, Any]) -> tuple[float, float]:
    """Tail and gap."""
    found = row["runs"][0]["parts"]
    return found["tail"], found["gap"]


def page(rows: Sequence[Mapping[str, Any]]) -> str:
    tail, gap = (max(rows, key=lambda row, at=at: parts(row)[at]) for at in (0, 1))  # type: ignore[misc]
    both = [row for row in rows if parts(row)[0] >= 0.9 * parts(tail)[0] and parts(row)[1] >= 0.9 * parts(gap)[1]]
    shown = [[at, row["model"], catalog.load(row["model"]).family, f"{row['figures']['recall@10']:.4f}",
              *(f"{part:.4f}" for part in parts(row)), f"{parts(row)[0] / max(parts(row)[1], 1e-9):.2f}"]
             for at, row in enumerate(rows, 1)]
    answer = (f"The most of what comes next is found by {tail['model']} ({parts(tail)[0]:.4f}, of the middle "
              f"{parts(tail)[1]:.4f}), the most of the middle by {gap['model']} ({parts(gap)[1]:.4f}, of what comes "
              f"next {parts(gap)[0]:.4f}). ")
    answer += (f"Within a tenth of the best at both: {', '.join(row['model'] for row in both)}." if both
               else "No model is within a tenth of the best at both.")
    head = ["", "model", "family", "recall@10", "tail", "gap", "tail / gap"]
    return "\n".join([ABOUT, answer, "", *table(head, shown), ""])


def picture(rows: Sequence[Mapping[str, Any]]) -> str:
    """A dot for each row, numbered in their order; its colour by `family`, or by that of its model."""
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "matinee", "font.size": 8}):
        figure = Figure(figsize=(8, 6.5), layout="constrained")
        axes = figure.subplots()
        kinds = [row.get("family") or catalog.load(row["model"]).family for row in rows]
        for at, kind in enumerate(dict.fromkeys(kinds)):
            own = [parts(row) for row, one in zip(rows, kinds, strict=True) if one == kind]
            axes.scatter([tail for tail, _ in own], [gap for _, gap in own], s=22, label=kind, color=f"C{at % 10}",
                         marker="os^Dv"[at // 10])
        axes.set_xlabel("recall@10 of what came next (tail)")
        axes.set_ylabel("recall@10 of what is missing in the middle (gap)")
        figure.legend(loc="outside right upper", frameon=False, fontsize=7)
        if not name_dots(axes, [parts(row) for row in rows], [str(at) for at in range(1, len(rows) + 1)], size=6,
                         color="black", line="grey"):
            raise ValueError(f"{len(rows)} numbers have no room in the picture: draw it larger")
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None})
    text = out.getvalue()
    return text[text.index("<svg"):]


def main() -> int:
    rows = best_rows(json.loads(RESULTS.read_text()))
    write(PAGE, page(rows))
    draw(PICTURE, picture(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
