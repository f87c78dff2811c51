"""Pictures of the run report, as SVG text that stands inside the page."""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from numpy.typing import NDArray

INK, FAINT, ACCENT, SECOND = "#1d2733", "#9aa7b4", "#c8402f", "#2f6fa8"
BESIDE = 0.6
"""Rows of room above the first and below the last."""
STYLE: Any = {
    "svg.fonttype": "none",  # letters stay letters: small files, and the reader's own fonts for every script
    "svg.hashsalt": "matinee",  # the same picture is the same bytes
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "text.color": INK,
    "axes.grid.axis": "x",
}


def leaderboard(rows: Sequence[Mapping[str, Any]], metric: str) -> str:
    """A dot and its interval for each entry, best on top. `rows` best first: id, value, low, high, ensemble."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.2, 0.34 * len(rows) + 0.9), layout="constrained")
        axes = figure.add_subplot()
        for y, row in enumerate(reversed(rows)):
            colour = ACCENT if row["ensemble"] else SECOND
            if row["low"] is not None:
                axes.plot([row["low"], row["high"]], [y, y], color=colour, lw=2.2, alpha=0.45, solid_capstyle="round")
            axes.plot(row["value"], y, "o", color=colour, ms=6)
            axes.annotate(
                f"{row['value']:.4f}",
                (row["high"] or row["value"], y),
                (6, 0),
                textcoords="offset points",
                va="center",
                fontsize=8,
                color=INK,
            )
        axes.set_yticks(range(len(rows)), [row["id"] for row in reversed(rows)])
        axes.set_xlabel(f"{metric} on test; the line is the 95 % interval; red: ensembles")
        axes.set(xlim=(0, None), ylim=(-BESIDE, len(rows) - 1 + BESIDE))  # no room above that grows with the rows
        axes.margins(x=0.12)
        axes.grid(axis="x", color="#e6eaee")
        axes.set_axisbelow(True)
        return svg(figure)


def segments(name: str, labels: Sequence[str], ids: Sequence[str], values: NDArray[np.float64], metric: str) -> str:
    """One row an entry, one column a label: values (M, L) as dots on a common scale, NaN left out."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.2, 0.26 * len(ids) + 1.0), layout="constrained")
        shown = figure.subplots(1, len(labels), sharex=True, sharey=True, squeeze=False)[0]
        for axes, label, column in zip(shown, labels, values.T, strict=True):
            y = np.arange(len(ids))[::-1]
            axes.hlines(y, 0, np.nan_to_num(column), color="#dfe5ea", lw=5)
            axes.plot(column, y, "o", color=SECOND, ms=5)
            for at, value in zip(y, column, strict=True):
                if np.isfinite(value):
                    axes.annotate(
                        f"{value:.3f}", (value, at), (5, 0), textcoords="offset points", va="center", fontsize=7
                    )
            axes.set_title(label, fontsize=9, loc="left")
            axes.set_yticks(y, ids)
            axes.tick_params(left=False)
            axes.spines["left"].set_visible(False)
        shown[0].set_xlim(0, max(1e-9, float(np.nanmax(values))) * 1.28)
        figure.supxlabel(f"{metric} by {name.replace('_', ' ')}", fontsize=9)
        return svg(figure)


def overlap(ids: Sequence[str], shares: NDArray[np.float64]) -> str:
    """Shares (M, M) of common items in the top ten, as a table of shades."""
    with mpl.rc_context(STYLE | {"axes.spines.left": False, "axes.spines.bottom": False}):
        side = 0.52 * len(ids) + 1.4
        figure = Figure(figsize=(min(7.2, side + 0.8), min(6.4, side)), layout="constrained")
        axes = figure.add_subplot()
        axes.imshow(np.where(np.eye(len(ids), dtype=bool), np.nan, shares), cmap="Blues", vmin=0, vmax=1, aspect="auto")
        for i in range(len(ids)):
            for j in range(len(ids)):
                if i != j:
                    axes.text(
                        j,
                        i,
                        f"{100 * shares[i, j]:.0f}",
                        ha="center",
                        va="center",
                        fontsize=8,
                        color="white" if shares[i, j] > 0.6 else INK,
                    )
        axes.set_xticks(range(len(ids)), ids, rotation=35, ha="right")
        axes.set_yticks(range(len(ids)), ids)
        axes.tick_params(length=0)
        return svg(figure)


def times(ids: Sequence[str], seconds: Mapping[str, Sequence[float]]) -> str:
    """Stacked bars of seconds (M,) of each kind of work."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.2, 0.3 * len(ids) + 1.1), layout="constrained")
        axes = figure.add_subplot()
        left = np.zeros(len(ids))
        y = np.arange(len(ids))[::-1]
        for (what, spent), colour in zip(
            seconds.items(), (SECOND, "#7fb0d8", ACCENT, "#e6a79d", FAINT, "#d3dae0"), strict=False
        ):
            axes.barh(y, spent, left=left, color=colour, label=what, height=0.62)
            left += np.asarray(spent)
        for at, total in zip(y, left, strict=True):
            axes.annotate(f"{total:.1f} s", (total, at), (5, 0), textcoords="offset points", va="center", fontsize=8)
        axes.set_yticks(y, ids)
        axes.margins(x=0.12)
        axes.set_xlabel("seconds")
        axes.legend(frameon=False, ncols=4, fontsize=8, loc="lower right", bbox_to_anchor=(1, 1))
        return svg(figure)


def log_at_a_glance(times_: NDArray[np.int64], lengths: NDArray[np.int64], counts: NDArray[np.int64]) -> str:
    """Three small pictures: events over time, history lengths, the long tail of popularity."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.2, 2.1), layout="constrained")
        time, length, tail = figure.subplots(1, 3)
        if len(times_) and times_.max() > times_.min():
            days = times_.astype("datetime64[s]")
            time.hist(days, bins=40, color=SECOND)
            locator = AutoDateLocator(minticks=2, maxticks=5)
            time.xaxis.set_major_locator(locator)
            time.xaxis.set_major_formatter(ConciseDateFormatter(locator))
        time.set_title("events over time", fontsize=9, loc="left")
        active = lengths[lengths > 0]
        if len(active):
            edges = np.unique(np.geomspace(1, active.max() + 1, 30).round())
            length.hist(active, bins=edges if len(edges) > 1 else 1, color=SECOND)
            length.set_xscale("log")
        length.set_title("events a user (log scale)", fontsize=9, loc="left")
        ordered = np.sort(counts)[::-1]
        if ordered.sum():
            tail.plot(np.arange(1, len(ordered) + 1) / len(ordered), np.cumsum(ordered) / ordered.sum(), color=SECOND)
        tail.plot([0, 1], [0, 1], color=FAINT, lw=0.8, ls=":")
        tail.set_title("share of events by items", fontsize=9, loc="left")
        return svg(figure)


def svg(figure: Figure) -> str:
    """The figure as an element; its date is left out, so that the same run is the same page.

    matplotlib's own fonts have no Hangul and no Kanji: it takes such a letter for a box wider than it is, and warns of
    one that it would draw. Here the reader's fonts draw it.
    """
    out = io.StringIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)
        figure.savefig(out, format="svg", metadata={"Date": None}, transparent=True)
    text = out.getvalue()
    return text[text.index("<svg") :]
