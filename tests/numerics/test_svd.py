"""Products of a sparse matrix and a table, and singular vectors made of them: those of numpy, the same bits always."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.sparse import csr_array
from threadpoolctl import threadpool_info

from matinee.data.interactions import Interactions
from matinee.numerics import svd, threads
from matinee.numerics.products import product
from tests.numerics.logs import random_log

MATRIX = random_log(4, 150, 70, 2_000, weighted=True).matrix()


def drawn(seed: int = 3) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize("dim", [1, 2, 16, 33])
def test_a_product_is_the_sum_of_the_rows_that_are_named(dim: int) -> None:
    assert {0, 1, 2, 3} <= set(np.diff(MATRIX.indptr) % 4), "every way that a row can end"
    table = drawn().standard_normal((70, dim)).astype(np.float32)
    got = product(MATRIX, table)
    np.testing.assert_allclose(got, MATRIX.toarray().astype(np.float64) @ table, rtol=1e-4, atol=1e-5)
    for row in range(150):
        np.testing.assert_array_equal(product(MATRIX[[row]], table)[0], got[row])
    with threads.limited(3):
        np.testing.assert_array_equal(product(MATRIX, table), got)


def test_a_table_in_any_layout_is_read_right() -> None:
    table = np.asfortranarray(drawn().standard_normal((70, 5)).astype(np.float32))
    np.testing.assert_array_equal(product(MATRIX, table), product(MATRIX, table.copy()))
    assert product(Interactions.empty(0, 70).matrix(), table).shape == (0, 5)


@pytest.mark.parametrize("dim", [1, 5, 40])
def test_values_and_vectors_are_those_of_the_dense_decomposition(dim: int) -> None:
    _, values, items = np.linalg.svd(MATRIX.toarray().astype(np.float64), full_matrices=False)
    got = svd.truncated(MATRIX, dim, drawn())
    np.testing.assert_allclose(got.values, values[:dim], rtol=1e-5)
    likeness = np.abs(np.einsum("id,di->d", got.items.astype(np.float64), items[:dim]))
    np.testing.assert_allclose(likeness, 1, atol=1e-4)
    np.testing.assert_allclose(got.items.T @ got.items, np.eye(dim), atol=1e-5)


def test_the_largest_entry_of_each_vector_is_positive() -> None:
    for seed in (0, 1):
        items = svd.truncated(MATRIX, 12, drawn(seed)).items
        assert (items[np.abs(items).argmax(axis=0), np.arange(12)] > 0).all()


def test_other_draws_give_the_same_directions() -> None:
    one, two = (svd.truncated(MATRIX, 12, drawn(seed)).items for seed in (0, 1))
    assert not np.array_equal(one, two)
    np.testing.assert_allclose(one, two, atol=1e-3)


def test_no_number_of_threads_changes_a_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    qr, seen = np.linalg.qr, []

    def watched(directions: object) -> object:
        seen.extend(pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas")
        return qr(directions)

    monkeypatch.setattr(np.linalg, "qr", watched)
    found = []
    for count in (1, 3):
        with threads.limited(count):
            found.append(svd.truncated(MATRIX, 12, drawn()))
    np.testing.assert_array_equal(found[0].items, found[1].items)
    np.testing.assert_array_equal(found[0].values, found[1].values)
    assert set(seen) == {1}


def test_directions_that_a_matrix_does_not_have_are_zeros() -> None:
    """Three directions are there and five asked for; an item without entries is in none of them."""
    parts = drawn().random((40, 3)) @ drawn(1).random((3, 30))
    parts[:, 7] = 0
    got = svd.truncated(csr_array(parts.astype(np.float32)), 5, drawn())
    assert (got.values[:3] > 0).all()
    assert not got.values[3:].any()
    assert not got.items[:, 3:].any()
    assert not got.items[7].any()
    np.testing.assert_allclose(parts @ got.items @ got.items.T, parts, atol=1e-4)


@pytest.mark.parametrize("shape", [SimpleNamespace(users=3, items=9), SimpleNamespace(users=9, items=3),
                                   SimpleNamespace(users=4, items=4)], ids=["wide", "tall", "empty"])
def test_a_matrix_smaller_than_what_is_asked_for_is_padded(shape: SimpleNamespace) -> None:
    full = shape.users != shape.items
    dense = drawn().random((shape.users, shape.items)).astype(np.float32) * full
    got = svd.truncated(csr_array(dense), 20, drawn())
    assert got.values.shape == (20,)
    assert got.items.shape == (shape.items, 20)
    assert np.count_nonzero(got.values) == 3 * full
    np.testing.assert_allclose(dense @ got.items @ got.items.T, dense, atol=1e-5)
