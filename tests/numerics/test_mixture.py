"""Mixing and ranking in one: the lists of the sum, whatever the number of threads."""

from __future__ import annotations

import numpy as np
import pytest

from matinee.contract import Masks
from matinee.numerics.mixture import mixed_top
from matinee.numerics.threads import limited
from matinee.numerics.topk import ScoreError, select
from tests.numerics.logs import random_log

M, B, I = 3, 300, 70


@pytest.mark.parametrize("filtered", [False, True])
def test_lists_are_those_of_the_weighted_sum(filtered: bool) -> None:
    rng = np.random.default_rng(0)
    terms = rng.normal(size=(M, B, I)).astype(np.float32)
    log = random_log(1, B, I, 2_000, weighted=False)
    masks = Masks(log.indptr, log.items, rng.random((B, I)) < 0.3 if filtered else None)
    weights = np.array([0.5, 0, 0.25], np.float32)  # powers of two, so that the sum is the same in any order
    want = select(weights[0] * terms[0] + weights[2] * terms[2], 9, masks)
    for threads in (1, 2):
        with limited(threads):
            items, scores = mixed_top(terms, weights, 9, masks)
        assert np.array_equal(items, want[0])
        assert np.array_equal(scores, want[1])


def test_a_member_of_weight_nought_cannot_spoil_the_sum() -> None:
    terms = np.zeros((2, 4, 5), np.float32)
    terms[1, 2, 3] = np.nan
    assert mixed_top(terms, np.array([1, 0], np.float32), 2, Masks.none(4))[0].tolist() == [[0, 1]] * 4
    with pytest.raises(ScoreError, match="row 2 of the block scores item 3 with nan"):
        mixed_top(terms, np.array([1, 1], np.float32), 2, Masks.none(4))
