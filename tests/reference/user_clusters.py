"""Popularity by cluster as loops over plain numbers: slow and obvious."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from matinee.data.interactions import Interactions
from tests.reference.item_item import distinct
from tests.reference.kmeans import nearest


def unit(row: NDArray[np.floating]) -> NDArray[np.float64]:
    length = math.sqrt(math.fsum(float(x) ** 2 for x in row))
    return np.array([float(x) / length if length else 0.0 for x in row])


def scores(
    log: Interactions, of_log: NDArray[np.floating], of_asked: NDArray[np.floating], centres: NDArray[np.floating],
    smoothing: float, temperature: float,
) -> NDArray[np.float64]:  # fmt: skip
    """(B, I) for histories whose vectors are `of_asked`, by clusters of users whose vectors are `of_log`."""
    k = len(centres)
    counts, members, total = np.zeros((k, log.n_items)), np.zeros(k), np.zeros(log.n_items)
    active = 0
    for user, vector in enumerate(of_log):
        mine = distinct(log, user)
        active += bool(mine)
        for item, c in mine.items():
            total[item] += c
        if vector.any():
            label, _ = nearest(unit(vector), centres)
            members[label] += 1
            for item, c in mine.items():
                counts[label, item] += c
    popularity = np.array([(counts[c] + smoothing * total / active) / (members[c] + smoothing) for c in range(k)])
    out = []
    for vector in of_asked:
        point = unit(vector)
        gaps = [float(((point - centre) ** 2).sum()) for centre in centres]
        if not vector.any():
            share = members / members.sum()
        elif temperature == 0:
            share = np.eye(k)[gaps.index(min(gaps))]
        else:
            raw = np.exp([-gap / temperature for gap in gaps])
            share = raw / raw.sum()
        out.append(share @ popularity)
    return np.array(out)
