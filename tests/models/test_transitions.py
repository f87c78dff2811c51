"""Transitions: the counts of the slow twin in both directions, and little memory on the way."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from matinee.contract import Queries, Run
from matinee.data.interactions import Interactions
from matinee.models.transitions import Transitions
from matinee.scoring.item_item import SparseItemItem
from tests.models.test_item_knn import dataset
from tests.numerics.logs import random_log
from tests.reference import transitions as reference


def as_matrix(form: SparseItemItem) -> np.ndarray:
    out = np.zeros((form.n_items, form.n_items))
    for item in range(form.n_items):
        mine = slice(form.indptr[item], form.indptr[item + 1])
        assert (np.diff(form.targets[mine]) > 0).all()
        out[item, form.targets[mine]] = form.weights[mine]
    return out


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("window", "shrink", "backward", "targets"),
                         [(1, 0.0, 0.0, 100), (5, 3.0, 0.0, 7), (5, 3.0, 0.4, 100), (200, 1.0, 1.0, 5)])
def test_the_rows_are_those_of_the_slow_twin(
    weighted: bool, window: int, shrink: float, backward: float, targets: int
) -> None:
    log = random_log(5, 70, 90, 900, weighted=weighted)
    recipe = Transitions(window=window, shrink=shrink, backward=backward, targets=targets, query_decay=1.0,
                         query_length=None)
    got = as_matrix(recipe.fit(dataset(log), Run(threads=2)))
    np.testing.assert_allclose(got, reference.transitions(log, window, shrink, backward, targets), rtol=1e-6)


def test_the_newest_items_of_a_history_speak_newest_first() -> None:
    log = random_log(6, 40, 30, 500, weighted=False)
    got = Transitions(window=4, query_decay=0.6, query_length=6).fit(dataset(log)).score(Queries.of(log))
    want = reference.scores(reference.transitions(log, 4, 10.0, 0.0, 30), log, 0.6, 6)
    np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-7)


def test_a_window_of_one_and_the_last_item_are_a_chain_of_first_order() -> None:
    log = Interactions.from_events([0, 0, 0, 1, 1, 2, 2], [0, 1, 2, 0, 1, 0, 3], range(7), n_users=3, n_items=4)
    scorer = Transitions(window=1, shrink=0, query_length=1).fit(dataset(log))
    last = Interactions.from_events([0, 0], [2, 0], [0, 1], n_users=1, n_items=4)
    np.testing.assert_allclose(scorer.score(Queries.of(last))[0], [0, 2 / 3, 0, 1 / 3], rtol=1e-6)


def test_events_of_one_moment_stand_in_the_order_of_the_log() -> None:
    log = Interactions.from_events([0, 0, 0], [2, 0, 1], [5, 5, 5], n_users=1, n_items=3)
    weights = as_matrix(Transitions(window=1, shrink=0, query_decay=1, query_length=None).fit(dataset(log)))
    assert weights.tolist() == [[0, 1, 0], [0, 0, 0], [1, 0, 0]]


def test_a_fit_holds_what_it_keeps_twice_and_no_matrix_of_items_by_items() -> None:
    data = dataset(random_log(7, 2_000, 6_000, 20_000, weighted=False))
    recipe = Transitions(targets=10)
    recipe.fit(data)  # compiled before the count begins
    tracemalloc.start()
    recipe.fit(data, Run(threads=2))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4e6, f"{peak / 1e6:.1f} MB where the dense matrix would take 144 MB"
