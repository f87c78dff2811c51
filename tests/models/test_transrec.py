"""TransRec: items stay in the ball, and everybody's way is learnt."""

from __future__ import annotations

import numpy as np
import pytest

from matinee.contract import Queries, Run
from matinee.models.transrec import TransRec
from tests.models.chains import next_one_first, walks
from tests.models.test_als import dataset


@pytest.mark.parametrize("distance", ["l2_squared", "l1"])
def test_what_comes_next_is_learnt_from_the_order_alone(distance: str) -> None:
    log = walks()
    recipe = TransRec(distance=distance, dim=32, epochs=60, lr=0.1)  # type: ignore[arg-type]
    scorer = recipe.fit(dataset(log), Run(seed=1))
    assert next_one_first(scorer, log) > 0.9
    assert np.linalg.norm(scorer.after, axis=1).max() <= 1 + 1e-5
    assert np.abs(scorer.shift).max() > 0.01


@pytest.mark.parametrize(("distance", "size"), [("l2_squared", np.square), ("l1", np.abs)])
def test_a_fitted_model_scores_as_the_paper_writes(distance: str, size: np.ufunc) -> None:
    log = walks()
    scorer = TransRec(distance=distance, dim=6, epochs=2).fit(dataset(log), Run(seed=1))  # type: ignore[arg-type]
    got = scorer.score(Queries.of(log, np.arange(log.n_users)))
    last = log.items[log.indptr[1:] - 1]
    point = scorer.after[last] + scorer.shift + scorer.users
    want = scorer.biases - size(point[:, None, :] - scorer.after).sum(axis=2)
    np.testing.assert_allclose(got - got[:, :1], want - want[:, :1], atol=1e-5)


def test_somebody_of_whom_nothing_is_known_goes_everybodys_way() -> None:
    log = walks()
    scorer = TransRec(dim=8, epochs=20).fit(dataset(log), Run(seed=1))
    one = log.select(np.arange(len(log)) - log.indptr[log.users] == 0)  # a first event makes no pair
    got = scorer.score(Queries.of(one))
    want = scorer.biases - ((scorer.after[one.items] + scorer.shift)[:, None, :] - scorer.after).__pow__(2).sum(axis=2)
    np.testing.assert_allclose(got - got[:, :1], want - want[:, :1], atol=1e-4)
