"""Lloyd's k-means as loops over plain numbers: slow and obvious."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray


def nearest(row: NDArray[np.floating], centres: NDArray[np.floating]) -> tuple[int, float]:
    """The first of the nearest centres, and the squared distance."""
    gaps = [math.fsum((float(x) - float(y)) ** 2 for x, y in zip(row, centre, strict=True)) for centre in centres]
    return gaps.index(min(gaps)), min(gaps)


def lloyd(
    rows: NDArray[np.floating], centres: NDArray[np.floating], rounds: int
) -> tuple[NDArray[np.float64], list[int], float]:
    """Centres, labels and inertia. An empty cluster takes the row that is farthest from its own centre."""
    centres = np.array(centres, np.float64)
    found = [nearest(row, centres) for row in rows]
    for _ in range(rounds):
        taken: list[int] = []
        for c in range(len(centres)):
            mine = [row for row, (label, _) in zip(rows, found, strict=True) if label == c]
            if mine:
                centres[c] = np.mean(np.array(mine, np.float64), axis=0)
                continue
            left = [n for n in range(len(rows)) if n not in taken]
            far = max(left, key=lambda n: found[n][1])
            taken.append(far)
            if found[far][1] > 0:
                centres[c] = rows[far]
        before, found = found, [nearest(row, centres) for row in rows]
        if [label for label, _ in before] == [label for label, _ in found]:
            break
    return centres, [label for label, _ in found], math.fsum(gap for _, gap in found)
