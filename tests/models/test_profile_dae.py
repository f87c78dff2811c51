"""The profile beside the code: two users alike help each other, and who has no history is served by it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array

from matinee.contract import Queries, Run
from matinee.data.columns import Categories, Features, Numbers
from matinee.data.dataset import Dataset, Facts
from matinee.data.ids import Vocabulary
from matinee.data.interactions import Interactions
from matinee.models.profile_dae import ProfileDAE
from matinee.nn.autoencoder import Layout
from matinee.nn.output import output_loss
from matinee.nn.profiled import ProfiledNet, ProfiledReconstruction
from matinee.ranking.recommend import ask_from, recommend
from matinee.scoring.profiled import ProfiledAutoencoder, viewed
from matinee.testing import planted
from tests.reference import first_layer as slow

RUN = Run(seed=1, threads=1)
GROUPS = 12
COLUMNS = {"age": {"edges": [5.0]}, "gender": {"labels": ["남", "여"]}}


def two_alike() -> Dataset:
    """Twelve pairs of users; the two of a pair have like interests and one view each, of items that nobody else has."""
    n = 2 * GROUPS
    log = Interactions.from_events(np.arange(n), np.arange(n), np.arange(n), n_users=n, n_items=n)
    words = [f"관심 {(user // 2 * step) % GROUPS} {step}" for user in range(n) for step in (1, 5, 7)]
    users = Features(n, {"interest": Categories.from_pairs(np.repeat(np.arange(n), 3), words, n)})
    ids = Vocabulary.of(f"u{at:02}" for at in range(n)), Vocabulary.of(f"i{at:02}" for at in range(n))
    return Dataset(log, *ids, Features(n), users, Facts())


def mates_ahead(scores):
    """(n,) is the other one's item ahead of all but the own one?"""
    n = len(scores)
    mate = np.arange(n) ^ 1
    others = scores.copy()
    others[np.arange(n), np.arange(n)] = others[np.arange(n), mate] = -np.inf
    return scores[np.arange(n), mate] > others.max(axis=1)


@pytest.mark.parametrize("likelihood", ["multinomial", "logistic"])
def test_who_lost_his_only_view_gets_that_of_somebody_alike(likelihood):
    data = two_alike()
    recipe = ProfileDAE(dim=16, profile_dim=16, epochs=300, lr=0.02, batch_size=8, likelihood=likelihood)
    lost = Interactions.empty(data.n_users, data.n_items)
    scorer = recipe.fit(data, RUN)
    for history in (lost, data.log):
        assert mates_ahead(scorer.score(Queries.of(history, attributes=data.user_features))).all()
    without = replace(recipe, profile=False).fit(data, RUN)
    for history in (lost, data.log):
        assert mates_ahead(without.score(Queries.of(history, attributes=data.user_features))).mean() < 0.3


def test_an_empty_history_is_ranked_by_the_profile_and_no_fallback_takes_its_place():
    data = two_alike()
    recipe = ProfileDAE(dim=16, profile_dim=16, epochs=300, lr=0.02, batch_size=8)
    nothing = Interactions.empty(data.n_users, data.n_items)
    ask, users = ask_from(nothing, nothing.counts, data.user_features), np.arange(data.n_users)
    popular = np.arange(data.n_items, dtype=np.float32)
    lists = recommend(recipe.fit(data, RUN), ask, users, 2, repeats=False, fallback=popular)
    assert not lists.filled.any()
    np.testing.assert_array_equal(np.sort(lists.items), np.stack([users // 2 * 2, users // 2 * 2 + 1], axis=1))
    without = replace(recipe, profile=False, epochs=1).fit(data, RUN)
    lists = recommend(without, ask, users, 2, repeats=False, fallback=popular)
    np.testing.assert_array_equal(lists.items, np.tile([data.n_items - 1, data.n_items - 2], (len(users), 1)))


def test_what_was_had_comes_again_where_it_may_and_never_else():
    data = two_alike()
    scorer = ProfileDAE(dim=16, profile_dim=4, epochs=60, lr=0.02, batch_size=8).fit(data, RUN)
    ask, users = ask_from(data.log, data.log.counts, data.user_features), np.arange(data.n_users)
    again = recommend(scorer, ask, users, 5, repeats=True).items
    assert np.mean((again == users[:, None]).any(axis=1)) > 0.9
    assert not (recommend(scorer, ask, users, 5, repeats=False).items == users[:, None]).any()


def net_and_twin(n_items=9):
    layout = Layout(n_items, (3,), ("tanh",), 0, beside=2)
    net = ProfiledNet(layout, COLUMNS, "tanh", 1)
    with torch.no_grad():
        for bias in (net.biases[0], net.output_bias, net.profile_bias):
            bias += torch.linspace(-1, 1, len(bias))
    named = {"table": net.table, "bias": net.biases[0], "output": net.output, "output_bias": net.output_bias,
             "profile_table": net.profile, "profile_bias": net.profile_bias}
    return net, named, {name: part.detach().numpy().astype(np.float64) for name, part in named.items()}


def people():
    """Three users and their columns: below 5 years and 여; 5 and older and 남; nothing known."""
    known = Features(3, {"age": Numbers(np.array([3, 7, np.nan])), "name": Numbers(np.zeros(3)),
                         "gender": Categories.from_pairs(np.array([0, 1, 2]), ["여", "남", "모름"], 3)})
    return known, np.array([[1, 0, 0, 1], [0, 1, 1, 0], [0, 0, 0, 0.0]])


def test_scores_are_those_of_the_slow_twin():
    net, _, twin = net_and_twin()
    asked = Interactions.from_events([0, 0, 1], [2, 5, 5], n_users=3, n_items=9)
    known, columns = people()
    x = asked.matrix().toarray()
    x /= np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1)
    np.testing.assert_allclose(net.scorer().score(Queries.of(asked, attributes=known)),
                               slow.scores(twin, x, profile=columns), atol=1e-5)


def test_gradients_are_those_of_the_slow_twin():
    net, named, twin = net_and_twin()
    rng = np.random.default_rng(2)
    x, observed = ((rng.random((3, 9)) < 0.4).astype(np.float32) for _ in range(2))
    _, columns = people()
    passed = net.asked(csr_array(x), csr_array(columns.astype(np.float32)), None)
    output_loss(passed.hidden, net.output, net.output_bias, csr_array(observed), "multinomial", 3).backward()

    def loss(weights):
        return slow.multinomial(slow.scores(weights, x, profile=columns), observed)

    for name, weights in named.items():
        np.testing.assert_allclose(weights.grad.numpy(), slow.slopes(loss, twin, name), atol=1e-5, err_msg=name)


def test_so_many_histories_are_lost_whole_and_of_the_others_half():
    toy = planted().data
    recipe = ProfileDAE(dim=4, history_dropout=0.3)
    task = task_of(recipe, toy)
    whole = csr_array(np.ones((4000, toy.n_items), np.float32))
    left = np.diff(task.damaged(whole, np.random.default_rng(0)).indptr)
    assert np.mean(left == 0) == pytest.approx(0.3, abs=0.03)
    assert left[left > 0].mean() == pytest.approx(toy.n_items / 2, rel=0.03)


def task_of(recipe, data):
    net = ProfiledNet(replace(recipe.layout(data.n_items, variational=False, scale="l2"), beside=2), COLUMNS, "tanh", 1)
    return ProfiledReconstruction("profile_dae", recipe, net, data, RUN, views=False, lost=recipe.history_dropout)


def test_views_are_read_as_their_logarithm():
    log = Interactions.from_events([0, 0, 0, 2], [4, 1, 4, 3], n_users=3, n_items=5)
    want = np.array([[0, np.log(2), 0, 0, np.log(3)], [0] * 5, [0, 0, 0, np.log(2), 0]])
    np.testing.assert_allclose(viewed(log, "none").toarray(), want, rtol=1e-6)
    want /= np.maximum(np.linalg.norm(want, axis=1, keepdims=True), 1e-9)
    np.testing.assert_allclose(viewed(log, "l2").toarray(), want, rtol=1e-6)
    scorer = ProfileDAE(dim=4, epochs=2).fit(planted().data, RUN)
    once, thrice = (Interactions.from_events([0] * (n + 1), [1] * n + [2], n_users=1, n_items=scorer.n_items)
                    for n in (1, 3))
    assert not np.array_equal(scorer.score(Queries.of(once)), scorer.score(Queries.of(thrice)))


def test_data_that_knows_nothing_of_its_users_is_learnt_without():
    toy = planted().data
    recipe = ProfileDAE(dim=8, epochs=3, batch_size=64)
    plain = recipe.fit(replace(toy, user_features=Features(toy.n_users)), RUN)
    without = replace(recipe, profile=False).fit(toy, RUN)
    assert isinstance(plain, ProfiledAutoencoder)
    assert not plain.serves_empty
    queries = planted().queries()
    np.testing.assert_array_equal(plain.score(queries), without.score(queries))
