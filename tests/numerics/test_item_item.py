"""Item-item scoring: equal to loops over plain numbers, and the same bits by every way."""

from __future__ import annotations

import numpy as np
import pytest

from matinee.contract import Masks, Queries
from matinee.data.interactions import Interactions
from matinee.errors import DataError, ModelError
from matinee.numerics import item_item, threads
from matinee.numerics.topk import ScoreError
from matinee.ranking.topk import top_k
from matinee.scoring.item_item import DenseItemItem, PooledItemItem, SparseItemItem
from tests.numerics.logs import random_log
from tests.reference import item_item as reference

I = 150  # two tiles and a bit


def dense(seed: int = 0) -> DenseItemItem:
    return DenseItemItem(np.random.default_rng(seed).normal(size=(I, I)).astype(np.float32))


def sparse(seed: int = 0) -> SparseItemItem:
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, 9, I)
    targets = np.concatenate([np.sort(rng.choice(I, n, replace=False)) for n in counts]).astype(np.int32)
    return SparseItemItem(np.cumsum([0, *counts]), targets, rng.normal(size=len(targets)).astype(np.float32))


def pooled(pool: str) -> PooledItemItem:
    return PooledItemItem(sparse(), pool)


def as_matrix(form: DenseItemItem | SparseItemItem) -> np.ndarray:
    if isinstance(form, DenseItemItem):
        return form.weights
    out = np.zeros((I, I), np.float32)
    for item in range(I):
        mine = slice(form.indptr[item], form.indptr[item + 1])
        out[item, form.targets[mine]] = form.weights[mine]
    return out


def masks(log: Interactions, *, filtered: bool) -> Masks:
    blocked = np.random.default_rng(5).random((log.n_users, log.n_items)) < 0.4 if filtered else None
    return Masks(log.indptr, log.items, blocked)


@pytest.mark.parametrize("form", [dense(), sparse()])
@pytest.mark.parametrize("weighted", [False, True])
def test_a_score_is_the_sum_over_the_distinct_items_of_the_history(form: DenseItemItem, weighted: bool) -> None:
    log = random_log(1, 12, I, 150, weighted=weighted)
    np.testing.assert_array_equal(form.score(Queries.of(log)), reference.scores(as_matrix(form), log))


@pytest.mark.parametrize("form", [dense(), sparse(), pooled("max"), pooled("mean")])
@pytest.mark.parametrize("users", [40, item_item.FEW + 80])
@pytest.mark.parametrize("filtered", [False, True])
def test_ranking_while_scoring_gives_what_scoring_and_ranking_give(
    form: DenseItemItem, users: int, filtered: bool
) -> None:
    log = random_log(2, users, I, 11 * users, weighted=True)
    queries, mask = Queries.of(log), masks(log, filtered=filtered)
    for k in (1, 10, I + 3):
        items, scores = form.top_block(queries, k, mask)
        want_items, want_scores = top_k(form.score(queries), k, mask)
        np.testing.assert_array_equal(items, want_items)
        np.testing.assert_array_equal(scores, want_scores)


@pytest.mark.parametrize("form", [dense(), sparse(), pooled("max"), pooled("mean")])
def test_one_user_alone_gets_the_bits_that_the_batch_gives_at_any_thread_count(form: DenseItemItem) -> None:
    log = random_log(3, item_item.FEW + 60, I, 30_000, weighted=True)
    items, scores = form.top_block(Queries.of(log), 10, masks(log, filtered=False))
    for count in (1, 3):
        with threads.limited(count):
            again = form.top_block(Queries.of(log), 10, masks(log, filtered=False))
        np.testing.assert_array_equal(again[0], items)
        np.testing.assert_array_equal(again[1], scores)
    for user in (0, 17, log.n_users - 1):
        one = log.take(np.array([user]))
        alone = form.top_block(Queries.of(one), 10, masks(one, filtered=False))
        np.testing.assert_array_equal(alone[0][0], items[user])
        np.testing.assert_array_equal(alone[1][0], scores[user])


@pytest.mark.parametrize("form", [dense(), sparse(), pooled("max"), pooled("mean")])
def test_the_order_of_a_history_does_not_change_a_bit(form: DenseItemItem) -> None:
    log = random_log(4, 30, I, 900, weighted=False)
    order = np.random.default_rng(0).permutation(len(log))
    shuffled = Interactions.from_events(log.users[order], log.items[order], n_users=30, n_items=I)
    np.testing.assert_array_equal(form.score(Queries.of(shuffled)), form.score(Queries.of(log)))


@pytest.mark.parametrize("users", [3, item_item.FEW + 3])
def test_a_sum_that_overflows_is_refused_with_its_row_and_item(users: int) -> None:
    weights = np.zeros((I, I), np.float32)
    weights[:, 100] = -3e38
    log = Interactions.from_events([1, 1], [4, 5], n_users=users, n_items=I)
    with np.errstate(over="ignore"), pytest.raises(ScoreError, match="row 1 of the block scores item 100 with -inf"):
        DenseItemItem(weights).top_block(Queries.of(log), 5, Masks.none(users))


def test_overflow_in_a_sparse_sum_is_refused() -> None:
    form = SparseItemItem(np.array([0, 1, 2]), np.zeros(2, np.int32), np.full(2, 3e38, np.float32))
    log = Interactions.from_events([0, 0], [0, 1], n_users=1, n_items=2)
    with pytest.raises(ScoreError, match="infinite-score: row 0 of the block scores item 0 with inf"):
        form.top_block(Queries.of(log), 1, Masks.none(1))


@pytest.mark.parametrize("form", [dense(), sparse(), pooled("max"), pooled("mean")])
def test_a_history_over_another_catalogue_is_refused(form: DenseItemItem) -> None:
    log = Interactions.from_events([0], [I], n_users=1, n_items=I + 1)
    for ask in (lambda: form.score(Queries.of(log)), lambda: form.top_block(Queries.of(log), 1, Masks.none(1))):
        with pytest.raises(DataError, match="misaligned: histories over 151 items for a model of 150"):
            ask()


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (np.zeros((2, 3)), r"item-item weights have shape \(2, 3\)"),
        (np.array([[0, 1], [np.nan, 0]]), "weight 2 is nan"),
    ],
)
def test_dense_arrays_that_cannot_be_a_model_are_refused(weights: np.ndarray, message: str) -> None:
    with pytest.raises(ModelError, match=f"bad-form: .*{message}"):
        DenseItemItem(weights.astype(np.float32))


@pytest.mark.parametrize(
    ("indptr", "target", "weight", "message"),
    [
        ([0, 1], 0, np.inf, "weight 0 is inf"),
        ([0, 1], 1, 1, r"targets must lie in \[0, 1\); got \[1, 1\]"),
        ([0, 2], 0, 1, "1 targets and 1 weights do not fit their indptr"),
        ([0, 2, 1], 0, 1, "1 targets and 1 weights do not fit their indptr"),
    ],
)
def test_sparse_arrays_that_cannot_be_a_model_are_refused(
    indptr: list[int], target: int, weight: float, message: str
) -> None:
    with pytest.raises(ModelError, match=f"bad-form: .*{message}"):
        SparseItemItem(np.array(indptr), np.array([target], np.int32), np.array([weight], np.float32))


@pytest.mark.parametrize("pool", ["max", "mean"])
def test_a_pool_is_of_what_is_stored_even_where_all_of_it_is_negative(pool: str) -> None:
    log = random_log(6, 25, I, 300, weighted=True)
    want = reference.pooled(as_matrix(sparse()), log, pool)
    assert (want < 0).any()
    np.testing.assert_allclose(pooled(pool).score(Queries.of(log)), want, rtol=1e-5, atol=1e-6)


def test_a_pool_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ModelError, match="bad-form: no pool is called 'median'; known: max, mean"):
        pooled("median")
