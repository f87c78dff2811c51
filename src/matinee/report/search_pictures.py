"""Pictures of searches and sweeps, as SVG text that stands inside the page."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from matinee.report.pictures import ACCENT, BESIDE, FAINT, INK, SECOND, STYLE, svg

MOST_FIELDS, ROW = 12, 4
TICKS = 4
"""At most so many numbers stand below one small picture."""
EDGE = 0.08


def history(trials: Sequence[Mapping[str, Any]], metric: str) -> str:
    """Each trial's value in the order of the trials, and the best so far."""
    with mpl.rc_context(STYLE | {"axes.grid.axis": "y"}):
        figure = Figure(figsize=(7.2, 2.6), layout="constrained")
        axes = figure.add_subplot()
        at = {state: [(n, trial["value"]) for n, trial in enumerate(trials) if trial["state"] == state]
              for state in ("done", "pruned", "failed")}
        best, line = -np.inf, []
        for n, value in at["done"]:
            best = max(best, value)
            line.append((n, best))
        if line:
            axes.step([n for n, _ in line], [value for _, value in line], where="post", color=ACCENT, lw=1.4,
                      label="best so far")
            axes.plot(*zip(*at["done"], strict=True), "o", color=SECOND, ms=4.5, label="done")
        if stopped := [(n, value) for n, value in at["pruned"] if value is not None]:
            axes.plot(*zip(*stopped, strict=True), "o", mfc="white", mec=FAINT, ms=4.5, label="stopped early")
        if at["failed"]:
            axes.plot([n for n, _ in at["failed"]], [0.02] * len(at["failed"]), "x", color=ACCENT, ms=5, label="failed",
                      transform=axes.get_xaxis_transform(), clip_on=False)
        axes.set_xlabel("trial; 0 is the model as it is written")
        axes.set_ylabel(f"{metric} on valid")
        axes.grid(axis="y", color="#e6eaee")
        axes.legend(frameon=False, fontsize=8, loc="lower right")
        return svg(figure)


def importances(shares: Mapping[str, float]) -> str:
    """A bar for each field, the most important on top."""
    order = sorted(shares, key=lambda name: shares[name])
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.2, 0.26 * len(order) + 0.8), layout="constrained")
        axes = figure.add_subplot()
        axes.barh(range(len(order)), [100 * shares[name] for name in order], color=SECOND, height=0.62)
        axes.set_yticks(range(len(order)), order)
        axes.set_xlabel("share of what sets the best quarter apart, %")
        axes.margins(x=0.08)
        return svg(figure)


def by_field(
    trials: Sequence[Mapping[str, Any]], search: Mapping[str, Any], fields: Sequence[str], metric: str
) -> str:
    """The value of each finished trial over each of some fields, ROW of them side by side."""
    done = [trial for trial in trials if trial["state"] == "done"]
    columns = min(len(fields), ROW)
    rows = -(-len(fields) // columns)
    with mpl.rc_context(STYLE | {"axes.grid.axis": "y"}):
        figure = Figure(figsize=(7.2, 2.0 * rows + 0.3), layout="constrained")
        shown = figure.subplots(rows, columns, sharey=True, squeeze=False)
        for axes, name in zip_longest(shown.flat, fields):
            if name is None:
                axes.set_visible(False)
                continue
            _field(axes, done, name, search[name])
        for axes in shown[:, 0]:
            axes.set_ylabel(metric)
        return svg(figure)


def _field(axes: Axes, done: Sequence[Mapping[str, Any]], name: str, space: Any) -> None:
    pairs = [(trial["settings"][name], trial["value"], trial["number"]) for trial in done]
    if isinstance(space, Mapping):
        by_log = bool(space.get("log"))
        pairs = [pair for pair in pairs if isinstance(pair[0], int | float) and not isinstance(pair[0], bool)
                 and (pair[0] > 0 or not by_log)]
        places = [float(pair[0]) for pair in pairs]
        low, high = min([space["low"], *places]), max([space["high"], *places])  # all that was searched is shown
        if by_log:
            ticks = log_ticks(low, high)
            axes.set(xscale="log", xlim=(low * (low / high) ** EDGE, high * (high / low) ** EDGE))
            axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
            axes.set_xticks([], minor=True)
        else:
            axes.set_xlim(low - EDGE * (high - low), high + EDGE * (high - low))
            axes.xaxis.set_major_locator(MaxNLocator(TICKS - 1))
    else:
        labels = list(dict.fromkeys([*map(_label, space), *(_label(pair[0]) for pair in pairs)]))
        places = [float(labels.index(_label(pair[0]))) for pair in pairs]
        axes.set_xticks(range(len(labels)), labels, rotation=30, ha="right", fontsize=7)
    axes.scatter(places, [pair[1] for pair in pairs], c=[ACCENT if pair[2] == 0 else SECOND for pair in pairs], s=16)
    axes.set_xlabel(name)
    axes.tick_params(axis="x", labelsize=7)
    axes.margins(EDGE)
    axes.grid(axis="y", color="#e6eaee")


def log_ticks(low: float, high: float) -> list[float]:
    """Few round numbers from `low` to `high` for an axis by logarithm: 1, 2 and 5 of each power, or powers alone."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    found = [digit * 10.0**power for power in powers for digit in (1, 2, 5) if low <= digit * 10.0**power <= high]
    if len(found) > TICKS:
        found = [10.0**power for power in powers if low <= 10.0**power <= high]
        found = found[:: -(-len(found) // TICKS)]
    return found if len(found) > 1 else [low, high]


def cells(labels: Sequence[str], figures: Sequence[Mapping[str, Any]], metric: str) -> str:
    """One row a cell, in the order of the grid: the test figure with its interval, and the valid one hollow."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.2, 0.3 * len(labels) + 0.9), layout="constrained")
        axes = figure.add_subplot()
        for y, one in zip(range(len(labels))[::-1], figures, strict=True):
            ends = []
            if (valid := one["valid"]) and valid["value"] is not None:
                axes.plot(valid["value"], y, "o", mfc="white", mec=FAINT, ms=6)
                ends.append(valid["value"])
            if (test := one["test"]) and test["value"] is not None:
                if test["low"] is not None:
                    axes.plot([test["low"], test["high"]], [y, y], color=SECOND, lw=2.2, alpha=0.45)
                axes.plot(test["value"], y, "o", color=SECOND, ms=6)
                axes.annotate(f"{test['value']:.4f}", (max([test["high"] or test["value"], *ends]), y), (6, 0),
                              textcoords="offset points", va="center", fontsize=8, color=INK)
        axes.set_yticks(range(len(labels))[::-1], labels)
        axes.set_ylim(-BESIDE, len(labels) - 1 + BESIDE)
        axes.set_xlabel(f"{metric}: test with its 95 % interval; hollow: valid")
        axes.margins(x=0.12)
        axes.grid(axis="x", color="#e6eaee")
        axes.set_axisbelow(True)
        return svg(figure)


def _label(value: Any) -> str:
    text = str(value) if not isinstance(value, Mapping) else str(value.get("model", value))
    return text if len(text) <= 14 else text[:13] + "…"
