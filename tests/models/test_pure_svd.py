"""PureSVD: the projection of the dense decomposition, of users known and new."""

from __future__ import annotations

import numpy as np
import pytest

from matinee.contract import Queries, Run
from matinee.models.pure_svd import PureSVD
from tests.models.test_item_knn import dataset
from tests.numerics.logs import random_log
from tests.reference import factors as reference


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("dim", "damping"), [(1, 0.0), (8, 0.5), (20, 1.0)])
def test_scores_are_those_of_the_slow_twin(weighted: bool, dim: int, damping: float) -> None:
    log = random_log(5, 120, 45, 1_500, weighted=weighted)
    got = PureSVD(dim=dim, damping=damping).fit(dataset(log)).score(Queries.of(log))
    np.testing.assert_allclose(got, reference.pure_svd(log, dim, damping), atol=1e-3)


def test_a_user_of_the_log_stands_where_the_decomposition_put_him() -> None:
    log = random_log(5, 120, 45, 1_500, weighted=False)
    _, values, _ = np.linalg.svd(reference.dense(log))
    stands = PureSVD(dim=6, damping=0.0).fit(dataset(log)).vectors(Queries.of(log))
    np.testing.assert_allclose(np.linalg.norm(stands, axis=0), values[:6], rtol=1e-4)


def test_all_directions_give_the_history_back() -> None:
    log = random_log(5, 120, 45, 1_500, weighted=True)
    got = PureSVD(dim=60, damping=0.7).fit(dataset(log)).score(Queries.of(log))
    np.testing.assert_allclose(got, reference.dense(log), atol=1e-4)


def test_threads_change_no_bit_and_an_item_nobody_had_scores_zero() -> None:
    log = random_log(5, 120, 45, 1_500, weighted=True)
    log = log.select(log.items != 17)
    one, two = (PureSVD(dim=6).fit(dataset(log), Run(threads=threads)) for threads in (1, 3))
    np.testing.assert_array_equal(one.decode, two.decode)
    assert not one.score(Queries.of(log))[:, 17].any()
