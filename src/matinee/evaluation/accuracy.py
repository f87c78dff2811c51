"""Per-user accuracy of lists: how much of what was hidden stands near the top."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from matinee.errors import ConfigError
from matinee.evaluation.formulas import MEASURES, Formula
from matinee.evaluation.hits import find
from matinee.evaluation.names import Metric, parse, require_depth
from matinee.evaluation.presets import PRESETS
from matinee.ranking.lists import Lists
from matinee.split.parts import Truth


def per_user(lists: Lists, truth: Truth, metrics: Sequence[str]) -> dict[str, NDArray[np.float64]]:
    """Each metric's value for each user of the truth, (V,) in its order.

    A user without a list, unknown users (-1) included, scores 0 and counts. A repeated item of a list is a miss at its
    second place. `KNOWN` in `names.py` holds the formulas. Raises ConfigError for a name that is no accuracy metric and
    for a K over the lists' depth, DataError where a user has nothing hidden.
    """
    parsed = {name: parse(name) for name in metrics}
    for name, metric in parsed.items():
        if not is_accuracy(metric):
            raise ConfigError("not-accuracy", f"{name} does not compare lists with what was hidden",
                              f"known here: {', '.join(MEASURES)}")
    require_depth(list(parsed.values()), lists.depth)
    if not parsed:
        return {}
    hits = find(lists, truth, max(metric.k for metric in parsed.values()))
    return {name: _formula(metric)(hits, metric.k) for name, metric in parsed.items()}


def is_accuracy(metric: Metric) -> bool:
    return metric.name in MEASURES


def _formula(metric: Metric) -> Formula:
    return PRESETS[metric.name, metric.preset].formula if metric.preset else MEASURES[metric.name]
