"""The page of a ledger: offline against public, a picture for each data and split, readable offline."""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from matinee import durable
from matinee.experiment.ledger_agreement import Pair, Told
from matinee.report.pictures import FAINT, INK, SECOND, STYLE, svg

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<title>Offline and public</title>
<style>
body {{ font: 15px/1.55 system-ui, "Noto Sans", "Noto Sans KR", sans-serif; color: #1d2733; max-width: 860px;
       margin: 0 auto; padding: 28px 20px; }}
svg {{ max-width: 100%; height: auto; }}
p {{ max-width: 720px; }}
</style>
</head>
<body>
<h1>Does the offline order predict the public one?</h1>
{parts}
</body>
</html>
"""


def write_page(path: Path, found: Sequence[Told]) -> None:
    """A section for each of `found`."""
    parts = [f"<h2>{html.escape(one.metric)} on {html.escape(one.title)}</h2>\n<figure>{scatter(one)}</figure>\n"
             f"<p><b>{html.escape(str(one))}.</b> A dot is a submission, the line its offline 95 % interval. Dots that "
             "rise to the right are in the same order on both sides; one far below the others was judged too well "
             "offline.</p>" for one in found]
    durable.write_text(path, _PAGE.format(parts="\n".join(parts) or "<p>Nothing has both figures yet.</p>"))


def scatter(one: Told) -> str:
    """SVG: offline to the right, public upwards."""
    with mpl.rc_context({**STYLE, "axes.grid.axis": "both", "text.parse_math": False}):
        figure = Figure(figsize=(7.2, 5.0), layout="constrained")
        axes = figure.add_subplot()
        for pair in one.pairs:
            if pair.low is not None and pair.high is not None:
                axes.plot([pair.low, pair.high], [pair.public] * 2, color=SECOND, lw=2, alpha=0.35)
            axes.plot(pair.offline, pair.public, "o", color=SECOND, ms=5)
        for pair, above in _labels(one.pairs):
            axes.annotate(pair.name, (pair.offline, pair.public), (5, 4 if above else -10), textcoords="offset points",
                          fontsize=7, color=INK)
        axes.set_xlabel(f"{one.metric}, offline")
        axes.set_ylabel("public")
        axes.margins(0.12)
        axes.grid(color="#e6eaee")
        axes.tick_params(color=FAINT)
        axes.set_axisbelow(True)
        return svg(figure)


def _labels(pairs: Sequence[Pair]) -> list[tuple[Pair, bool]]:
    """Labels above and below in turn from left to right, so that neighbours do not cover each other."""
    return [(pair, at % 2 == 0) for at, pair in enumerate(sorted(pairs, key=lambda pair: pair.offline))]
