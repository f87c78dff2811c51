"""Stored lists to the rows of metrics.json, and the per-user values that comparisons are made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matinee.evaluation.names import parse
from matinee.experiment import lists_store
from matinee.experiment.folder import RunFolder
from matinee.experiment.stages import StageData
from matinee.ranking.lists import Lists


def stored_lists(folder: RunFolder, id_: str, stage: StageData, depth: int) -> Lists:
    """The first `depth` places of one entry's stored lists of this stage."""
    dataset = stage.fit
    blocks = lists_store.read(folder.lists(stage.name, id_), stage.users, dataset.users, dataset.items)
    return lists_store.joined(blocks, depth)


def rows_of(
    folder: RunFolder, id_: str, stage: StageData, metrics: Sequence[str], segments: Sequence[str], seed: int
) -> list[dict[str, Any]]:
    """Rows id, part, segment, metric, value, low, high, users of one entry."""
    lists = stored_lists(folder, id_, stage, max(parse(metric).k for metric in metrics))
    rows = stage.measure(lists, metrics, segments, seed)
    return [
        {
            "id": id_,
            "part": stage.name,
            "segment": row.segment,
            "metric": row.metric,
            "value": row.value,
            "low": row.low,
            "high": row.high,
            "users": row.users,
        }
        for row in rows
    ]


def values_of(folder: RunFolder, id_: str, stage: StageData, metric: str) -> NDArray[np.float64]:
    """(V,) one metric of each user of the stage's truth. Raises ConfigError for one of which no user has a value."""
    return stage.values(stored_lists(folder, id_, stage, parse(metric).k), metric)
