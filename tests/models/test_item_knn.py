"""Item kNN: the weights of its slow twin, and no matrix of items by items on the way."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from matinee.contract import Queries, Run
from matinee.data.columns import Features
from matinee.data.dataset import Dataset
from matinee.data.ids import Vocabulary
from matinee.data.interactions import Interactions
from matinee.models.item_knn import ItemKNN
from tests.numerics.logs import random_log
from tests.reference import item_item as reference


def dataset(log: Interactions) -> Dataset:
    ids = (Vocabulary.of(f"{n:07}" for n in range(count)) for count in (log.n_users, log.n_items))
    return Dataset(log, *ids, Features(log.n_items), Features(log.n_users))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("neighbours", "shrink"), [(4, 0.0), (7, 3.0), (500, 1.0)])
def test_scores_are_those_of_the_slow_twin(weighted: bool, neighbours: int, shrink: float) -> None:
    log = random_log(6, 80, 40, 700, weighted=weighted)
    scorer = ItemKNN(neighbours=neighbours, shrink=shrink, similarity="cosine").fit(dataset(log))
    want = reference.scores(reference.item_knn(log, neighbours, shrink).astype(np.float32), log)
    np.testing.assert_allclose(scorer.score(Queries.of(log)), want, rtol=1e-5, atol=1e-6)


SIMILARITIES = [("cosine", 0.5), ("asymmetric_cosine", 0.2), ("asymmetric_cosine", 1.0), ("asymmetric_cosine", 0.5),
                ("jaccard", 0.5), ("tfidf", 0.5), ("bm25", 0.5)]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("similarity", "alpha"), SIMILARITIES)
@pytest.mark.parametrize(("neighbours", "shrink"), [(4, 0.0), (500, 3.0)])
def test_every_similarity_is_that_of_the_slow_twin(
    weighted: bool, similarity: str, alpha: float, neighbours: int, shrink: float
) -> None:
    log = random_log(16, 40, 25, 300, weighted=weighted)
    recipe = ItemKNN(neighbours=neighbours, shrink=shrink, similarity=similarity, alpha=alpha)
    got = [recipe.fit(dataset(log), Run(threads=threads)).score(Queries.of(log)) for threads in (1, 3)]
    want = reference.scores(reference.item_knn(log, neighbours, shrink, similarity, alpha).astype(np.float32), log)
    np.testing.assert_allclose(got[0], want, rtol=2e-5, atol=1e-6)
    np.testing.assert_array_equal(got[1], got[0])


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("pool", ["max", "mean"])
def test_the_largest_and_the_mean_of_what_is_said_are_those_of_the_slow_twin(weighted: bool, pool: str) -> None:
    log = random_log(17, 60, 30, 400, weighted=weighted)
    scorer = ItemKNN(neighbours=4, shrink=1.0, similarity="cosine", aggregate=pool).fit(dataset(log))
    want = reference.pooled(reference.item_knn(log, 4, 1.0), log, pool)
    np.testing.assert_allclose(scorer.score(Queries.of(log)), want, rtol=1e-5, atol=1e-6)


def test_a_row_that_is_normalised_sums_to_one() -> None:
    log = random_log(18, 60, 30, 400, weighted=True)
    plain, normalised = (ItemKNN(neighbours=4, normalise=how).fit(dataset(log)) for how in ("none", "row"))
    for item in range(30):
        mine = slice(plain.indptr[item], plain.indptr[item + 1])
        weights = plain.weights[mine].astype(float)
        np.testing.assert_allclose(normalised.weights[mine], weights / weights.sum() if len(weights) else weights, 1e-6)


def test_an_item_nobody_touched_is_nobodys_neighbour() -> None:
    log = Interactions.from_events([0, 0, 1, 1], [0, 1, 0, 1], n_users=2, n_items=4)
    scorer = ItemKNN(neighbours=10).fit(dataset(log))
    assert scorer.targets.tolist() == [1, 0]
    assert scorer.score(Queries.of(log))[:, 2:].tolist() == [[0, 0], [0, 0]]


def test_the_memory_of_a_fit_does_not_grow_with_items_squared() -> None:
    log = random_log(7, 2_000, 6_000, 10_000, weighted=False)
    data = dataset(log)
    ItemKNN(neighbours=5).fit(data)  # compiled before the count begins
    tracemalloc.start()
    ItemKNN(neighbours=5).fit(data, Run(threads=2))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4e6, f"{peak / 1e6:.1f} MB where the dense matrix would take 144 MB"
