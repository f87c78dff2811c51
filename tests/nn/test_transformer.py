"""The network that is trained, and the form that it leaves, against the slow twin."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from matinee.contract import Masks, Queries, Run
from matinee.data.interactions import Interactions
from matinee.models.sasrec import SASRec
from matinee.nn.autoencoder import seeded
from matinee.nn.next_item import NextItem
from matinee.nn.transformer import Shape, TransformerNet
from matinee.scoring.transformer import Transformer
from tests.models.test_als import dataset
from tests.numerics.logs import random_log
from tests.reference import transformer as reference

I, LENGTH = 37, 11
LOG = random_log(6, 60, I, 500, weighted=True)
KINDS = [(1, True, "relu", 12, 12), (2, True, "gelu", 12, 30), (2, False, "gelu", 12, 7), (1, False, "relu", 10, 12)]


def net(heads: int, causal: bool, activation: str, dim: int, width: int, projected: bool = False) -> TransformerNet:
    made = TransformerNet(Shape(I, LENGTH, dim, 2, heads, width, 0.0, causal, activation, mask=True,
                                projected=projected), seeded(1))
    with torch.no_grad():
        for parameter in made.parameters():  # so that a bias or a gain that is left out shows
            parameter += 0.3 * torch.randn(parameter.shape, generator=seeded(2))
    return made


def due(scorer: Transformer, items: list[int]) -> np.ndarray[Any, Any]:
    layers = {name: array.astype(np.float64) for name, array in scorer.layers.items()}
    return reference.states(scorer.table.astype(np.float64), layers, items, scorer.heads, scorer.blocks, scorer.causal,
                            scorer.activation)


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_network_and_form_have_the_states_of_the_twin(kind: tuple[Any, ...]) -> None:
    made = net(*kind)
    scorer, rng = made.scorer(), np.random.default_rng(3)
    rows = [rng.integers(0, I + 1, n).tolist() for n in (1, 4, 11, 7)]
    items = np.zeros((4, LENGTH), np.int64)
    for row, history in zip(items, rows, strict=True):
        row[: len(history)] = history
    lengths = np.array([len(history) for history in rows])
    trained = made.states(torch.from_numpy(items), torch.from_numpy(lengths), None).detach().numpy()
    starts = np.concatenate([[0], np.cumsum(lengths)])
    asked = scorer.states(np.concatenate(rows), starts, lengths)
    some = scorer.states(np.concatenate(rows), starts, np.array([1, 2, 3, 7]))
    at = 0
    for row, history in enumerate(rows):
        want = due(scorer, history)
        np.testing.assert_allclose(trained[row, : len(history)], want, atol=2e-5)
        np.testing.assert_allclose(asked[starts[row] : starts[row + 1]], want, atol=2e-5)
        wanted = (1, 2, 3, 7)[row]
        np.testing.assert_array_equal(some[at : at + wanted], asked[starts[row + 1] - wanted : starts[row + 1]])
        at += wanted


def queries(log: Interactions) -> Queries:
    return Queries.of(log)


def test_scores_are_of_the_newest_place_of_the_newest_events() -> None:
    scorer = net(*KINDS[1]).scorer()
    got = scorer.score(queries(LOG))
    for user in (0, 5, 9, int(np.argmax(LOG.counts))):
        history = LOG.items[LOG.indptr[user] : LOG.indptr[user + 1]].tolist()[-LENGTH:]
        want = scorer.table[:I] @ due(scorer, history)[-1] + scorer.bias if history else scorer.bias
        np.testing.assert_allclose(got[user], want, atol=1e-4)
    items, values = scorer.top_block(queries(LOG), 5, Masks.none(len(got)))
    best = np.argsort(-got, axis=1, kind="stable")[:, :5]
    np.testing.assert_array_equal(items, best)
    np.testing.assert_array_equal(values, np.take_along_axis(got, best, axis=1))


@pytest.mark.parametrize("cut", ["newest", "all"])
def test_a_steps_loss_is_the_cross_entropy_of_the_twin(cut: str) -> None:
    recipe = SASRec(dim=12, length=LENGTH, dropout=0.0, batch_size=9, windows=cut)  # type: ignore[arg-type]
    made = net(2, True, "relu", 12, 12)
    task = NextItem("sasrec", recipe, made, dataset(LOG), Run(seed=1))
    rows = np.arange(9)
    got = float(task.loss(rows, 0, 0).detach())
    scorer, want = made.scorer(), 0.0
    for user, first, last in zip(*(part[rows] for part in (task.windows.users, task.windows.first, task.windows.stop)),
                                 strict=True):
        assert LOG.indptr[user] <= first < last < LOG.indptr[user + 1]
        hidden = due(scorer, LOG.items[first:last].tolist())
        want += reference.cross_entropy(hidden, scorer.table[:I].astype(np.float64), scorer.bias.astype(np.float64),
                                        LOG.items[first + 1 : last + 1].tolist(),
                                        LOG.values[first + 1 : last + 1].tolist())
    mean = task.windows.lengths.sum() / task.steps_an_epoch
    assert got == pytest.approx(want / mean, rel=1e-5)
