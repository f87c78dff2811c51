"""What an experiment does, one step at a time, for notebooks and scripts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matinee.config import experiment_from
from matinee.data.dataset import Dataset
from matinee.experiment.stages import StageData, split_stages


def stages(
    dataset: Dataset, split: str | Mapping[str, Any] = "gap_and_tail", filters: Sequence[Mapping[str, Any]] = ()
) -> dict[str, StageData]:
    """The valid and test stages of a data set.

    split    a protocol's name, or its keys as in an experiment file: `{"protocol": "leave_last", "test": 1}`
    filters  as in an experiment file: `[{"kind": "unpopular_items", "least": 200}]`
    Each stage has `fit` (what may be learnt from), `recommend(scorer, k)` and `measure(lists, metrics)`.
    Raises ConfigError for an unknown key, DataError where nothing would be hidden.
    """
    settings = {"name": "session", "data": {"path": "-"}, "split": split, "filters": list(filters),
                "models": [{"model": "popularity"}]}  # an experiment has at least one; none is fitted here
    experiment = experiment_from(settings, Path.cwd())
    return split_stages(dataset, experiment.split.split(dataset), experiment.filters)
