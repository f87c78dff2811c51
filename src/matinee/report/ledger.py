"""The page of a ledger: offline against public, a picture for each data and split, readable offline."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import matplotlib as mpl
from markupsafe import Markup
from matplotlib.figure import Figure

from matinee import durable
from matinee.experiment.ledger_agreement import UNNAMED, Pair, Told
from matinee.report.labels import name_dots
from matinee.report.page import rendered
from matinee.report.pictures import FAINT, INK, SECOND, STYLE, svg


def write_page(path: Path, found: Sequence[Told]) -> None:
    """A section for each of `found`."""
    durable.write_text(path, rendered("ledger.html", {"parts": [_part(one) for one in found]}))


def _part(one: Told) -> dict[str, object]:
    picture, listed = scatter(one)
    heading = one.title if one.metric == UNNAMED else f"{one.metric} on {one.title}"
    return {"told": str(one), "heading": heading, "picture": Markup(picture), "listed": listed}


def scatter(one: Told) -> tuple[str, list[Pair]]:
    """SVG: offline to the right, public upwards; and the pairs by their numbers, where names have no room."""
    pairs = sorted(one.pairs, key=lambda pair: -pair.public)
    with mpl.rc_context({**STYLE, "axes.grid.axis": "both", "text.parse_math": False}):
        figure = Figure(figsize=(7.2, 5.0), layout="constrained")
        axes = figure.add_subplot()
        for pair in pairs:
            if pair.low is not None and pair.high is not None:
                axes.plot([pair.low, pair.high], [pair.public] * 2, color=SECOND, lw=2, alpha=0.35)
            axes.plot(pair.offline, pair.public, "o", color=SECOND, ms=5)
        axes.set_xlabel("offline" if one.metric == UNNAMED else f"{one.metric}, offline")
        axes.set_ylabel("public")
        axes.margins(0.12)
        axes.grid(color="#e6eaee")
        axes.tick_params(color=FAINT)
        axes.set_axisbelow(True)
        places = [(pair.offline, pair.public) for pair in pairs]
        bars = [(pair.low, pair.high, pair.public) for pair in pairs if pair.low is not None and pair.high is not None]
        write = partial(name_dots, axes, places, size=7, color=INK, line=FAINT)
        named = write([pair.name for pair in pairs], bars=bars)
        if not named:
            write([str(at) for at in range(1, len(pairs) + 1)], some=True)
        return svg(figure), [] if named else pairs
