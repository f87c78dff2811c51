"""EASE: each column is a ridge regression, float32 is good enough, and nothing but one matrix is held."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest

from matinee.contract import Masks, Queries, Run
from matinee.data.interactions import Interactions
from matinee.data.load import load
from matinee.errors import ModelError
from matinee.models.ease import EASE
from matinee.numerics import inverse
from tests.models.test_item_knn import dataset
from tests.numerics.logs import random_log
from tests.reference import item_item as reference


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("dropout", [0.0, 0.3])
@pytest.mark.parametrize(("precision", "near"), [("float32", 1e-4), ("float64", 1e-6)])
def test_each_column_is_the_ridge_regression_of_an_item_on_all_others(
    weighted: bool, precision: Any, near: float, dropout: float
) -> None:
    log = random_log(8, 90, 35, 900, weighted=weighted)
    weights = EASE(l2=20.0, dropout=dropout, precision=precision).fit(dataset(log)).weights
    want = reference.ease(log, 20.0, dropout)
    np.testing.assert_allclose(weights, want, atol=near * np.abs(want).max(), rtol=0)
    assert weights.dtype == np.float32
    assert not weights.diagonal().any()


def test_float32_gives_all_but_one_in_a_thousand_users_the_top_ten_of_float64() -> None:
    films = load("embedded:movietweetings")
    queries, masks = Queries.of(films.log), Masks(films.log.indptr, films.log.items)
    low, high = (EASE(precision=name).fit(films).top_block(queries, 10, masks)[0] for name in ("float32", "float64"))
    same = (np.sort(low, axis=1) == np.sort(high, axis=1)).all(axis=1)
    assert same.mean() >= 0.999, f"{(~same).sum()} of {len(same)} users get another top ten"


def test_a_ridge_too_small_for_the_precision_is_refused() -> None:
    log = Interactions.from_events(np.repeat(np.arange(9), 2), np.tile([0, 1], 9), n_users=9, n_items=2)
    with pytest.raises(ModelError, match="singular: the matrix cannot be inverted in float32; raise l2, or compute in"):
        EASE(l2=1e-9).fit(dataset(log))
    assert EASE(l2=1e-6, precision="float64").fit(dataset(log)).weights[0, 1] == pytest.approx(1)


def test_a_fit_holds_one_matrix_of_items_by_items(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inverse, "BLOCK", 64)
    films = dataset(random_log(9, 300, 1_500, 20_000, weighted=False))
    EASE().fit(films)  # compiled before the count begins
    tracemalloc.start()
    EASE().fit(films, Run(threads=2))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    one = 4 * 1_500**2
    assert peak < 1.5 * one, f"{peak / one:.2f} matrices"
