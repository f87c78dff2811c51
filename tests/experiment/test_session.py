"""The stages of a data set, as a notebook asks for them: no models, no file."""

from __future__ import annotations

import numpy as np
import pytest

import matinee
from matinee.data.dataset import Dataset
from matinee.errors import ConfigError


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return matinee.load("synthetic:80x60:3")


def test_a_split_by_name_and_by_keys(dataset: Dataset) -> None:
    assert sorted(matinee.stages(dataset)) == ["test", "valid"]
    stage = matinee.stages(dataset, {"protocol": "leave_last", "valid": 1, "test": 1})["test"]
    assert stage.truth is not None
    assert np.array_equal(stage.truth.counts, np.ones(len(stage.truth)))
    lists = stage.recommend(matinee.recipe("popularity", {}).fit(stage.fit), 5, personal=False)
    assert np.array_equal(lists.users, stage.truth.users)
    assert [row.metric for row in stage.measure(lists, ["recall@5"])] == ["recall@5"]


def test_filters_as_in_an_experiment(dataset: Dataset) -> None:
    stage = matinee.stages(dataset, "leave_last", [{"kind": "unpopular_items", "least": 40}])["valid"]
    lists = stage.recommend(matinee.recipe("random_items", {}).fit(stage.fit), 3)
    assert stage.item_counts[lists.items[lists.items >= 0]].min() >= 40


def test_an_unknown_key_is_refused(dataset: Dataset) -> None:
    with pytest.raises(ConfigError, match="holdout"):
        matinee.stages(dataset, {"protocol": "leave_last", "holdout": 1})
