"""Drawn negatives: real items, never the user's own, and as likely as asked."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from matinee.data.candidates import Candidates
from matinee.data.interactions import Interactions
from matinee.errors import DataError
from matinee.nn.negatives import Sampler, of_candidates, shared_allowed, unseen


def log_of(histories: list[list[int]], n_items: int) -> Interactions:
    users = np.repeat(np.arange(len(histories)), [len(items) for items in histories])
    return Interactions.from_events(users, [i for items in histories for i in items], n_users=len(histories),
                                    n_items=n_items)


@st.composite
def logs(draw: st.DrawFn) -> Interactions:
    n_items = draw(st.integers(1, 12))
    item = st.integers(0, n_items - 1)
    return log_of(draw(st.lists(st.lists(item, max_size=20), min_size=1, max_size=6)), n_items)


@settings(deadline=None)
@given(logs(), st.sampled_from([0.0, 0.5, 1.0]), st.integers(0, 5), st.integers(0, 99), st.data())
def test_negatives_are_real_and_unseen(log: Interactions, alpha: float, k: int, seed: int, data: st.DataObject) -> None:
    counts = log.item_counts()
    users = np.array(data.draw(st.lists(st.integers(0, log.n_users - 1), max_size=8)), np.int64)
    if not counts.any():
        return
    got = unseen(Sampler(counts, alpha), log, users, k, np.random.default_rng(seed))
    assert got.shape == (len(users), k)
    assert got.dtype == np.int64
    real = set(np.flatnonzero(counts).tolist())
    for user, row in zip(users, got, strict=True):
        free = real - set(log.take(np.array([user])).items.tolist())
        assert set(row.tolist()) <= (free or {-1})


@settings(deadline=None)
@given(logs(), st.data())
def test_shared_negatives_are_allowed_where_the_user_has_not_the_item(log: Interactions, data: st.DataObject) -> None:
    users = np.array(data.draw(st.lists(st.integers(0, log.n_users - 1), max_size=8)), np.int64)
    items = np.array(data.draw(st.lists(st.integers(0, log.n_items - 1), max_size=8)), np.int64)
    got = shared_allowed(log, users, items)
    own = [set(log.take(np.array([user])).items.tolist()) for user in users]
    assert got.tolist() == [[item not in has for item in items.tolist()] for has in own]


COUNTS = np.array([0, 1, 16, 81, 256, 0, 4])


@pytest.mark.parametrize("alpha", [0.0, 0.25, 0.5, 1.0])
def test_draws_are_as_likely_as_counts_to_the_power(alpha: float) -> None:
    sampler, n = Sampler(COUNTS, alpha), 40_000
    drawn = np.bincount(sampler.draw((n // 4, 4), np.random.default_rng(3)).reshape(-1), minlength=7)
    weights = np.where(COUNTS > 0, COUNTS.astype(float) ** alpha, 0)
    expected = n * weights / weights.sum()
    assert not drawn[COUNTS == 0].any()
    assert chisquare(drawn[COUNTS > 0], expected[COUNTS > 0]).pvalue > 0.01
    np.testing.assert_allclose(np.exp(sampler.log_q), expected / n, rtol=1e-5)


@pytest.mark.parametrize("histories", [[[4, 1]], [[4, 3, 2, 2]]])
def test_unseen_ones_are_as_likely_among_what_is_left(histories: list[list[int]]) -> None:
    """The second user has all but a ninetieth of the draws: many come from the exact rest."""
    log, n = log_of(histories, 7), 20_000
    drawn = np.bincount(unseen(Sampler(COUNTS, 1), log, np.zeros(n // 5, np.int64), 5, np.random.default_rng(3))
                        .reshape(-1), minlength=7)
    free = (COUNTS > 0) & ~np.isin(np.arange(7), histories[0])
    assert not drawn[~free].any()
    assert chisquare(drawn[free], n * COUNTS[free] / COUNTS[free].sum()).pvalue > 0.01


def test_the_same_generator_draws_the_same() -> None:
    log, sampler = log_of([[0, 1], [2]], 7), Sampler(COUNTS, 0.75)
    rows = [unseen(sampler, log, np.array([0, 1, 1]), 50, np.random.default_rng(seed)) for seed in (1, 1, 2)]
    assert np.array_equal(rows[0], rows[1])
    assert not np.array_equal(rows[0], rows[2])


def test_nothing_can_be_drawn_of_nothing() -> None:
    with pytest.raises(DataError, match="no item"):
        Sampler(np.zeros(3, np.int64), 0.5).draw(2, np.random.default_rng(0))


def test_hard_negatives_are_the_candidates_of_their_own_user() -> None:
    items = np.array([[4, 2, -1], [-1, -1, -1], [7, 8, 9]], np.int32)
    none = np.zeros((3, 3, 1))
    found = Candidates(np.array([1, 3, 4]), items, none.astype(np.float32), none.astype(np.int32),
                       np.zeros((3, 3), bool), ("first",), 3)
    users = np.repeat([0, 1, 3, 4, 5], 200)  # 0 and 5 have no row, 3 an empty one
    got = of_candidates(found, users, 2, np.random.default_rng(0)).reshape(5, -1)
    assert [set(row.tolist()) for row in got] == [{-1}, {2, 4}, {-1}, {7, 8, 9}, {-1}]
    assert chisquare(np.bincount(got[3])[7:]).pvalue > 0.001
