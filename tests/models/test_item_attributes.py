"""Genres, directors and writers in an autoencoder's first layer: like extra inputs, and hidden with their item."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array

from matinee.contract import Queries, Run
from matinee.data.columns import Categories, Features
from matinee.data.interactions import Interactions
from matinee.errors import DataError
from matinee.models.multi_dae import MultiDAE
from matinee.models.multi_vae import MultiVAE
from matinee.nn.autoencoder import AutoencoderNet, seeded
from matinee.nn.output import output_loss
from matinee.testing import planted
from tests.reference import first_layer as slow

TOY = planted().data
TINY = MultiDAE(dim=16, epochs=30, lr=0.01, batch_size=64)
SEED = 3


def sparse(rng, *shape):
    return csr_array(np.where(rng.random(shape) < 0.4, rng.random(shape), 0), dtype=np.float32)


def net_and_twin(n_items=9, n_labels=4, dim=3):
    """A network that knows attributes, its weights for the twin, and the attributes."""
    rng = np.random.default_rng(0)
    attributes = sparse(rng, n_items, n_labels)
    net = AutoencoderNet(MultiDAE(dim=dim).layout(n_items, variational=False, scale="l2"), seeded(1))
    net.know(attributes)
    with torch.no_grad():
        for weights in (net.attribute_table, net.biases[0], net.output_bias):
            weights += torch.from_numpy(rng.standard_normal(weights.shape).astype(np.float32))
    named = {"table": net.table, "attribute_table": net.attribute_table, "bias": net.biases[0], "output": net.output,
             "output_bias": net.output_bias}
    twin = {name: weights.detach().numpy().astype(np.float64) for name, weights in named.items()}
    return net, named, twin, attributes


def histories(n=5, n_items=9):
    rng = np.random.default_rng(4)
    x = sparse(rng, n, n_items)
    return x, csr_array((x.toarray() > 0).astype(np.float32))


def cold(items):
    """The toy with nothing known of some items but what they are."""
    return TOY.with_log(TOY.log.select(~np.isin(TOY.log.items, items)))


def learnt(recipe, data=TOY):
    return recipe.fit(data, Run(seed=SEED, threads=1))


def test_they_are_what_counts_of_attributes_would_be_as_inputs():
    net, _, twin, attributes = net_and_twin()
    x, _ = histories()
    found = net(x, None).hidden.detach().numpy()
    np.testing.assert_allclose(found, slow.hidden(twin, x.toarray(), attributes.toarray()), atol=1e-6)
    asked = Interactions.from_events([0, 0], [2, 5], n_users=1, n_items=9)
    want = slow.scores(twin, np.isin(np.arange(9), [2, 5])[None] / np.sqrt(2), attributes.toarray())
    np.testing.assert_allclose(net.scorer().score(Queries.of(asked)), want, atol=1e-5)


def test_gradients_are_those_of_the_slow_twin():
    net, named, twin, attributes = net_and_twin()
    x, observed = histories()
    output_loss(net(x, None).hidden, net.output, net.output_bias, observed, "multinomial", x.shape[0]).backward()

    def loss(weights):
        return slow.multinomial(slow.scores(weights, x.toarray(), attributes.toarray()), observed.toarray())

    for name, weights in named.items():
        np.testing.assert_allclose(weights.grad.numpy(), slow.slopes(loss, twin, name), atol=1e-5, err_msg=name)


def test_a_hidden_item_hides_its_attributes():
    net, _, _, attributes = net_and_twin()
    x, _ = histories()
    hidden = x.toarray()
    item = int(np.argmax((hidden > 0).sum(axis=0)))
    hidden[:, item] = 0
    before = net(csr_array(hidden), None).hidden.detach().numpy()
    other = attributes.toarray()
    other[item] = 9
    net.attributes = csr_array(other)
    np.testing.assert_array_equal(net(csr_array(hidden), None).hidden.detach().numpy(), before)
    assert not np.allclose(net(x, None).hidden.detach().numpy(), before)


@pytest.mark.parametrize("recipe", [TINY, MultiVAE(dim=8, hidden=(16,), epochs=30, lr=0.01, batch_size=64)])
def test_an_item_that_nobody_touched_gets_what_its_genres_have_learnt(recipe):
    untouched = [7, 22]
    data = cold(untouched)
    rows = np.where(np.arange(TOY.n_items) == 22, 7, np.arange(TOY.n_items))
    data = replace(data, item_features=TOY.item_features.take(rows))
    plain, with_genre = learnt(recipe, data).table, learnt(replace(recipe, genre=1.0), data).table
    one, two = with_genre[untouched] - plain[untouched]  # what is left is where both began
    np.testing.assert_allclose(one, two, atol=1e-6)
    assert np.linalg.norm(one) > 0.1


def test_somebody_who_had_only_an_untouched_item_gets_items_of_its_genre():
    genre = np.array([TOY.item_features.categories("genre").labels(item)[0] for item in range(TOY.n_items)])
    untouched = [int(np.flatnonzero(genre == one)[0]) for one in np.unique(genre)]
    scorer = learnt(replace(TINY, genre=3.0, epochs=60), cold(untouched))
    scores = scorer.score(Queries.of(Interactions.from_events([0, 1, 2], untouched, n_users=3, n_items=TOY.n_items)))
    scores[:, untouched] = -np.inf
    for item, row in zip(untouched, scores, strict=True):
        assert np.mean(genre[np.argsort(-row)[:10]] == genre[item]) >= 0.9


def test_other_names_for_the_genres_change_nothing():
    genre = TOY.item_features.categories("genre")
    back = {name: f"{len(genre.names) - at:02}" for at, name in enumerate(genre.names)}
    rows = np.repeat(np.arange(TOY.n_items), np.diff(genre.indptr))
    renamed = Categories.from_pairs(rows, [back[genre.names[code]] for code in genre.codes], TOY.n_items)
    recipe = replace(TINY, genre=1.0)
    other = replace(TOY, item_features=Features(TOY.n_items, {"genre": renamed}))
    scores = [learnt(recipe, data).score(Queries.of(TOY.log)) for data in (TOY, other)]
    np.testing.assert_allclose(*scores, atol=1e-3 * np.abs(scores[0]).max())


@pytest.mark.parametrize("name", ["genre", "director", "writer"])
def test_what_the_data_does_not_have_is_refused(name):
    data = replace(TOY, item_features=Features(TOY.n_items))
    with pytest.raises(DataError, match=rf"no-feature: multi_dae is to weigh {name} by 2, and no item .*`side`"):
        learnt(replace(TINY, **{name: 2.0}), data)


def test_an_item_of_unknown_attributes_keeps_its_own_vector():
    known = TOY.item_features.take(np.where(np.arange(TOY.n_items) == 5, -1, np.arange(TOY.n_items)))
    data = replace(cold([5]), item_features=known)
    np.testing.assert_array_equal(learnt(replace(TINY, genre=1.0), data).table[5], learnt(TINY, data).table[5])
