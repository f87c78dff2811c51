"""GRU4RecBE: items with a text, and items that have nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from matinee.contract import Queries, Run
from matinee.data.columns import Features
from matinee.data.dataset import Dataset
from matinee.errors import DataError
from matinee.models.gru4rec import GRU4Rec
from matinee.models.gru4rec_be import GRU4RecBE
from matinee.nn.autoencoder import seeded
from matinee.nn.recurrent import Shape
from matinee.nn.text_items import NEVER, InTurn, Join, TextItemNet, text_of
from matinee.numerics.title_vectors import title_vectors
from matinee.testing.toy import I, planted
from tests.nn.test_recurrent import batch_of
from tests.reference import recurrent, text_items

DATA = planted().data
SMALL: dict[str, Any] = {"dim": 16, "length": 8, "epochs": 12, "lr": 0.02, "batch_size": 64, "dropout": 0.1}
COLD = 5


def taste(item: int) -> int:
    """Which of the three planted tastes an item is for."""
    (found,) = [label for label in DATA.item_features.categories("genre").labels(item) if label.startswith("장르")]
    return int(found[-1])


def without_one(like: int = COLD) -> Dataset:
    """The toy without the events of COLD; texts tell tastes, that of COLD the one that the item `like` is for."""
    texts = np.random.default_rng(0).normal(0, 0.05, (I, 6)).astype(np.float32)
    texts[np.arange(I), [taste(like if item == COLD else item) for item in range(I)]] += 1
    return replace(DATA.with_log(DATA.log.select(DATA.log.items != COLD)), item_vectors={"plots": texts})


@pytest.mark.parametrize("join", ["sum", "concat"])
def test_network_and_form_say_what_the_twin_says(join: Join) -> None:
    rng = np.random.default_rng(2)
    text, had = rng.standard_normal((9, 5)).astype(np.float32), np.arange(9) != 4
    text[2] = 0
    width = 6 if join == "sum" else 12
    net = TextItemNet(Shape(9, width, width, 2, 0.0, 20), seeded(1), text, had, join)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter += 0.3 * torch.randn(parameter.shape, generator=seeded(2))
    own, projection = net.table.detach().numpy(), net.projection.detach().numpy()
    want = np.array([text_items.vector(*(part.astype(np.float64) for part in (own[i], projection, text[i])),
                                       bool(had[i]), join) for i in range(9)])
    scorer = net.scorer()
    np.testing.assert_allclose(scorer.table, want, atol=1e-5)
    np.testing.assert_array_equal(scorer.output, scorer.table)
    np.testing.assert_allclose(net.output.detach().numpy()[had], want[had], atol=1e-5)
    bias = net.output_bias.detach().numpy()
    assert bias[4] < -1e5
    np.testing.assert_array_equal(scorer.bias, np.where(had, bias, bias[had].min()))
    layers = {name: array.astype(np.float64) for name, array in scorer.layers.items()}
    states = recurrent.states(want, layers, 2, [0, 3, 8, 2])
    np.testing.assert_allclose(net(batch_of([[0, 3, 8, 2]]), None).detach().numpy(), states, atol=1e-4)


def test_without_texts_it_is_gru4rec() -> None:
    queries = planted().queries()
    same = [kind.fit(DATA, Run(seed=3)).score(queries) for kind in (GRU4RecBE(titles=None, **SMALL), GRU4Rec(**SMALL))]
    np.testing.assert_array_equal(*same)


@pytest.mark.parametrize("loss", ["cross_entropy", "bpr_max"])
def test_an_item_that_nobody_had_is_found_by_its_text(loss: str) -> None:
    """It ranks high for those who like what its text is like, wherever that is."""
    found = {}
    histories = np.split(DATA.log.items, DATA.log.indptr[1:-1])
    likes = np.array([np.bincount([taste(item) for item in items], minlength=3).argmax() for items in histories])
    for other in range(3):
        data = without_one(like=next(item for item in range(I) if taste(item) == other))
        recipe = GRU4RecBE(titles="plots", **{**SMALL, "epochs": 25}, loss=loss, negatives=24)
        scores = recipe.fit(data, Run(seed=1)).score(Queries.of(data.log))
        place = (scores > scores[:, [COLD]]).sum(axis=1)
        found[other] = [float(place[likes == each].mean()) for each in range(3)]
    assert all(np.argmin(places) == other for other, places in found.items()), found
    assert np.mean([places[other] for other, places in found.items()]) < 16, found


def test_an_item_that_nobody_had_learns_nothing_and_teaches_nothing() -> None:
    data = without_one()
    recipe = GRU4RecBE(titles="plots", **SMALL)
    text = text_of(data, "plots")
    net = TextItemNet(Shape(I, 16, 16, 1, 0.0, 8), seeded(1), text, data.log.item_counts() > 0, "sum")
    before, projected = net.table.detach().clone(), []
    for cold in (text[COLD], -9 * text[COLD]):
        net.text[COLD] = torch.from_numpy(cold)
        net.zero_grad()
        next(iter(InTurn("x", recipe, net, data, Run(), alternate=False).steps(0, 0))).loss().backward()
        assert net.table.grad is not None
        assert net.projection.grad is not None
        assert not net.table.grad[COLD].any()
        projected.append(net.projection.grad.clone())
    assert projected[0].any()
    assert torch.equal(*projected)
    assert torch.equal(before, net.table)
    scorer = recipe.fit(data)
    assert scorer.bias[COLD] == np.delete(scorer.bias, COLD).min() > NEVER


def test_in_turn_each_step_leaves_something_alone() -> None:
    recipe = GRU4RecBE(alternate=True, **SMALL)
    net = TextItemNet(Shape(I, 16, 16, 1, 0.0, 8), seeded(1), text_of(DATA, "tfidf"), np.ones(I, bool), "sum")
    task = InTurn("x", recipe, net, DATA, Run(), alternate=True)

    def turns(epoch: int, start: int = 0) -> Iterator[str]:
        return (step.part for step in task.steps(epoch, start))

    assert task.steps_an_epoch == 3
    assert [*turns(0), *turns(1)] == ["own", "text"] * 3
    assert list(turns(1, 1)) == ["own", "text"]
    names = {id(parameter): name for name, parameter in net.named_parameters()}
    moved = {part: {names[id(parameter)] for parameter in some} for part, some in task.parts().items()}
    assert moved == {"own": {*names.values()} - {"projection"}, "text": {*names.values()} - {"table"}}


def test_texts_are_centred_and_about_one_long() -> None:
    titles = title_vectors(DATA.item_features, 64)
    got = text_of(DATA, "tfidf")
    scale = np.sqrt(np.square(titles - titles.mean(axis=0)).sum(axis=1).mean())
    np.testing.assert_allclose(got, (titles - titles.mean(axis=0)) / scale, atol=1e-5)
    gone = titles.copy()
    gone[7] = np.nan
    got = text_of(replace(DATA, item_vectors={"t": gone}), "t")
    assert not got[7].any()
    assert np.isfinite(got).all()
    assert np.square(np.delete(got, 7, axis=0)).sum(axis=1).mean() == pytest.approx(1, rel=1e-4)


def test_what_it_asks_for() -> None:
    assert GRU4RecBE(titles="run/als", init_items="v.csv").named_vectors() == ("v.csv", "run/als")
    assert GRU4RecBE().named_vectors() == ()
    bare = Dataset(DATA.log, DATA.users, DATA.items, Features(I), DATA.user_features)
    with pytest.raises(DataError, match="no-titles: no item of the data has a title"):
        GRU4RecBE(**SMALL).fit(bare)
