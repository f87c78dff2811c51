"""Rank correlation against SciPy's and by hand, and when it says nothing."""

from __future__ import annotations

import math
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from matinee.errors import DataError
from matinee.evaluation.rank_agreement import agreement

figures = st.lists(st.tuples(st.integers(-4, 4), st.integers(-4, 4)), min_size=2, max_size=9)


@given(figures)
@settings(max_examples=25, deadline=None)
def test_both_coefficients_are_scipys_ties_included(pairs: list[tuple[int, int]]) -> None:
    x, y = (np.array(column, float) for column in zip(*pairs, strict=True))
    found = agreement(x.tolist(), y.tolist())
    if len(set(x)) == 1 or len(set(y)) == 1:
        assert math.isnan(found.spearman.value)
        assert (str(found.kendall), found.kendall.p, found.verdict) == ("none", 1.0, "cannot tell")
        return
    assert found.spearman.value == pytest.approx(stats.spearmanr(x, y).statistic)
    assert found.kendall.value == pytest.approx(stats.kendalltau(x, y).statistic)
    for one in (found.spearman, found.kendall):
        assert -1 <= one.low <= one.value <= one.high <= 1
        assert 0 < one.p <= 1
    flipped = agreement(x.tolist(), (-y).tolist())
    assert flipped.spearman.value == pytest.approx(-found.spearman.value)
    assert flipped.spearman.p == pytest.approx(found.spearman.p, abs=1e-9 if len(x) <= 7 else 0.03)
    turned = np.random.default_rng(len(x)).permutation(len(x))
    assert agreement(x[turned].tolist(), y[turned].tolist()) == found, "in whatever order they are told"


def test_p_of_a_few_is_the_share_of_all_orders_that_are_as_far_from_nothing() -> None:
    x, y = [1.0, 2, 3, 4, 5, 6], [2.0, 1, 3, 3, 6, 5]
    found = agreement(x, y)
    orders = [[y[at] for at in order] for order in permutations(range(6))]
    for one, scipys in ((found.spearman, stats.spearmanr), (found.kendall, stats.kendalltau)):
        far = [abs(scipys(x, order).statistic) >= abs(one.value) - 1e-9 for order in orders]
        assert one.p == pytest.approx(np.mean(far))


def test_intervals_are_percentiles_over_models_drawn_anew() -> None:
    draws = np.random.default_rng(5)
    x = draws.random(30)
    y = x + 0.5 * draws.random(30)
    found = agreement(x.tolist(), y.tolist()).spearman
    slow = []
    for _ in range(1500):
        drawn = draws.integers(0, 30, 30)
        slow.append(stats.spearmanr(x[drawn], y[drawn]).statistic)
    assert [found.low, found.high] == pytest.approx(np.quantile(slow, [0.025, 0.975]), abs=0.03)
    assert found.p < 0.01


def test_nothing_is_told_of_fewer_than_five_however_well_they_agree() -> None:
    for n, verdict in ((1, "cannot tell"), (4, "cannot tell"), (5, "predicts")):
        rising = [float(at) for at in range(n)]
        assert agreement(rising, rising).verdict == verdict
    assert agreement(rising, [-x for x in rising]).verdict == "misleads"
    assert agreement(rising, [0.0, 3, 1, 4, 2]).verdict == "cannot tell"
    assert agreement(rising, rising).spearman.p == pytest.approx(2 / 120)


def test_the_same_figures_tell_the_same_and_others_are_refused() -> None:
    x = np.random.default_rng(0).random(12).tolist()
    assert agreement(x, x[::-1], seed=3) == agreement(x, x[::-1], seed=3)
    for bad in (x[:-1], [*x[:-1], math.nan]):
        with pytest.raises(DataError, match="12 figures stand beside"):
            agreement(x, bad)
