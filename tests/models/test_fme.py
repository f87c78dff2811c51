"""FME: taste by inner products, order by distances."""

from __future__ import annotations

import numpy as np

from matinee.contract import Queries, Run
from matinee.models.fme import FME
from tests.models.chains import next_one_first, walks
from tests.models.test_als import dataset


def test_what_comes_next_is_learnt_from_the_order_alone() -> None:
    log = walks()
    assert next_one_first(FME(dim=32, epochs=60, lr=0.1, query_length=1).fit(dataset(log), Run(seed=1)), log) > 0.9


def test_a_fitted_model_scores_as_its_header_writes() -> None:
    log = walks()
    scorer = FME(dim=6, epochs=2, query_length=1).fit(dataset(log), Run(seed=1))
    got = scorer.score(Queries.of(log, np.arange(log.n_users)))
    last = log.items[log.indptr[1:] - 1]
    gap = ((scorer.after[last][:, None, :] - scorer.after) ** 2).sum(axis=2)
    want = scorer.users @ scorer.liked.T - gap + scorer.biases  # type: ignore[union-attr]
    np.testing.assert_allclose(got - got[:, :1], want - want[:, :1], atol=1e-4)
