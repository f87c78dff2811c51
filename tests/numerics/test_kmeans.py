"""k-means: Lloyd's steps are the slow twin's, the start is k-means++, and threads change no bit."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from matinee.errors import UsageError
from matinee.numerics import kmeans as fast
from matinee.numerics.threads import limited
from tests.reference import kmeans as reference


def blobs(seed: int, each: int = 40, dim: int = 5) -> NDArray[np.float32]:
    """Six clouds, well apart, their rows mixed."""
    rng = np.random.default_rng(seed)
    middles = 20 * np.eye(6, dim) + 20 * np.eye(6, dim, -1)
    rows = np.repeat(middles, each, axis=0) + rng.standard_normal((6 * each, dim))
    return rng.permutation(rows).astype(np.float32)


@pytest.mark.parametrize("rounds", [1, 3, 100])
def test_lloyd_is_the_slow_twin(rounds: int) -> None:
    rows = np.random.default_rng(1).standard_normal((120, 7)).astype(np.float32)
    got = fast.lloyd(rows, rows[:9], rounds=rounds)
    centres, labels, inertia = reference.lloyd(rows, rows[:9], rounds)
    np.testing.assert_allclose(got.centres, centres, rtol=1e-5, atol=1e-6)
    assert got.labels.tolist() == labels
    assert got.inertia == pytest.approx(inertia, rel=1e-5)


def test_empty_clusters_move_to_the_farthest_rows_one_each() -> None:
    rows = np.array([[0], [1], [2], [30], [50]], np.float32)
    start = np.array([[1], [900], [950]], np.float32)
    got = fast.lloyd(rows, start, rounds=1)
    centres, labels, _ = reference.lloyd(rows, start, 1)
    assert got.centres.ravel().tolist() == centres.ravel().astype(np.float32).tolist() == [np.float32(16.6), 50, 30]
    assert got.labels.tolist() == labels == [0, 0, 0, 2, 1]


def test_clouds_are_told_apart() -> None:
    rows = blobs(2)
    found = fast.kmeans(rows, 6, np.random.default_rng(0))
    assert np.bincount(found.labels).tolist() == [40] * 6
    assert found.inertia < 1.3 * len(rows) * rows.shape[1]


def test_the_start_is_drawn_by_squared_distance() -> None:
    rows = np.array([[0.0], [1.0], [3.0]], np.float32)
    second = {0: [0, 1, 9], 1: [1, 0, 4], 2: [9, 4, 0]}
    seen = np.zeros((3, 3))
    for seed in range(3_000):
        first, other = fast.scattered(rows, 2, np.random.default_rng(seed)).ravel()
        seen[[0, 1, 3].index(first), [0, 1, 3].index(other)] += 1
    for at, gaps in second.items():
        np.testing.assert_allclose(seen[at] / seen[at].sum(), np.array(gaps) / sum(gaps), atol=0.05)


def test_threads_change_no_bit() -> None:
    rows = np.random.default_rng(3).standard_normal((2_000, 16)).astype(np.float32)
    found = []
    for threads in (1, 2):
        with limited(threads):
            found.append(fast.kmeans(rows, 20, np.random.default_rng(4)))
    one, two = found
    assert np.array_equal(one.centres, two.centres)
    assert np.array_equal(one.labels, two.labels)
    assert one.inertia == two.inertia


def test_a_row_has_the_same_distances_alone() -> None:
    rows = np.random.default_rng(5).standard_normal((300, 6)).astype(np.float32)
    together = fast.squared_distances(rows, rows[:11])
    assert np.array_equal(fast.squared_distances(rows[7:8], rows[:11]), together[7:8])
    assert together[7, 3] == pytest.approx(((rows[7] - rows[3]).astype(float) ** 2).sum(), rel=1e-5)


def test_fewer_different_rows_than_clusters_leave_some_empty() -> None:
    rows = np.repeat(np.array([[1, 0], [0, 1]], np.float32), 5, axis=0)
    found = fast.kmeans(rows, 4, np.random.default_rng(0))
    assert found.inertia == 0
    assert len(np.unique(found.labels)) == 2


@pytest.mark.parametrize("k", [0, 11])
def test_a_number_of_clusters_that_cannot_be_is_refused(k: int) -> None:
    with pytest.raises(UsageError, match=f"bad-clusters: {k} clusters of 10 rows were asked for; ask for 1 to 10"):
        fast.kmeans(np.zeros((10, 2), np.float32), k, np.random.default_rng(0))
