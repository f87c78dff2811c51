"""Bootstrap intervals: known answers, exactness, sharing of draws."""

from __future__ import annotations

import math

import numpy as np
import pytest

from matinee.evaluation import uncertainty
from matinee.evaluation.uncertainty import intervals, mean, resampled_sums


def everybody(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.arange(len(values)), values.reshape(len(values), -1)


def test_the_interval_of_a_share_is_the_textbook_s() -> None:
    values = np.zeros(10_000)
    values[:3000] = 1
    found, = intervals([everybody(values)], 10_000, seed=0)
    half = 1.96 * np.sqrt(0.3 * 0.7 / 10_000)
    assert found[0].tolist() == pytest.approx([0.3 - half, 0.3 + half], abs=0.0007)


def test_equal_values_have_an_interval_of_no_width() -> None:
    found, = intervals([everybody(np.full((50, 2), 1 / 3))], 50, seed=0)
    assert found == pytest.approx(1 / 3, abs=1e-12)
    assert (found[:, 0] <= 1 / 3).all()
    assert (found[:, 1] >= 1 / 3).all()


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(3)
    samples = rng.random((200, 300)) ** 3  # 300 experiments of 200 users, mean 1/4
    found = intervals([everybody(samples)], 200, seed=1)[0]
    share = np.mean((found[:, 0] <= 0.25) & (found[:, 1] >= 0.25))
    assert 0.90 <= share <= 0.985


def test_the_seed_decides_the_draws_and_no_global_state_is_touched() -> None:
    values = np.random.default_rng(0).random(500)
    np.random.seed(5)  # noqa: NPY002 - the global state is what is watched
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    first, again, other = (intervals([everybody(values)], 500, seed)[0].tolist() for seed in (1, 1, 2))
    assert first == again != other
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002


def test_columns_groups_and_blocks_share_one_set_of_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(0).random((300, 3))
    half = np.arange(0, 300, 2)
    together = intervals([everybody(values), (half, values[half])], 300, seed=4, resamples=100)
    assert intervals([everybody(values[:, 1])], 300, seed=4, resamples=100)[0].tolist() == together[0][1:2].tolist()
    assert intervals([(half, values[half])], 300, seed=4, resamples=100)[0].tolist() == together[1].tolist()
    monkeypatch.setattr(uncertainty, "_BLOCK", 700)
    assert intervals([everybody(values)], 300, seed=4, resamples=100)[0].tolist() == together[0].tolist()


def test_a_group_s_interval_is_of_its_own_mean() -> None:
    values = np.random.default_rng(0).normal(0.5, 0.1, (4000, 1))
    part = np.flatnonzero(values[:, 0] > 0.6)
    _, found = intervals([everybody(values), (part, values[part])], 4000, seed=0)
    centre, half = values[part].mean(), 1.96 * values[part].std() / np.sqrt(len(part))
    assert found[0].tolist() == pytest.approx([centre - half, centre + half], abs=half / 4)


def test_one_user_has_no_interval_and_two_have() -> None:
    values = np.array([[0.0], [1.0], [0.5]])
    one, two = intervals([(np.array([1]), values[:1]), (np.array([0, 2]), values[1:])], 3, seed=0)
    assert one is None
    assert two.tolist() == [[0.5, 1.0]]


def test_sums_are_exact_so_how_they_are_computed_changes_no_bit() -> None:
    columns = np.random.default_rng(0).random((5000, 40)) * np.logspace(-9, 9, 40)
    sums = resampled_sums(columns, seed=0, resamples=20)
    other = np.random.default_rng(1).permutation(40)
    assert (resampled_sums(columns[:, other], seed=0, resamples=20) == sums[:, other]).all()
    assert (resampled_sums(columns[:, 3:4], seed=0, resamples=20) == sums[:, 3:4]).all()
    grid = uncertainty._on_grid(columns)
    draws = np.random.default_rng([uncertainty._STREAM, 0])
    drawn = draws.integers(0, 5000, 5000, np.uint32)
    for column in (0, 20, 39):
        assert sums[0, column] == math.fsum(grid[drawn, column])  # fsum rounds once, and here has nothing to round
    assert (np.abs(grid - columns) <= columns.max(axis=0) * 2.0**-38).all()


def test_the_mean_does_not_depend_on_the_order() -> None:
    values = np.random.default_rng(0).random(10_001)
    assert mean(values) == mean(np.sort(values)) == mean(values[::-1])
    assert mean(np.ones(7)) == 1
