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
    scorer = ItemKNN(neighbours=neighbours, shrink=shrink).fit(dataset(log))
    want = reference.scores(reference.item_knn(log, neighbours, shrink).astype(np.float32), log)
    np.testing.assert_allclose(scorer.score(Queries.of(log)), want, rtol=1e-5, atol=1e-6)


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
