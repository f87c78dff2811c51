"""Pictures of the page of a data set: all of one size, which a phone shows whole and a desktop in pairs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator

from matinee.report.pictures import ACCENT, FAINT, INK, SECOND, STYLE, svg

WIDTH, HEIGHT, ROW = 4.6, 2.5, 0.23
PALE, GRID = "#b8cfe3", "#e6eaee"
SERIES = (SECOND, ACCENT, FAINT)
DASHES = ("-", "-", ":")


@contextmanager
def _canvas(height: float = HEIGHT) -> Iterator[tuple[Figure, Axes]]:
    """A figure of the page's size."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        axes = figure.add_subplot()
        axes.set_axisbelow(True)
        axes.tick_params(labelsize=8, length=3)
        yield figure, axes


def over_time(starts: Sequence[str], series: Mapping[str, Sequence[float]], *, filled: bool = False) -> str:
    """One line (T,) a name over the days or hours in `starts` (T,); `filled`: the first one as an area."""
    with _canvas() as (figure, axes):
        at = np.array([start.replace(" ", "T") for start in starts], "datetime64[s]")
        for (name, values), colour in zip(series.items(), SERIES, strict=False):
            if filled:
                axes.fill_between(at, values, color=PALE, step="mid")
            axes.plot(at, values, _dotted(at), color=colour, lw=1.1, label=name, drawstyle="steps-mid")
        axes.set_ylim(0, None)
        axes.grid(axis="y", color=GRID)
        axes.yaxis.set_major_formatter(FuncFormatter(_short))
        locator = AutoDateLocator(minticks=2, maxticks=6)
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))
        if len(series) > 1:
            _legend(axes)
        return svg(figure)


def columns(
    labels: Sequence[str], values: Sequence[float], *, mark: Sequence[int] = (), every: int = 1,
    dots: Sequence[float] = (), share: bool = False, ylabel: str = "",
) -> str:
    """Upright bars (n,); the places in `mark` in red, each `every`th labelled, `dots` (n,) or one line to compare."""
    with _canvas() as (figure, axes):
        places = np.arange(len(labels))
        colours = [ACCENT if at in mark else SECOND for at in places]
        axes.bar(places, values, color=colours, width=0.82 if len(labels) < 60 else 1.0)
        if len(dots) == 1:
            axes.axhline(dots[0], color=INK, lw=0.9, ls=":")
        elif dots:
            axes.plot(places, dots, "o", color=INK, ms=3.5)
        axes.set_xticks(places[::every], list(labels)[::every], parse_math=False)
        axes.yaxis.set_major_formatter(FuncFormatter(_percent) if share else FuncFormatter(_short))
        axes.set_ylabel(ylabel, fontsize=8)
        axes.grid(axis="y", color=GRID)
        return svg(figure)


def years(values: Sequence[int], series: Mapping[str, Sequence[float]]) -> str:
    """Shares (n,) by calendar year: the first name as an area, others as lines."""
    with _canvas() as (figure, axes):
        for (name, shares), colour in zip(series.items(), SERIES, strict=False):
            axes.plot(values, shares, _dotted(values), color=colour, lw=1.1, label=name)
        axes.set_ylim(0, None)
        axes.yaxis.set_major_formatter(FuncFormatter(_percent))
        axes.xaxis.set_major_locator(MaxNLocator("auto", integer=True))
        axes.grid(axis="y", color=GRID)
        _legend(axes)
        return svg(figure)


def histogram(edges: Sequence[float], counts: Sequence[int], *, middle: float, xlabel: str) -> str:
    """Bars between `edges` (n + 1,) on a logarithmic scale, and a line at the median."""
    with _canvas() as (figure, axes):
        axes.stairs(counts, edges, fill=True, color=PALE, edgecolor=SECOND)
        axes.set_xscale("log")
        axes.set_ylim(0, 1.15 * max(counts))
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.axvline(middle, color=ACCENT, lw=1.2)
        axes.annotate(f"half: {middle:,.0f}", (middle, 1), (4, -9), xycoords=("data", "axes fraction"),
                      textcoords="offset points", fontsize=8, color=ACCENT)
        axes.xaxis.set_major_formatter(FuncFormatter(_short))
        axes.xaxis.set_minor_formatter(FuncFormatter(lambda value, _: ""))
        axes.yaxis.set_major_formatter(FuncFormatter(_short))
        axes.set_xlabel(xlabel, fontsize=8)
        axes.grid(axis="y", color=GRID)
        return svg(figure)


def bars(
    labels: Sequence[str], values: Sequence[float], dots: Sequence[float] | None = None, *,
    names: tuple[str, str] = ("", ""), ends: Sequence[str] = (), mark: Sequence[int] = (), share: bool = True,
) -> str:
    """Lying bars (n,), first on top, with `ends` (n,) written behind them; `dots` (n,) to compare them with."""
    with _canvas(ROW * len(labels) + 0.75) as (figure, axes):
        places = np.arange(len(labels))[::-1]
        colours = [ACCENT if at in mark else SECOND if dots is None else PALE for at in range(len(labels))]
        axes.barh(places, values, color=colours, height=0.68, label=names[0])
        if dots is not None:
            axes.plot(dots, places, "o", color=ACCENT, ms=4, label=names[1])
            _legend(axes)
        for at, value, end in zip(places, values, ends, strict=False):
            axes.annotate(end, (value, at), (4, 0), textcoords="offset points", va="center", fontsize=8)
        axes.set_yticks(places, labels, parse_math=False)
        axes.tick_params(axis="y", length=0)
        axes.set_xlim(0, max(1e-9, *values, *(dots or ())) * (1.2 if ends else 1.05))
        axes.xaxis.set_major_formatter(FuncFormatter(_percent) if share else FuncFormatter(_short))
        axes.grid(axis="x", color=GRID)
        return svg(figure)


def lorenz(items: Sequence[float], events: Sequence[float], half: float) -> str:
    """The curve of inequality, the line of equality, and the share of the items that holds the half."""
    with _canvas() as (figure, axes):
        axes.plot([0, 1], [0, 1], color=FAINT, lw=0.9, ls=":")
        axes.plot(items, events, color=SECOND, lw=1.4)
        axes.fill_between(items, items, events, color=PALE, alpha=0.6, lw=0)
        axes.plot([1 - half, 1 - half, 1], [0, 0.5, 0.5], color=ACCENT, lw=1)
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1)
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(FuncFormatter(_percent))
        axes.set_xlabel("of the items, rarest first", fontsize=8)
        axes.set_ylabel("of the events", fontsize=8)
        return svg(figure)


def ranks(rank: Sequence[int], events: Sequence[int]) -> str:
    """Events by rank of popularity, both on logarithmic scales; items without events are not on them."""
    with _canvas() as (figure, axes):
        there = [(at, n) for at, n in zip(rank, events, strict=True) if n]
        axes.loglog([at for at, _ in there], [n for _, n in there], _dotted(there), color=SECOND, lw=1.4)
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(FuncFormatter(_short))
            axis.set_minor_formatter(FuncFormatter(lambda value, _: ""))
        axes.set_xlabel("rank of the item", fontsize=8)
        axes.set_ylabel("events", fontsize=8)
        axes.grid(color=GRID)
        return svg(figure)


def curves(x: Sequence[float], series: Mapping[str, Sequence[float]], xlabel: str) -> str:
    """Shares (n,) by a threshold on a logarithmic scale."""
    with _canvas() as (figure, axes):
        for (name, values), colour in zip(series.items(), SERIES, strict=False):
            axes.plot(x, values, color=colour, lw=1.4, marker="o", ms=2.5, label=name)
        axes.set_xscale("log")
        axes.set_ylim(0, 1.03)
        axes.yaxis.set_major_formatter(FuncFormatter(_percent))
        axes.xaxis.set_major_formatter(FuncFormatter(_short))
        axes.xaxis.set_minor_formatter(FuncFormatter(lambda value, _: ""))
        axes.set_xlabel(xlabel, fontsize=8)
        axes.grid(axis="y", color=GRID)
        _legend(axes)
        return svg(figure)


def distributions(edges: Sequence[float], counts: Mapping[str, Sequence[int]]) -> str:
    """Shares of users by likeness, one outline a name."""
    with _canvas() as (figure, axes):
        for (name, values), colour, dash in zip(counts.items(), SERIES, DASHES, strict=False):
            total = max(1, sum(values))
            axes.stairs([value / total for value in values], edges, color=colour, lw=1.4, label=name, linestyle=dash)
        axes.set_xlim(0, 1)
        axes.xaxis.set_major_formatter(FuncFormatter(_percent))
        axes.yaxis.set_major_formatter(FuncFormatter(_percent))
        axes.set_xlabel("in common", fontsize=8)
        axes.set_ylabel("of the users", fontsize=8)
        axes.grid(axis="y", color=GRID)
        _legend(axes)
        return svg(figure)


def _dotted(along: Any) -> str:
    """A line of one or two points is drawn with dots."""
    return ".-" if len(along) < 3 else "-"


def _legend(axes: Axes) -> None:
    axes.legend(frameon=False, fontsize=8, ncols=3, loc="lower left", bbox_to_anchor=(-0.02, 0.99), handlelength=1.2,
                columnspacing=1.2, borderaxespad=0.1)


def _short(value: float, _: Any = None) -> str:
    """1500 as 1.5k, 2000000 as 2M."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"


def _percent(value: float, _: Any = None) -> str:
    return f"{100 * value:g}%"
