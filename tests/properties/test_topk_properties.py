"""`top_k` against its slow twin, and what must hold for every matrix of scores."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from matinee.contract import Masks
from matinee.errors import DataError, UsageError
from matinee.numerics import threads
from matinee.numerics.topk import ScoreError
from matinee.ranking.topk import top_k
from tests.reference import topk as reference

LEVELS = np.array([-2.5, -1.0, -0.0, 0.0, 0.5, 1e-38, 3e38, -3e38], np.float32)


@st.composite
def blocks(draw: st.DrawFn) -> tuple[np.ndarray, Masks]:
    """A few rows with many ties, seen items in any order with repeats, and sometimes a filter."""
    n, n_items = draw(st.integers(0, 5)), draw(st.integers(1, 40))
    scores = LEVELS[draw(arrays(np.int64, (n, n_items), elements=st.integers(0, len(LEVELS) - 1)))]
    seen = [draw(st.lists(st.integers(0, n_items - 1), max_size=2 * n_items)) for _ in range(n)]
    indptr = np.cumsum([0, *map(len, seen)], dtype=np.int64)
    blocked = draw(arrays(bool, (n, n_items))) if draw(st.booleans()) else None
    return scores, Masks(indptr, np.array([i for row in seen for i in row], np.int32), blocked)


@settings(max_examples=50, deadline=None)
@given(blocks(), st.integers(1, 45))
def test_every_block_is_ranked_as_a_full_sort_ranks_it(block: tuple[np.ndarray, Masks], k: int) -> None:
    scores, masks = block
    items, best = top_k(scores, k, masks)
    want_items, want_best = reference.top_k(scores, k, masks)
    np.testing.assert_array_equal(items, want_items)
    np.testing.assert_array_equal(best, want_best)
    assert not np.any(np.signbit(best) & (best == 0))


@settings(max_examples=30, deadline=None)
@given(blocks(), st.integers(1, 45), st.data())
def test_a_shorter_list_is_the_head_of_a_longer_one(
    block: tuple[np.ndarray, Masks], k: int, data: st.DataObject
) -> None:
    shorter = data.draw(st.integers(1, k))
    items, best = top_k(block[0], k, block[1])
    head_items, head_best = top_k(block[0], shorter, block[1])
    np.testing.assert_array_equal(head_items, items[:, :shorter])
    np.testing.assert_array_equal(head_best, best[:, :shorter])


def test_neither_the_number_of_threads_nor_the_block_changes_a_list() -> None:
    rng = np.random.default_rng(3)
    scores = rng.integers(0, 50, (700, 90)).astype(np.float32)
    whole, _ = top_k(scores, 20, Masks.none(700))
    with threads.limited(1):
        alone, _ = top_k(scores, 20, Masks.none(700))
    with threads.limited(3):
        several, _ = top_k(scores, 20, Masks.none(700))
    parts = np.concatenate([top_k(scores[a : a + 1], 20, Masks.none(1))[0] for a in range(700)])
    for other in (alone, several, parts):
        np.testing.assert_array_equal(other, whole)


def test_a_strided_block_is_ranked_like_its_copy() -> None:
    scores = np.random.default_rng(0).normal(size=(6, 40)).astype(np.float32)
    items, best = top_k(scores[::2, ::3], 5, Masks.none(3))
    want, want_best = top_k(scores[::2, ::3].copy(), 5, Masks.none(3))
    np.testing.assert_array_equal(items, want)
    np.testing.assert_array_equal(best, want_best)


@pytest.mark.parametrize(
    ("value", "code"), [(np.nan, "nan-score"), (np.inf, "infinite-score"), (-np.inf, "infinite-score")]
)
@pytest.mark.parametrize("seen", [False, True])
def test_a_score_that_is_not_finite_is_refused_even_where_it_is_masked(value: float, code: str, seen: bool) -> None:
    scores = np.zeros((300, 7), np.float32)
    scores[200, 4] = value
    masks = Masks(np.repeat([0, 1], [201, 100]).astype(np.int64), np.array([4], np.int32)) if seen else Masks.none(300)
    with pytest.raises(ScoreError, match=f"{code}: row 200 of the block scores item 4 with {value}") as caught:
        top_k(scores, 2, masks)
    assert (caught.value.row, caught.value.item) == (200, 4)
    again = pickle.loads(pickle.dumps(caught.value))
    assert str(again) == str(caught.value)


@pytest.mark.parametrize("scores", [np.zeros((2, 3)), np.zeros(3, np.float32)])
def test_scores_of_another_kind_are_refused(scores: np.ndarray) -> None:
    with pytest.raises(DataError, match=r"bad-scores: scores are float\d\d of shape .*; float32 \(B, I\) is due"):
        top_k(scores, 1, Masks.none(len(scores)))


def test_a_list_of_no_items_is_refused() -> None:
    with pytest.raises(UsageError, match="bad-k: a list of 0 items was asked for; ask for one or more"):
        top_k(np.zeros((1, 3), np.float32), 0, Masks.none(1))


@pytest.mark.parametrize(
    ("masks", "message"),
    [
        (Masks.none(3), "misaligned: masks of 3 rows and 0 items for a block of 2 rows"),
        (Masks(np.array([0, 1, 0]), np.empty(0, np.int32)), "misaligned: masks of 2 rows and 0 items"),
        (Masks(np.array([0, 0, 1]), np.array([3], np.int32)), r"misaligned: masked items in \[3, 3\] for a .* of 3"),
        (Masks(np.array([0, 0, 1]), np.array([-1], np.int32)), r"misaligned: masked items in \[-1, -1\]"),
        (Masks(np.zeros(3, np.int64), np.empty(0, np.int32), np.zeros((2, 4), bool)),
         r"misaligned: blocked has shape \(2, 4\) for scores of \(2, 3\)"),
    ],
)
def test_masks_that_do_not_fit_the_block_are_refused(masks: Masks, message: str) -> None:
    with pytest.raises(DataError, match=message):
        top_k(np.zeros((2, 3), np.float32), 1, masks)
