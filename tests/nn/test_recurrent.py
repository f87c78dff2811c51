"""Recurrent networks that are trained, and the forms that they leave, against the slow twin."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from matinee.contract import Masks, Queries
from matinee.data.interactions import Interactions
from matinee.errors import ModelError
from matinee.nn.autoencoder import seeded
from matinee.nn.recurrent import AttentiveNet, RecurrentNet, Shape, attention
from matinee.nn.windows import Batch
from matinee.numerics.recurrent import all_states
from matinee.ranking.topk import top_k
from matinee.scoring.recurrent import AttentiveRecurrent, Recurrent
from tests.numerics.logs import random_log
from tests.reference import recurrent as reference

I, LENGTH = 37, 11
LOG = random_log(6, 60, I, 500, weighted=True)
SHAPES = [(8, 8, 1), (6, 10, 1), (5, 7, 3), (64, 70, 2)]


def net(dim: int, width: int, layers: int, *, attentive: bool) -> RecurrentNet:
    shape = Shape(I, dim, width, layers, 0.0, LENGTH)
    made = (AttentiveNet(shape, seeded(1), dropout_joined=0.0) if attentive
            else RecurrentNet(shape, seeded(1), tied=dim == width))
    with torch.no_grad():
        for parameter in made.parameters():  # so that a bias that is left out shows
            parameter += 0.3 * torch.randn(parameter.shape, generator=seeded(2))
    return made


def due(scorer: Recurrent, items: list[int]) -> np.ndarray[Any, Any]:
    """(n, D) what scores after each event."""
    wide = {name: array.astype(np.float64) for name, array in scorer.layers.items()}
    states = reference.states(scorer.table.astype(np.float64), wide, scorer.depth, items)
    if not isinstance(scorer, AttentiveRecurrent):
        return states
    return reference.attended({name: array.astype(np.float64) for name, array in scorer.attention.items()}, states)


def batch_of(rows: list[list[int]]) -> Batch:
    lengths = np.array([len(row) for row in rows])
    items = np.zeros((len(rows), lengths.max()), np.int64)
    there = np.arange(lengths.max()) < lengths[:, None]
    items[there] = np.concatenate(rows)
    real = np.flatnonzero(there)
    nothing = np.zeros(len(real), np.int64)
    return Batch(np.arange(len(rows)), torch.from_numpy(items), torch.from_numpy(lengths), torch.from_numpy(real),
                 nothing, np.ones(len(real), np.float32), np.repeat(np.arange(len(rows)), lengths))


@pytest.mark.parametrize("attentive", [False, True])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_network_and_form_say_what_the_twin_says(shape: tuple[int, int, int], attentive: bool) -> None:
    made = net(*shape, attentive=attentive)
    rng = np.random.default_rng(3)
    rows = [rng.integers(0, I, n).tolist() for n in (1, 4, 11, 7, 2, 11)]
    trained = made(batch_of(rows), None).detach().numpy()
    want = [due(made.scorer(), row) for row in rows]
    np.testing.assert_allclose(trained, np.concatenate(want), atol=1e-4)
    log = Interactions.from_events(np.repeat(np.arange(6), [len(row) for row in rows]), np.concatenate(rows),
                                   n_users=7, n_items=I)
    got = made.scorer().vectors(Queries.of(log))
    np.testing.assert_allclose(got[:6], np.stack([states[-1] for states in want]), atol=1e-4)
    assert not got[6].any()


@pytest.mark.parametrize("attentive", [False, True])
def test_scores_are_of_the_newest_state_of_the_newest_events(attentive: bool) -> None:
    scorer = net(6, 10, 2, attentive=attentive).scorer()
    got = scorer.score(Queries.of(LOG))
    for user in (0, 5, 9, int(np.argmax(LOG.counts))):
        history = LOG.items[LOG.indptr[user] : LOG.indptr[user + 1]].tolist()[-LENGTH:]
        want = scorer.output @ due(scorer, history)[-1] + scorer.bias if history else scorer.bias
        np.testing.assert_allclose(got[user], want, atol=1e-4)
    fused, plain = scorer.top_block(Queries.of(LOG), 5, Masks.none(len(got))), top_k(got, 5, Masks.none(len(got)))
    np.testing.assert_array_equal(fused[0], plain[0])
    np.testing.assert_array_equal(fused[1], plain[1])


def test_only_the_newest_session_is_read_where_that_is_asked_for() -> None:
    hours = 24 * np.array([0, 1, 1.5, 9, 9.5, 0, 30])  # sessions of more than a day apart: 0 1 2 | 3 4 and 5 | 6
    log = Interactions.from_events([0] * 5 + [1] * 2, np.arange(7), (hours * 3600).astype(int), n_users=2, n_items=I)
    made = net(6, 10, 1, attentive=False)
    whole, current = made.scorer(), Recurrent(**{**made.arrays(), "session_hours": 24.0})
    rest = Interactions.from_events([0, 0, 1], [3, 4, 6], n_users=2, n_items=I)
    np.testing.assert_array_equal(current.score(Queries.of(log)), whole.score(Queries.of(rest)))
    assert not np.array_equal(current.score(Queries.of(log)), whole.score(Queries.of(log)))


def test_every_state_is_the_newest_of_the_history_up_to_there() -> None:
    scorer = net(6, 10, 2, attentive=False).scorer()
    items, starts = np.arange(9, dtype=np.int32), np.array([0, 2, 2, 9])
    every = all_states(scorer._units, items, starts)
    for event in range(9):
        first = 0 if event < 2 else 2
        log = Interactions.from_events(np.zeros(event + 1 - first), items[first : event + 1], n_users=1, n_items=I)
        np.testing.assert_array_equal(scorer.vectors(Queries.of(log))[0], every[event])


def plain_attention(asked: Tensor, keys: Tensor, v: Tensor, lengths: np.ndarray[Any, Any]) -> Tensor:
    shares = torch.sigmoid(asked[:, :, None] + keys[:, None]) @ v
    places = torch.arange(asked.shape[1])
    real = places < torch.from_numpy(lengths)[:, None]
    return shares * (places[:, None] >= places) * real[:, :, None]


def test_attention_and_its_gradients_are_those_of_autograd() -> None:
    rng, lengths = np.random.default_rng(1), np.array([9, 1, 5])
    parts = [torch.from_numpy(rng.normal(size=shape)) for shape in ((3, 9, 13), (3, 9, 13), (13,), (3, 9, 9))]
    weights, handed = [part.float().requires_grad_() for part in parts[:3]], parts[3]
    got = attention(weights[0], weights[1], weights[2], lengths)
    got.backward(handed.float())
    exact = [part.clone().requires_grad_() for part in parts[:3]]
    want = plain_attention(exact[0], exact[1], exact[2], lengths)
    want.backward(handed)
    torch.testing.assert_close(got.double(), want, atol=1e-5, rtol=1e-5)
    for one, other in zip(weights, exact, strict=True):
        assert one.grad is not None
        assert other.grad is not None
        torch.testing.assert_close(one.grad.double(), other.grad, atol=2e-5, rtol=1e-5)


def test_a_form_that_does_not_fit_together_is_refused() -> None:
    arrays = net(6, 10, 2, attentive=False).arrays()
    for name, array in {"output": arrays["output"][:, 1:], "bias": arrays["bias"][1:], "length": 0,
                        "session_hours": 0.0, "layers": {}, "table": arrays["table"] * np.float32(np.nan)}.items():
        with pytest.raises(ModelError, match=r"shape|length|finite"):
            Recurrent(**{**arrays, name: array})
    with pytest.raises(ModelError, match="output"):
        AttentiveRecurrent(**net(6, 10, 2, attentive=True).arrays())
