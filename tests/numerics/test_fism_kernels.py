"""The kernels of FISM: gradients as finite differences have them, negatives that nobody had, the same bits always."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from matinee.data.interactions import Interactions
from matinee.numerics import adam, fism, threads
from tests.numerics.logs import random_log
from tests.reference import factors as reference

USERS, ITEMS, DIM = 40, 30, 5
LOG = random_log(3, USERS, ITEMS, 260, weighted=True)
MATRIX = LOG.matrix()
L2 = 0.03


def tables(scale: float = 0.5) -> fism.Tables:
    rng = np.random.default_rng(1)
    shapes = (ITEMS, DIM), (ITEMS, DIM), (ITEMS, 1), (USERS, 1)
    return fism.Tables(*(rng.normal(0, scale, shape).astype(np.float32) for shape in shapes))


def batch(users: NDArray[np.int64] = np.arange(3, 33), key: int = 5) -> fism.Batch:
    return fism.drawn(MATRIX, users, 3, key)


@pytest.mark.parametrize("pairwise", [False, True])
@pytest.mark.parametrize("exponent", [0.0, 0.6, 1.0])
def test_the_loss_is_that_of_the_slow_twin(pairwise: bool, exponent: float) -> None:
    lost, _ = fism.gradients(tables(), batch(), exponent=exponent, pairwise=pairwise, l2=L2)
    want = reference.fism_loss(LOG, tables(), batch(), exponent=exponent, pairwise=pairwise, l2=L2)
    assert lost == pytest.approx(want, rel=1e-5)


@pytest.mark.parametrize("pairwise", [False, True])
@pytest.mark.parametrize("exponent", [0.0, 0.6, 1.0])
def test_gradients_are_finite_differences_of_the_slow_twin(pairwise: bool, exponent: float) -> None:
    """Of every number of every table; float64, so that small steps tell."""
    _, got = fism.gradients(tables(), batch(), exponent=exponent, pairwise=pairwise, l2=L2)
    start = [table.astype(np.float64) for table in tables()]

    def loss(at: int, place: tuple[int, ...], by: float) -> float:
        moved = [table.copy() for table in start]
        moved[at][place] += by
        return reference.fism_loss(LOG, moved, batch(), exponent=exponent, pairwise=pairwise, l2=L2)

    rng = np.random.default_rng(0)
    for at, gradient in enumerate(got):
        rows = np.arange(3, 33) if at == 3 else np.arange(ITEMS)
        places = [(row, column) for row in range(len(rows)) for column in range(gradient.shape[1])]
        for row, column in rng.permutation(places)[:30]:
            place = (int(rows[row]), int(column))
            want = (loss(at, place, 1e-5) - loss(at, place, -1e-5)) / 2e-5
            assert gradient[row, column] == pytest.approx(want, rel=1e-3, abs=1e-3), (at, place)


def test_a_table_that_a_batch_does_not_touch_has_no_gradient() -> None:
    one = batch(np.array([7]))
    _, got = fism.gradients(tables(), one, exponent=0.5, pairwise=False, l2=L2)
    touched = set(one.samples.reshape(-1).tolist())
    own = set(one.samples[:, 0].tolist())
    assert {item for item in range(ITEMS) if got.decode[item].any() or got.bias[item].any()} == touched
    assert {item for item in range(ITEMS) if got.encode[item].any()} == own


def test_negatives_are_what_the_user_did_not_have_and_all_of_it_comes_up() -> None:
    found: dict[int, set[int]] = {user: set() for user in range(USERS)}
    for key in range(60):
        made = fism.drawn(MATRIX, np.arange(USERS), 3, key)
        for user in range(USERS):
            found[user] |= set(made.samples[made.starts[user] : made.starts[user + 1], 1:].reshape(-1).tolist())
    for user in range(USERS):
        mine = set(MATRIX.indices[MATRIX.indptr[user] : MATRIX.indptr[user + 1]].tolist())
        assert found[user] == (set(range(ITEMS)) - mine if mine else set())


def test_negatives_are_alike_likely() -> None:
    few = Interactions.from_events(np.zeros(3), [0, 4, 7], n_users=1, n_items=10).matrix()
    counts = np.zeros(10)
    for key in range(500):
        np.add.at(counts, fism.drawn(few, np.array([0]), 5, key).samples[:, 1:], 1)
    assert not counts[[0, 4, 7]].any()
    others = np.delete(counts, [0, 4, 7])
    assert others.sum() == 7_500
    assert abs(others - 7_500 / 7).max() < 4 * np.sqrt(7_500 / 7)


def test_one_who_had_everything_gets_no_negatives_and_is_learnt_from_all_the_same() -> None:
    everything = Interactions.from_events(np.zeros(4), np.arange(4), n_users=1, n_items=4).matrix()
    made = fism.drawn(everything, np.array([0]), 2, 1)
    assert made.samples.tolist() == [[item, -1, -1] for item in range(4)]
    small = fism.Tables(*(table[:4] for table in tables()))
    lost, got = fism.gradients(small, made, exponent=0.5, pairwise=False, l2=0)
    assert lost > 0
    assert got.encode.any()
    assert fism.gradients(small, made, exponent=0.5, pairwise=True, l2=0)[0] == 0


def test_draws_hang_on_the_key_and_the_user_alone() -> None:
    together = batch()
    order = np.random.default_rng(0).permutation(np.arange(3, 33))
    shuffled = batch(order)
    for place, user in enumerate(order):
        mine = shuffled.samples[shuffled.starts[place] : shuffled.starts[place + 1]]
        at = int(user) - 3
        np.testing.assert_array_equal(mine, together.samples[together.starts[at] : together.starts[at + 1]])
    assert not np.array_equal(batch(key=6).samples, together.samples)


@pytest.mark.parametrize("pairwise", [False, True])
def test_threads_change_no_bit(pairwise: bool) -> None:
    found = []
    for count in (1, 3):
        with threads.limited(count):
            lost, got = fism.gradients(tables(), batch(), exponent=0.5, pairwise=pairwise, l2=L2)
            found.append([np.array(lost), *got])
    for one, two in zip(*found, strict=True):
        np.testing.assert_array_equal(one, two)


def test_steps_are_those_of_adam_and_leave_other_rows_alone() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(300, 3)).astype(np.float32)
    gradients = rng.normal(size=(4, 300, 3)).astype(np.float32)
    gradients[:, 5] = 0
    want, mean, square = values.astype(np.float64), 0.0, 0.0
    for times, gradient in enumerate(gradients.astype(np.float64), 1):
        mean, square = 0.9 * mean + 0.1 * gradient, 0.999 * square + 0.001 * gradient**2
        want -= 0.1 * np.sqrt(1 - 0.999**times) / (1 - 0.9**times) * mean / (np.sqrt(square) + 1e-8)
    rows = np.random.default_rng(1).permutation(300)[:200]
    for some in (None, rows):
        got = values.copy()
        moments = adam.Moments.of(got)
        for times, gradient in enumerate(gradients, 1):
            adam.step(got, gradient if some is None else gradient[some], moments, lr=0.1, times=times, rows=some)
        moved = np.arange(300) if some is None else some
        np.testing.assert_allclose(got[moved], want[moved], rtol=1e-4, atol=1e-5)
        others = np.setdiff1d(np.arange(300), moved)
        np.testing.assert_array_equal(got[others], values[others])
