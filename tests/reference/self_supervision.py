"""The four tasks of S3-Rec in float64, place by place. States are given; `labels` (I, A) has 1 where an item has an
attribute."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]


def softplus(x: Numbers | float) -> Numbers:
    return np.logaddexp(0.0, x)


def attributes(states: list[Numbers], items: list[int], turn: Numbers, table: Numbers, bias: Numbers,
               labels: Numbers) -> float:
    """Mean over places and attributes of the binary cross-entropy."""
    lost = []
    for state, item in zip(states, items, strict=True):
        for a in range(len(table)):
            score = table[a] @ (state @ turn) + bias[a]
            lost.append(softplus(-score) if labels[item, a] else softplus(score))
    return float(np.mean(lost))


def against(state: Numbers, turn: Numbers, right: Numbers, wrong: Numbers) -> float:
    """-ln sigma of how far the right one is ahead."""
    return float(softplus(-((state @ turn) @ right - (state @ turn) @ wrong)))
