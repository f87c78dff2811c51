"""Pairwise steps: the slow twin takes the same ones, they go down the gradient, and draws are what they should be."""

from __future__ import annotations

from itertools import pairwise as neighbours

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_array

from matinee.numerics import pairwise
from matinee.numerics.draws import WHOLE, Urn, fingerprints, urn
from matinee.numerics.threads import limited
from tests.numerics.logs import random_log
from tests.reference import bpr as reference

U, I, D, T = 40, 30, 5, 3
RULES = [(1, False), (4, False), (6, True)]
rules = pytest.mark.parametrize(("candidates", "warp"), RULES, ids=["bpr", "dynamic", "warp"])


def started(n_users: int = U, n_items: int = I, scale: float = 0.5) -> tuple[NDArray[np.float32], pairwise.Items]:
    rng = np.random.default_rng(2)
    users, items = (scale * rng.standard_normal((n, D), np.float32) for n in (n_users, n_items))
    biases = scale * rng.standard_normal(n_items, np.float32)
    return users, pairwise.Items(items.reshape(-1), biases, pairwise.phi(n_items))


def rule(candidates: int, warp: bool, *, lr: float = 0.3, l2: float = 0.05) -> pairwise.Rule:
    return pairwise.Rule(np.float32(lr), np.float32(l2), candidates, warp, 1, 0, True)


@rules
def test_two_epochs_are_those_of_the_slow_twin(candidates: int, warp: bool) -> None:
    log = random_log(5, U, I, 500, weighted=True).matrix()
    weights = np.bincount(log.indices, minlength=I) ** 0.75
    users, items = started()
    twin = reference.Model(users.astype(float), items.vectors.reshape(I, D).astype(float), items.biases.astype(float),
                           float(np.float32(0.05)), candidates, warp)
    histories = pairwise.histories(log, 1.5)
    rows = [list(zip(histories.items[a:b].tolist(), histories.visits[a:b].tolist(), strict=True))
            for a, b in neighbours(histories.indptr)]
    for epoch in range(2):
        plan = pairwise.plan(T, np.random.default_rng(epoch), U, weights)
        told = pairwise.descend(plan, histories, users, items, rule(candidates, warp))
        before = twin.loss, twin.steps, twin.skipped
        epoch_of_the_twin(twin, plan, rows)
        assert told[1:] == (twin.steps - before[1], twin.skipped - before[2])
        assert told[0] == pytest.approx(twin.loss - before[0], rel=1e-4)
    np.testing.assert_allclose(users, twin.users, atol=1e-5)
    np.testing.assert_allclose(items.vectors.reshape(I, D), twin.items, atol=1e-5)
    np.testing.assert_allclose(items.biases, twin.biases, atol=1e-5)
    assert twin.steps > 500


def epoch_of_the_twin(twin: reference.Model, plan: pairwise.Plan, rows: list[list[tuple[int, float]]]) -> None:
    parts = [[[pair for pair in row if plan.of_item[pair[0]] == b] for b in range(T)] for row in rows]
    drawable = sum(len(some.thresholds) for some in plan.urns)
    for turn in range(T):
        for a in range(T):
            b = (a + turn) % T
            for user in plan.users[a].tolist():
                free, counter = drawable - len(rows[user]), reference.Counter(int(plan.seeds[b, user]))
                twin.walk(user, parts[user][b], plan.urns[b].items.tolist(), plan.urns[b].thresholds.tolist(), free,
                          counter, float(np.float32(0.3)))
    for row, part in zip(rows, parts, strict=True):
        row[:] = [pair for some in part for pair in some]


@pytest.mark.parametrize("warp", [False, True])
def test_a_step_goes_down_the_gradient(warp: bool) -> None:
    """One user with one of two items: the kernel's only step, against central differences of the loss."""
    lr, l2 = 1e-3, 0.4
    users, items = started(1, 2)
    users, vectors, biases = (part.astype(np.float64) for part in (users, items.vectors, items.biases))
    point = np.concatenate([users[0], vectors, biases])

    def loss(at: NDArray[np.float64]) -> float:
        x, y, z = at[:D], at[D : 2 * D], at[2 * D : 3 * D]
        ahead = x @ y + at[-2] - x @ z - at[-1]
        phi = 1 / reference.harmonic(2)  # one drawable item is left: rank 1
        return float((phi * max(0, 1 - ahead) if warp else np.log1p(np.exp(-ahead))) + l2 / 2 * (at @ at))

    steps = np.eye(len(point)) * 1e-6
    slope = np.array([(loss(point + step) - loss(point - step)) / 2e-6 for step in steps])
    moved, learnt = started(1, 2)
    plan = pairwise.plan(1, np.random.default_rng(0), 1, np.ones(2))
    histories = pairwise.histories(csr_array(np.array([[1, 0]], np.float32)), 1.0)
    pairwise.descend(plan, histories, moved, learnt, rule(1, warp, lr=lr, l2=l2))
    got = (np.concatenate([moved[0], learnt.vectors, learnt.biases]) - point) / -lr
    assert np.abs(slope).min() > 0.01
    np.testing.assert_allclose(got, slope, atol=2e-3)


@rules
def test_threads_change_no_bit(candidates: int, warp: bool) -> None:
    log = random_log(6, U, I, 500, weighted=False).matrix()
    plan = pairwise.plan(T, np.random.default_rng(0), U, np.ones(I))
    found = []
    for threads in (1, 3):
        users, items = started()
        with limited(threads):
            pairwise.descend(plan, pairwise.histories(log.copy(), 1.0), users, items, rule(candidates, warp))
        found.append(np.concatenate([users.reshape(-1), items.vectors, items.biases]))
    np.testing.assert_array_equal(*found)


def test_who_has_every_item_is_skipped_and_counted_and_nothing_moves() -> None:
    log = csr_array(np.ones((2, 4), np.float32))
    users, items = started(2, 4)
    before = users.copy(), items.vectors.copy(), items.biases.copy()
    plan = pairwise.plan(2, np.random.default_rng(0), 2, np.ones(4))
    assert pairwise.descend(plan, pairwise.histories(log, 1.0), users, items, rule(3, False)) == (0.0, 8, 8)
    for now, was in zip((users, items.vectors, items.biases), before, strict=True):
        np.testing.assert_array_equal(now, was)


def test_a_negative_is_never_had_nor_of_another_block_nor_one_that_nobody_had() -> None:
    """What is had rises at every pass, what is not had falls; what nobody had holds NaN, which would spread."""
    log = csr_array(np.array([[1, 1, 0, 0, 0]], np.float32))
    users, items = started(1, 5)
    items.biases[4] = np.nan  # nobody had it: weight 0
    plan = pairwise.plan(1, np.random.default_rng(0), 1, np.array([1.0, 1, 1, 1, 0]))
    for _ in range(50):
        before = items.biases.copy()
        pairwise.descend(plan, pairwise.histories(log.copy(), 1.0), users, items, rule(2, False, l2=0.0))
        assert (items.biases[:2] > before[:2]).all()
        assert (items.biases[2:4] <= before[2:4]).all()
    assert np.isfinite(users).all()


def test_an_entry_is_visited_in_proportion_to_its_confidence() -> None:
    """On average: 0.25 and 3.1 visits a pass by chance, 2 always."""
    log = csr_array(np.array([[0.25, 2.0, 3.1, 0.0]], np.float32))
    steps = []
    for epoch in range(2_000):
        users, items = started(1, 4)
        plan = pairwise.plan(1, np.random.default_rng(epoch), 1, np.ones(4))
        steps.append(pairwise.descend(plan, pairwise.histories(log.copy(), 1.0), users, items, rule(1, False))[1])
    assert set(steps) == {5, 6, 7}
    assert np.mean(steps) == pytest.approx(5.35, abs=0.05)


def chances(some: Urn) -> dict[int, float]:
    """item -> the share of draws that give it, exactly."""
    n = len(some.thresholds)
    out = dict.fromkeys(range(n), 0.0)
    for place, threshold in enumerate(some.thresholds.tolist()):
        out[int(some.items[place])] += threshold / int(WHOLE) / n
        out[int(some.items[n + place])] += (1 - threshold / int(WHOLE)) / n
    return out


@pytest.mark.parametrize("weights", [np.ones(7), np.arange(1.0, 9), np.array([1e-6, 1.0, 1e6]), np.array([2.0])])
def test_an_urn_holds_items_in_proportion_to_their_weights(weights: NDArray[np.float64]) -> None:
    got = chances(urn(np.arange(len(weights)), weights))
    np.testing.assert_allclose([got[item] for item in range(len(weights))], weights / weights.sum(), atol=1e-8)


def test_phi_is_the_sum_of_inverse_ranks_over_that_of_the_last() -> None:
    np.testing.assert_allclose(pairwise.phi(3), np.array([0, 1, 1.5, 11 / 6]) / (11 / 6), rtol=1e-6)
    assert pairwise.phi(0).tolist() == [0.0]


def test_a_fingerprint_tells_histories_apart_by_items_and_confidences() -> None:
    items = np.array([1, 2, 2, 1, 1, 2, 1, 2, 3], np.int32)
    values = np.array([1, 1, 1, 1, 1, 2, 1, 1, 1], np.float32)
    marks = fingerprints(np.array([0, 2, 4, 6, 9, 9]), items, values)
    assert marks[0] == marks[1]
    assert len(set(marks.tolist())) == 4
