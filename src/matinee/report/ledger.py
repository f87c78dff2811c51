"""The page of a ledger: offline against public, a picture for each data and split, readable offline."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from markupsafe import Markup
from matplotlib.figure import Figure

from matinee import durable
from matinee.experiment.ledger_agreement import Pair, Told
from matinee.report.page import rendered
from matinee.report.pictures import FAINT, INK, SECOND, STYLE, svg


def write_page(path: Path, found: Sequence[Told]) -> None:
    """A section for each of `found`."""
    parts = [(one, Markup(scatter(one))) for one in found]
    durable.write_text(path, rendered("ledger.html", {"parts": parts}))


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
