"""Names beside the dots of a picture, none over another name or a dot.

Each dot in turn, the most crowded first, takes the nearest place around it that is free. A name that is not beside its
dot, or nearer to another one, is tied to it by a line.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple
from unicodedata import east_asian_width

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

DISTANCES = (4, 7, 10, 14, 19, 25, 32, 40)
"""Points from a dot to the name's nearest edge."""
DIRECTIONS = tuple(math.radians(22.5 * at) for at in (1, 15, 7, 9, 3, 13, 5, 11, 0, 8, 4, 12, 2, 14, 6, 10))
DOT, BAR, GAP, BESIDE = 3.0, 1.0, 0.4, 7
"""Points: half of a dot and of a bar, what names keep from each other, and how far a name needs no line."""
POINTS, SPECKS = 72, 12


class Box(NamedTuple):
    left: float
    low: float
    right: float
    high: float

    def wider(self, by: float) -> Box:
        return Box(self.left - by, self.low - by, self.right + by, self.high + by)

    def over(self, other: Box) -> bool:
        return self.left < other.right and other.left < self.right and self.low < other.high and other.low < self.high

    def over_any(self, boxes: NDArray[np.float64]) -> bool:
        """Of (boxes, 4)."""
        left, low, right, high = boxes.T
        return bool(((self.left < right) & (left < self.right) & (self.low < high) & (low < self.high)).any())

    def within(self, other: Box) -> bool:
        return (self.left >= other.left and self.right <= other.right
                and self.low >= other.low and self.high <= other.high)


def name_dots(
    axes: Axes,
    places: Sequence[tuple[float, float]],
    names: Sequence[str],
    *,
    size: float,
    color: str,
    line: str,
    bars: Sequence[tuple[float, float, float]] = (),
    some: bool = False,
) -> bool:
    """Write the names beside the dots at `places`, off the level `bars` (from, to, height).

    False where not all of them have room: then nothing is written, or with `some` those that have.
    Limits and layout must be settled: what is drawn afterwards may move the dots.
    """
    figure = axes.get_figure(root=True)
    assert figure is not None
    figure.draw_without_rendering()
    scale = POINTS / figure.dpi
    dots = axes.transData.transform(np.asarray(places, float).reshape(-1, 2)) * scale
    ends = axes.transData.transform([(x, y) for low, high, y in bars for x in (low, high)] or np.empty((0, 2))) * scale
    taken = [Box(left, y - BAR, right, y + BAR) for (left, y), (right, _) in zip(ends[::2], ends[1::2], strict=True)]
    inside = Box(*(np.array(axes.get_window_extent().extents) * scale).tolist())
    found = placed(dots, [extent(name, size) for name in names], inside, taken, some=some)
    every = all(box is not None for box in found)
    for at, (name, place, box) in enumerate(zip(names, places, found, strict=True)):
        if box is not None and (every or some):
            middle = np.array([(box.left + box.right) / 2, (box.low + box.high) / 2])
            tie = {"arrowstyle": "-", "color": line, "lw": 0.5, "shrinkA": 0, "shrinkB": DOT}
            axes.annotate(name, place, middle - dots[at], textcoords="offset points", ha="center", va="center",
                          fontsize=size, color=color, in_layout=False,
                          arrowprops=tie if _is_tied(box, at, dots) else None)
    return every


def extent(name: str, size: float) -> tuple[float, float]:
    """Points (width, height) that a name takes in any usual font; wide letters, as of Hangul, take a whole square."""
    ems = sum(1.0 if east_asian_width(letter) in "WF" else 0.64 for letter in name)
    return ems * size, 1.15 * size


def placed(
    dots: NDArray[np.float64],
    sizes: Sequence[tuple[float, float]],
    inside: Box,
    bars: Sequence[Box] = (),
    *,
    some: bool = False,
) -> list[Box | None]:
    """A box for each of the dots (N, 2), all in points; None for one without room, which unless `some` ends it."""
    apart = np.abs(dots[:, None] - dots[None]).max(axis=2)  # (N, N)
    circles = np.array([Box(x - DOT, y - DOT, x + DOT, y + DOT) for x, y in dots.tolist()])
    taken = np.array([*bars, *circles])  # (boxes, 4)
    found: dict[int, Box] = {}
    for at in np.argsort(-(apart < DISTANCES[-1]).sum(axis=1), kind="stable").tolist():
        free = [(box, tie) for box, tie in _around(at, dots, sizes[at]) if box.wider(GAP).within(inside)
                and not box.wider(GAP).over_any(taken) and not _over(tie, list(found.values()))]
        others = [Box(*circle) for circle in circles[apart[at] > DOT]]
        clear = (pair for pair in free if not _over(pair[1], others))  # its line leads over no other dot
        if chosen := next(clear, free[0] if free else None):
            found[at], tie = chosen
            taken = np.concatenate([taken, [found[at], *tie]])
        elif not some:
            break
    return [found.get(at) for at in range(len(dots))]


def _over(tie: Sequence[Box], boxes: Sequence[Box]) -> bool:
    return any(speck.over(box) for speck in tie for box in boxes)


def _around(at: int, dots: NDArray[np.float64], size: tuple[float, float]) -> Iterator[tuple[Box, list[Box]]]:
    """Places for a name, the nearest first, each with the specks of the line that ties it to the dot."""
    x, y = dots[at].tolist()
    for distance in DISTANCES:
        for turn in DIRECTIONS:
            left, right = _beside(x, distance * math.cos(turn), size[0])
            low, high = _beside(y, distance * math.sin(turn), size[1])
            box, tie = Box(left, low, right, high), []
            if _is_tied(box, at, dots):
                to_x, to_y = (left + right) / 2, (low + high) / 2
                steps = [step / SPECKS for step in range(2, SPECKS)]
                tie = [speck for step in steps
                       if not (speck := _speck(x + step * (to_x - x), y + step * (to_y - y))).over(box)]
            yield box, tie


def _beside(middle: float, off: float, length: float) -> tuple[float, float]:
    """From where to where a name reaches whose nearest edge is `off` a dot; astride of it where that is nothing."""
    if abs(off) < 0.1:
        return middle - length / 2, middle + length / 2
    near = middle + off
    return (near, near + length) if off > 0 else (near - length, near)


def _speck(x: float, y: float) -> Box:
    return Box(x - 0.2, y - 0.2, x + 0.2, y + 0.2)


def _is_tied(box: Box, at: int, dots: NDArray[np.float64]) -> bool:
    x, y = dots.T
    away = np.hypot(np.maximum(0, np.maximum(box.left - x, x - box.right)),
                    np.maximum(0, np.maximum(box.low - y, y - box.high)))  # (N,)
    return bool(away[at] > min(BESIDE, away.min()))
