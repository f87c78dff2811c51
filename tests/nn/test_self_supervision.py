"""What is hidden, and what is lost over it: cloze and the four tasks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from matinee.contract import Queries, Run
from matinee.data.interactions import Interactions
from matinee.errors import ConfigError, DataError
from matinee.models.bert4rec import BERT4Rec
from matinee.models.s3rec import S3Rec
from matinee.nn import negatives
from matinee.nn.autoencoder import seeded
from matinee.nn.cloze import Gaps, hidden
from matinee.nn.self_supervision import SelfSupervision, Weights
from matinee.nn.transformer import Shape, TransformerNet
from matinee.nn.windows import windows
from matinee.scoring.masked import MaskedTransformer, with_masks
from matinee.scoring.place_votes import PlaceVotes
from matinee.testing.toy import planted
from tests.models.test_als import dataset
from tests.numerics.logs import random_log
from tests.reference import self_supervision as reference
from tests.reference import transformer as twin

LOG = random_log(6, 60, 37, 500, weighted=True)


def net(n_items: int, *, projected: bool = False, length: int = 12) -> TransformerNet:
    made = TransformerNet(Shape(n_items, length, 8, 2, 2, 8, 0.0, causal=False, activation="gelu", mask=True,
                                projected=projected), seeded(1))
    with torch.no_grad():
        for parameter in made.parameters():
            parameter += 0.3 * torch.randn(parameter.shape, generator=seeded(2))
    return made


@pytest.mark.parametrize("newest", [0.0, 0.4, 1.0])
def test_a_share_is_hidden_one_at_least_or_the_newest_alone(newest: float) -> None:
    made = windows(LOG, 12, "all", ahead=0)
    batch = made.batch(np.arange(len(made)))
    shares, alone = [], []
    for seed in range(60):
        gone = hidden(batch, 0.3, newest, np.random.default_rng(seed))
        counts = np.bincount(batch.owners, gone, len(made))
        assert counts.min() >= 1
        last = gone[np.cumsum(batch.lengths.numpy()) - 1]
        alone.append(np.mean(last & (counts == 1)))
        shares.append(gone.mean())
    if newest == 1:
        assert min(alone) == 1
    elif newest == 0:
        assert 0.3 <= np.mean(shares) < 0.36  # one at least, so somewhat above
    else:
        assert np.mean(alone) > newest


def test_a_step_of_cloze_loses_what_the_twin_does() -> None:
    recipe = BERT4Rec(dim=8, length=12, dropout=0.0, batch_size=9, mask=0.3, newest=0.2)
    made = net(37, projected=True)
    task = Gaps("bert4rec", recipe, made, dataset(LOG), Run(seed=1))
    rows = np.arange(9)
    got = float(task.loss(rows, 0, 0).detach())
    batch = task.windows.batch(rows)
    gone = hidden(batch, 0.3, 0.2, np.random.default_rng([1, 1, 1, 0]))
    scorer, want, at = made.scorer(), 0.0, 0
    for row in rows:
        items = LOG.items[task.windows.first[row] : task.windows.stop[row]].tolist()
        there = gone[at : at + len(items)]
        shown = [37 if out else item for item, out in zip(items, there, strict=True)]
        a = {name: array.astype(float) for name, array in scorer.layers.items()}
        states = twin.states(scorer.table.astype(float), a, shown, 2, 2, False, "gelu")
        states = twin.gelu(states @ a["last.weight"].T + a["last.bias"])
        weights = LOG.values[task.windows.first[row] : task.windows.stop[row]]
        want += twin.cross_entropy(states[there], scorer.table[:37].astype(float), scorer.bias.astype(float),
                                   np.array(items)[there].tolist(), weights[there].tolist())
        at += len(items)
    assert got == pytest.approx(want / task.over, rel=1e-5)


def supervision(**weights: float) -> SelfSupervision:
    parts = Weights(**{"associated": 0.0, "item": 0.0, "attributes": 0.0, "segment": 0.0, **weights})
    data = planted().data
    return SelfSupervision("s3rec", S3Rec(batch_size=9), "newest", net(data.n_items), parts, ("genre", "era"), 0.3,
                           data, Run(seed=1), seeded(3))


def arrays(module: Any) -> dict[str, np.ndarray[Any, Any]]:
    return {name: value.detach().numpy().astype(float) for name, value in module.named_parameters()}


def test_masked_items_and_attributes_lose_what_the_twin_does() -> None:
    task = supervision(associated=1, item=1, attributes=1)
    rows = np.arange(9)
    batch = task.windows.batch(rows)
    got = {name: float(value.detach()) for name, value in task.losses(batch, np.random.default_rng(5), None).items()}
    rng = np.random.default_rng(5)
    gone = hidden(batch, 0.3, 0.0, rng)
    drawn = negatives.unseen(task.sampler, task.log, batch.users[batch.owners[gone]], 1, rng)[:, 0]
    items = batch.items.clone()
    items.view(-1)[batch.real[torch.from_numpy(np.flatnonzero(gone))]] = task.net.shape.n_items
    flat = task.net.states(items, batch.lengths, None).detach().numpy().reshape(-1, 8).astype(float)
    real, a = batch.real.numpy(), arrays(task.heads)
    hidden_items, shown_items = batch.targets[gone].tolist(), batch.targets[~gone].tolist()
    for name, turns, there, known in (("associated", "associated", ~gone, shown_items),
                                      ("attributes", "masked", gone, hidden_items)):
        want = np.mean([reference.attributes(list(flat[real[there]]), known, a[f"{turns}.{field}"],
                                             a[f"tables.{field}"], a[f"biases.{field}"], found.toarray())
                        for field, found in task.labels.items()])
        assert got[name] == pytest.approx(want, rel=1e-4)
    table = a["net.table"]
    want = np.mean([reference.against(state, a["item"], table[item], table[other])
                    for state, item, other in zip(flat[real[gone]], hidden_items, drawn, strict=True)])
    assert got["item"] == pytest.approx(want, rel=1e-4)
    for user, other in zip(batch.users[batch.owners[gone]], drawn, strict=True):
        assert other not in task.log.items[task.log.indptr[user] : task.log.indptr[user + 1]]


def test_every_attribute_is_learnt_the_first_one_too() -> None:
    task = supervision(associated=1)
    task.losses(task.windows.batch(np.arange(9)), np.random.default_rng(5), None)["associated"].backward()  # type: ignore[no-untyped-call]
    for field, table in task.heads.tables.items():
        assert (table.grad.abs().sum(1) > 0).all(), field
        assert len(table) == task.labels[field].shape[1]


def test_a_segment_is_told_from_that_of_another_user() -> None:
    """With states replaced by what went in, the loss can be followed by hand."""
    task = supervision(segment=1)
    seen: list[tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]] = []
    states = task.net.states

    def watched(items: torch.Tensor, lengths: torch.Tensor, drop: Any) -> torch.Tensor:
        seen.append((items.numpy().copy(), lengths.numpy().copy()))
        return states(items, lengths, drop)

    task.net.states = watched  # type: ignore[method-assign]
    batch = task.windows.batch(np.arange(9))
    got = float(task.losses(batch, np.random.default_rng(5), None)["segment"].detach())
    (context, lengths), (stretch, sizes) = seen
    a, mask, want = arrays(task.heads), task.net.shape.n_items, []
    of_context = states(torch.from_numpy(context), torch.from_numpy(lengths), None).detach().numpy().astype(float)
    own = states(torch.from_numpy(stretch), torch.from_numpy(sizes), None).detach().numpy().astype(float)
    for row in range(9):
        whole = batch.items[row, : lengths[row]].numpy()
        out = np.flatnonzero(context[row, : lengths[row]] == mask)
        assert 1 <= len(out) == sizes[row] <= max(1, lengths[row] // 2)
        assert out.tolist() == list(range(out[0], out[0] + len(out)))  # one stretch
        assert stretch[row, : sizes[row]].tolist() == whole[out].tolist()
        before = (row - 1) % 9
        want.append(reference.against(of_context[row, lengths[row] - 1], a["segment"], own[row, sizes[row] - 1],
                                      own[before, sizes[before] - 1]))
    assert got == pytest.approx(np.mean(want), rel=1e-4)


def test_what_is_watched_is_the_same_number_each_time() -> None:
    task = supervision(item=1, segment=0.5)
    joint, segment = task.monitored("joint"), task.monitored("segment")
    assert (task.monitored("joint"), task.monitored("segment")) == (joint, segment)
    assert joint > 0.5 * segment > 0


def test_the_second_part_begins_where_the_first_ended() -> None:
    both, forward = net(37), TransformerNet(Shape(37, 12, 8, 2, 2, 8, 0.0), seeded(9))
    forward.take(both)
    for name, parameter in forward.named_parameters():
        assert torch.equal(parameter, dict(both.named_parameters())[name][: len(parameter)]), name
    assert len(both.table) == len(forward.table) + 1


def test_a_task_that_stops_training_must_be_there() -> None:
    with pytest.raises(ConfigError, match="no-task"):
        S3Rec(segment=0, stop_on="segment").fit(planted().data)
    with pytest.raises(DataError, match="no-feature"):
        S3Rec().fit(dataset(LOG))


def test_masks_stand_at_the_end_and_evenly_between() -> None:
    items, starts = np.array([5, 6, 7, 8, 9]), np.array([0, 4, 5])
    got, ends = with_masks(items, starts, 4, 2, 0)
    assert ends.tolist() == [0, 8, 13]
    assert got[:8].tolist() == [5, 6, 0, 7, 0, 8, 0, 0]
    assert got[8:].tolist() == [9, 0, 0, 0, 0]


@pytest.mark.parametrize("asked", ["end", "gaps", "places"])
def test_a_history_is_asked_at_the_mean_of_its_places(asked: str) -> None:
    made = net(37, projected=True)
    scorer = MaskedTransformer(**made.arrays(), asked=asked, masks=4)
    history = Interactions.from_events([0] * 6, [3, 8, 1, 30, 12, 5], n_users=1, n_items=37)
    a = {name: array.astype(float) for name, array in scorer.layers.items()}
    items = {"end": [3, 8, 1, 30, 12, 5, 37], "places": [3, 8, 1, 30, 12, 5],
             "gaps": [3, 8, 37, 1, 30, 37, 12, 5, 37, 37]}[asked]
    states = twin.states(scorer.table.astype(float), a, items, 2, 2, False, "gelu")
    states = twin.gelu(states @ a["last.weight"].T + a["last.bias"])
    there = np.array(items) == 37 if asked != "places" else np.ones(6, bool)
    want = scorer.table[:37] @ states[there].mean(0) + scorer.bias
    np.testing.assert_allclose(scorer.score(Queries.of(history))[0], want, atol=2e-4)


def test_every_fifth_place_votes_for_what_is_not_there() -> None:
    inner = MaskedTransformer(**net(37, length=40).arrays(), asked="places")
    history = Interactions.from_events([0] * 12 + [1], [3, 8, 1, 30, 12, 5, 9, 2, 14, 7, 20, 22, 4], n_users=3,
                                       n_items=37)
    got = PlaceVotes(inner).score(Queries.of(history))
    a = {name: array.astype(float) for name, array in inner.layers.items()}
    for user in range(2):
        items = history.items[history.indptr[user] : history.indptr[user + 1]].tolist()
        states = twin.states(inner.table.astype(float), a, items, 2, 2, False, "gelu")[::-5]
        votes = np.zeros(37)
        for state in states:
            scores = inner.table[:37] @ state + inner.bias
            scores[items] = -np.inf
            votes[np.argsort(-scores, kind="stable")[:10]] += 1
        mean = inner.table[:37] @ states.mean(0) + inner.bias
        np.testing.assert_allclose(got[user], votes + 1 / (1 + np.exp(-np.clip(mean, -8, 8))), atol=1e-4)
        assert (got[user][items] < 1).all()
    assert (got[2] == 0.5).all()  # nobody votes
