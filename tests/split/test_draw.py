"""Keys are the same on every machine and for ever: a split is part of a result."""

from __future__ import annotations

import numpy as np

from matinee.data.ids import Vocabulary
from matinee.split.draw import shuffle_keys
from matinee.split.gap_and_tail import GapAndTail
from tests.split.logs import dataset_of, hidden_of, steady


def test_keys_are_pinned() -> None:
    keys = shuffle_keys(Vocabulary.of(["1", "민지"]), 0)
    assert keys.dtype == np.uint64
    assert keys.tolist() == [2693491402764870668, 4180706538104553772]


def test_a_split_is_pinned() -> None:
    dataset = dataset_of(steady(3, 30))
    hidden = hidden_of(dataset, GapAndTail(seed=5).split(dataset), "test")
    assert hidden == {
        "user0000": {"film004": "gap", "film028": "tail", "film029": "tail"},
        "user0001": {"film033": "gap", "film035": "tail", "film036": "tail"},
        "user0002": {"film028": "gap", "film042": "tail", "film043": "tail"},
    }
