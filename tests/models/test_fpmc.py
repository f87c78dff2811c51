"""FPMC: who is asked and what came last decide together."""

from __future__ import annotations

import numpy as np

from matinee.contract import Queries, Run
from matinee.data.interactions import Interactions
from matinee.models.fpmc import FPMC
from tests.models.chains import next_one_first, walks
from tests.models.test_als import dataset
from tests.reference.markov import Model


def test_what_comes_next_is_learnt_from_the_order_alone() -> None:
    log = walks()
    assert next_one_first(FPMC(dim=32, epochs=60, lr=0.1, query_length=1).fit(dataset(log), Run(seed=1)), log) > 0.95


def test_a_fitted_model_scores_as_the_paper_writes() -> None:
    log = walks()
    scorer = FPMC(dim=6, epochs=2, query_length=1).fit(dataset(log), Run(seed=1))
    twin = Model("fpmc", scorer.users, scorer.liked, scorer.before, scorer.after, scorer.biases, scorer.shift)
    got = scorer.score(Queries.of(log, np.arange(log.n_users)))
    want = [[twin.score(user, int(log.items[log.indptr[user + 1] - 1]), item) for item in range(log.n_items)]
            for user in range(20)]
    np.testing.assert_allclose(got[:20], want, atol=1e-5)


def test_two_who_had_the_same_last_item_get_other_lists_by_their_taste() -> None:
    """Half of the users have even items and half have odd ones; everybody goes back to item 0 after each of them."""
    rng = np.random.default_rng(4)
    rows = np.zeros((200, 18), np.int64)
    for user in range(200):
        rows[user, ::2] = 1 + user % 2 + 2 * rng.choice(20, 9, replace=False)
    log = Interactions.from_events(np.repeat(np.arange(200), 18), rows.reshape(-1), np.tile(np.arange(18), 200),
                                   n_users=200, n_items=41)
    scorer = FPMC(dim=8, epochs=40, lr=0.1, query_length=1).fit(dataset(log), Run(seed=1))
    scores = scorer.score(Queries.of(log, np.arange(200)))
    odd, even = scores[:, 1::2].mean(axis=1), scores[:, 2::2].mean(axis=1)
    assert ((odd > even) == (np.arange(200) % 2 == 0)).all()
