"""PRME: two distances, of which one falls silent after tau."""

from __future__ import annotations

import numpy as np
import pytest

from matinee.contract import Queries, Run
from matinee.models.prme import PRME
from tests.models.chains import next_one_first, walks
from tests.models.test_als import dataset


def test_what_comes_next_is_learnt_from_the_order_alone() -> None:
    log = walks()
    assert next_one_first(PRME(dim=32, epochs=60, lr=0.1, query_length=1).fit(dataset(log), Run(seed=1)), log) > 0.9


@pytest.mark.parametrize(("tau", "learnt"), [(0.9, False), (1.0, True), (None, True)])
def test_an_item_further_back_than_tau_says_nothing_and_learns_nothing(tau: float | None, learnt: bool) -> None:
    log = walks()  # an hour apart
    start = PRME(dim=8, epochs=1, lr=1e-9, l2=0.0).fit(dataset(log), Run(seed=1)).after
    after = PRME(dim=8, epochs=2, tau=tau, l2=0.0).fit(dataset(log), Run(seed=1)).after
    assert np.allclose(start, after, atol=1e-6) != learnt


@pytest.mark.parametrize("late", [False, True])
def test_a_fitted_model_scores_as_the_paper_writes(late: bool) -> None:
    log = walks()
    scorer = PRME(dim=6, epochs=2, query_length=1, alpha=0.3, tau=2.0).fit(dataset(log), Run(seed=1))
    assert not scorer.biases[log.item_counts() > 0].any()
    at = log.last_times() + (7_201 if late else 7_200)
    got = scorer.score(Queries.of(log, np.arange(log.n_users), at))
    last = log.items[log.indptr[1:] - 1]
    taste = ((scorer.users[:, None, :] - scorer.liked) ** 2).sum(axis=2)  # type: ignore[operator]
    order = ((scorer.after[last][:, None, :] - scorer.after) ** 2).sum(axis=2)
    want = scorer.biases + (-taste if late else -0.3 * taste - 0.7 * order)
    np.testing.assert_allclose(got - got[:, :1], want - want[:, :1], atol=1e-4)
