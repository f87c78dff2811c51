"""EASE with pairs: each column is a regression on what does not hold the item, and pairs are counted as they should."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest

from matinee.contract import Masks, Queries, Run
from matinee.data.load import load
from matinee.errors import ModelError
from matinee.models.ease_pairs import EASEPairs
from matinee.numerics import inverse
from matinee.numerics.gram import upper_gram
from matinee.numerics.pairs import most_frequent, with_pairs
from matinee.ranking.topk import top_k
from matinee.scoring.item_pairs import DensePairs
from tests.models.test_item_knn import dataset
from tests.numerics.logs import random_log
from tests.reference import item_item as reference


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("count", [7, 60, 5_000])
def test_the_most_frequent_pairs_are_those_of_the_slow_twin_and_so_are_the_features(weighted: bool, count: int) -> None:
    log = random_log(8, 90, 35, 900, weighted=weighted)
    pairs = most_frequent(upper_gram(log.matrix()), count)
    want = reference.frequent_pairs(log, count)
    assert list(map(tuple, pairs.tolist())) == want
    features = with_pairs(log.matrix(), pairs)
    np.testing.assert_array_equal(features.toarray(), reference.pair_features(log, want).astype(np.float32))
    assert features.has_canonical_format


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("count", [7, 200])
@pytest.mark.parametrize(("precision", "near"), [("float32", 1e-4), ("float64", 1e-6)])
def test_each_column_is_the_regression_on_what_does_not_hold_the_item(
    weighted: bool, count: int, precision: Any, near: float
) -> None:
    log = random_log(8, 90, 35, 900, weighted=weighted)
    scorer = EASEPairs(l2=20.0, l2_pairs=40.0, pairs=count, precision=precision).fit(dataset(log))
    assert isinstance(scorer, DensePairs)
    want = reference.ease_pairs(log, reference.frequent_pairs(log, count), 20.0, 40.0)
    np.testing.assert_allclose(scorer.weights, want, atol=near * np.abs(want).max(), rtol=0)
    for item in range(log.n_items):
        holding = np.flatnonzero((scorer.pairs == item).any(axis=1)) + log.n_items
        assert not scorer.weights[np.append(holding, item), item].any()


def test_scores_are_those_of_items_and_pairs_and_a_block_is_ranked_as_scored() -> None:
    log = random_log(5, 1_200, 90, 9_000, weighted=True)  # more rows than are ranked without tiles
    scorer = EASEPairs(l2=20.0, l2_pairs=40.0, pairs=50).fit(dataset(log))
    queries, masks = Queries.of(log), Masks(log.indptr, log.items)
    features = reference.pair_features(log, list(map(tuple, scorer.pairs.tolist())))
    scores = scorer.score(queries)
    np.testing.assert_allclose(scores, features @ scorer.weights, atol=1e-5)
    for got, want in zip(scorer.top_block(queries, 10, masks), top_k(scores, 10, masks), strict=True):
        np.testing.assert_array_equal(got, want)


def test_float32_gives_all_but_one_in_a_thousand_users_the_top_ten_of_float64() -> None:
    films = load("embedded:movietweetings")
    queries, masks = Queries.of(films.log), Masks(films.log.indptr, films.log.items)
    low, high = (EASEPairs(precision=name, pairs=300).fit(films).top_block(queries, 10, masks)[0]
                 for name in ("float32", "float64"))
    same = (np.sort(low, axis=1) == np.sort(high, axis=1)).all(axis=1)
    assert same.mean() >= 0.999, f"{(~same).sum()} of {len(same)} users get another top ten"


def test_a_fit_holds_what_its_formula_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inverse, "BLOCK", 64)
    films = dataset(random_log(9, 300, 900, 9_000, weighted=False))
    recipe = EASEPairs(pairs=600)
    recipe.fit(films)  # compiled before the count begins
    tracemalloc.start()
    recipe.fit(films, Run(threads=2))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1.2 * (4 * 1_500**2 + 4 * 1_500 * 900)


def test_pairs_that_do_not_fit_their_weights_are_refused() -> None:
    weights = np.zeros((4, 3), np.float32)
    with pytest.raises(ModelError, match=r"\(2, 2\) pairs for weights of shape \(4, 3\)"):
        DensePairs(np.array([[0, 1], [0, 2]], np.int32), weights)
    for wrong in ([[1, 0]], [[0, 3]], [[-1, 2]], [[2, 2]]):
        with pytest.raises(ModelError, match="pairs must ascend, each of two of 3 items, the smaller first"):
            DensePairs(np.array(wrong, np.int32), weights)
    with pytest.raises(ModelError, match="pairs must ascend"):
        DensePairs(np.array([[0, 2], [0, 1]], np.int32), np.zeros((5, 3), np.float32))
    with pytest.raises(ModelError, match="weight 5 is nan"):
        DensePairs(np.array([[0, 1]], np.int32), np.where(np.arange(12) == 5, np.nan, 0).astype("f4").reshape(4, 3))
