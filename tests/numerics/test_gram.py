"""X'X and its inverse, and the nearest items: equal to the slow twins, the same bits at any thread count."""

from __future__ import annotations

import numpy as np
import pytest

from matinee.data.interactions import Interactions
from matinee.errors import ModelError
from matinee.numerics import inverse, threads
from matinee.numerics.gram import mirror, upper_gram
from matinee.numerics.inverse import sweep
from matinee.numerics.similarity import nearest
from tests.numerics.logs import random_log
from tests.reference import item_item as reference


def positive(n: int, seed: int = 0) -> np.ndarray:
    half = np.random.default_rng(seed).normal(size=(n, n))
    return half @ half.T / n + np.eye(n)


@pytest.mark.parametrize("weighted", [False, True])
def test_gram_adds_up_the_products_of_each_user(weighted: bool) -> None:
    log = random_log(0, 40, 21, 300, weighted=weighted)
    want = reference.gram(log)
    got = upper_gram(log.matrix())
    np.testing.assert_allclose(got, np.triu(want), rtol=1e-6)
    assert got.dtype == np.float32
    np.testing.assert_allclose(upper_gram(log.matrix(), np.float64), np.triu(want), rtol=1e-12)
    mirror(got)
    np.testing.assert_allclose(got, want, rtol=1e-6)


def test_a_count_past_what_float32_can_add_one_to_is_exact() -> None:
    log = Interactions.from_events([0, 1, 2], [0, 0, 0], values=[4096, 1, 1], n_users=3, n_items=1)
    assert upper_gram(log.matrix())[0, 0] == 2**24 + 2


def test_mirror_reaches_every_corner() -> None:
    for n in (1, 63, 64, 65, 200):
        upper = np.triu(np.random.default_rng(n).normal(size=(n, n)))
        want = upper + np.triu(upper, 1).T
        mirror(upper)
        np.testing.assert_array_equal(upper, want)


@pytest.mark.parametrize("n", [1, 7, 64, 130, 200])
def test_sweeping_gives_minus_the_inverse(n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inverse, "BLOCK", 64)
    whole = positive(n)
    upper = np.triu(whole) + np.tril(np.full((n, n), np.nan), -1)  # what is below must not be looked at
    sweep(upper)
    np.testing.assert_allclose(np.triu(upper), np.triu(-np.linalg.inv(whole)), atol=1e-12)


def test_sweeping_in_float32_is_as_good_as_float32_can_be() -> None:
    whole = positive(700)
    upper = whole.astype(np.float32)
    sweep(upper)
    exact = -np.linalg.inv(whole)
    assert np.abs(np.triu(upper - exact)).max() < 1e-5 * np.abs(exact).max()


@pytest.mark.parametrize("at", [0, 150])
def test_a_matrix_that_has_no_inverse_is_refused(at: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inverse, "BLOCK", 64)
    singular = np.eye(200, dtype=np.float32)
    singular[at, at] = 0
    with pytest.raises(ModelError, match="singular: the matrix cannot be inverted in float32; raise l2, or compute in"):
        sweep(singular)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("neighbours", [1, 5, 40])
@pytest.mark.parametrize("shrink", [0.0, 7.5])
def test_the_nearest_items_are_those_of_a_full_sort(weighted: bool, neighbours: int, shrink: float) -> None:
    log = random_log(1, 60, 30, 400, weighted=weighted)
    items, similarities = nearest(log.matrix(), neighbours, shrink)
    want = reference.item_knn(log, 30, shrink)
    for item in range(30):
        count = min(neighbours, int((want[:, item] > 0).sum()))
        assert (items[item, count:] == -1).all()
        assert (similarities[item, count:] == -np.inf).all()
        mine = items[item, :count]
        assert len(set(mine)) == count
        np.testing.assert_allclose(similarities[item, :count], want[mine, item], rtol=1e-6)
        np.testing.assert_allclose(similarities[item, :count], np.sort(want[:, item])[::-1][:count], rtol=1e-6)


def test_of_equal_neighbours_the_smaller_item_stays() -> None:
    users, items = np.repeat(np.arange(6), 4), np.tile([0, 1, 2, 3], 6)
    items, similarities = nearest(Interactions.from_events(users, items, n_users=6, n_items=4).matrix(), 2, 0.0)
    assert items.tolist() == [[1, 2], [0, 2], [0, 1], [0, 1]]
    assert (similarities == 1).all()


def test_the_number_of_threads_changes_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inverse, "BLOCK", 64)
    matrix = random_log(2, 300, 150, 9_000, weighted=True).matrix()
    results = []
    for count in (1, 2, 3):
        with threads.limited(count):
            upper = upper_gram(matrix)
            upper[np.diag_indices_from(upper)] += 10
            sweep(upper)
            results.append((upper, *nearest(matrix, 9, 1.0)))
    for other in results[1:]:
        for one, another in zip(results[0], other, strict=True):
            np.testing.assert_array_equal(one, another)
