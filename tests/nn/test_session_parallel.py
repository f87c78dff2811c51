"""Session-parallel batches: every pair once, states carried and reset, negatives of the other lanes."""

from __future__ import annotations

import math
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from matinee.contract import Queries, Run
from matinee.data.interactions import Interactions
from matinee.data.sessions import session_indptr
from matinee.errors import ConfigError
from matinee.models.gru4rec import GRU4Rec
from matinee.nn import processes, train
from matinee.nn.autoencoder import seeded
from matinee.nn.losses import Sampled
from matinee.nn.recurrent import RecurrentNet, Shape
from matinee.nn.session_parallel import SessionParallel
from tests.models.test_als import dataset
from tests.numerics.logs import random_log
from tests.reference import recurrent as reference

I, DIM = 23, 6


def task(log: Interactions, hours: float | None = None, layers: int = 1, **settings: Any) -> SessionParallel:
    recipe = GRU4Rec(**{"dim": DIM, "dropout": 0.0, "batch_size": 5, "negatives": 4, "batches": "sessions", **settings})
    net = RecurrentNet(Shape(log.n_items, DIM, DIM, layers, 0.0, 20), seeded(1), tied=True)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter += 0.3 * torch.randn(parameter.shape, generator=seeded(2))
    stretches = None if hours is None else session_indptr(log, hours)
    return SessionParallel("gru4rec", recipe, net, dataset(log), Run(seed=3), stretches)


@settings(deadline=None)
@given(st.integers(0, 60), st.integers(1, 9), st.sampled_from([None, 1 / 3600, 5 / 3600]), st.integers(0, 99))
def test_an_epoch_reads_every_pair_once_and_resets_where_a_session_begins(
    events: int, lanes: int, hours: float | None, seed: int
) -> None:
    log = random_log(seed, 7, I, events, weighted=False)
    made = task(log, hours, batch_size=lanes)
    read, begins = made.line(np.random.default_rng(seed))
    assert read.shape == begins.shape == (made.steps_an_epoch, made.lanes)
    sessions = log.indptr if hours is None else session_indptr(log, hours)
    starts, ends = set(sessions[:-1].tolist()), set((sessions[1:] - 1).tolist())
    assert sorted(read[read >= 0].tolist()) == sorted(set(range(len(log))) - ends)
    for lane in range(made.lanes):
        before = None
        for event, new in zip(read[:, lane].tolist(), begins[:, lane].tolist(), strict=True):
            if event >= 0:
                assert new == (event in starts or before is None)
                assert new or event == before + 1
            before = event


@pytest.mark.parametrize("layers", [1, 2])
def test_states_are_carried_in_a_session_and_zeros_at_its_start(layers: int) -> None:
    log = random_log(4, 6, I, 60, weighted=False)
    made = task(log, layers=layers)
    before = made.net.scorer()
    wide = {name: array.astype(np.float64) for name, array in before.layers.items()}
    read, begins = made.line(np.random.default_rng([3, 1, 0, 0]))
    runs: list[list[int]] = [[] for _ in range(made.lanes)]
    for number, step in enumerate(made.steps(0, 0)):
        step.loss()
        for lane, event in enumerate(read[number].tolist()):
            if event < 0:
                continue
            runs[lane] = ([] if begins[number, lane] else runs[lane]) + [int(log.items[event])]
            want = reference.states(before.table.astype(np.float64), wide, layers, runs[lane])[-1]
            carried = made.net.carried[-1, lane]  # type: ignore[index]
            np.testing.assert_allclose(carried.numpy(), want, atol=1e-5)


def slow_loss(made: SessionParallel, hidden: list[np.ndarray[Any, Any]], events: list[int], drawn: list[int]) -> float:
    """bpr over the other lanes' items and the drawn ones that the lane's user never had, weighed by confidence."""
    log, total = made.log, 0.0
    table = made.net.table.detach().double().numpy()
    bias = made.net.output_bias.detach().double().numpy()
    for lane, event in enumerate(events):
        target, user = int(log.items[event + 1]), int(log.users[event])
        own = set(log.items[log.indptr[user] : log.indptr[user + 1]].tolist())
        others = [int(log.items[other + 1]) for other in events] + drawn
        score = hidden[lane] @ table[target] + bias[target]
        found = [math.log(1 + math.exp(hidden[lane] @ table[j] + bias[j] - score)) for j in others if j not in own]
        total += float(log.values[event + 1]) * (sum(found) / len(found) if found else 0.0)
    return total / made.lanes


@pytest.mark.parametrize("negatives", [4, 0])
def test_negatives_are_the_other_lanes_items_and_drawn_ones_and_never_the_users_own(negatives: int) -> None:
    log = random_log(4, 12, I, 90, weighted=True)
    made = task(log, loss="bpr", alpha=0.5, negatives=negatives)
    before = made.net.scorer()
    wide = {name: array.astype(np.float64) for name, array in before.layers.items()}
    step = next(made.steps(0, 0))
    got = float(step.loss().detach())
    events = made.line(np.random.default_rng([3, 1, 0, 0]))[0][0].tolist()
    hidden = [reference.states(before.table.astype(np.float64), wide, 1, [int(log.items[e])])[-1] for e in events]
    drawn = made.sampler.draw(negatives, np.random.default_rng([3, 1, 1])).tolist()
    assert got == pytest.approx(slow_loss(made, hidden, events, drawn), rel=1e-4)


@pytest.mark.parametrize("how", [{"batches": "windows"}, {"batches": "sessions", "batch_size": 1}])
def test_a_sampled_loss_with_nothing_to_be_sampled_is_refused(how: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="no-negatives"):
        GRU4Rec(loss="bpr", negatives=0, **how).fit(dataset(random_log(4, 6, I, 60, weighted=False)))


@pytest.mark.parametrize("loss", ["cross_entropy", "bpr_max"])
def test_two_processes_share_a_step_and_carry_the_same_states(loss: str, monkeypatch: pytest.MonkeyPatch) -> None:
    log = random_log(4, 12, I, 90, weighted=True)

    def taken(share: slice | None) -> tuple[float, Tensor, Tensor]:
        with monkeypatch.context() as one:
            if share is not None:
                one.setattr(processes, "share", lambda n: share)
            made = task(log, loss=loss, dropout=0.3)
            first, second = list(made.steps(0, 0))[:2]
            first.loss()
            lost = second.loss()
            lost.backward()
            grad = made.net.table.grad
            assert grad is not None
            return float(lost.detach()), grad, made.net.carried  # type: ignore[return-value]

    whole, *parts = [taken(share) for share in (None, slice(0, None, 2), slice(1, None, 2))]
    assert whole[0] == pytest.approx(parts[0][0] + parts[1][0], rel=1e-5)
    torch.testing.assert_close(whole[1], parts[0][1] + parts[1][1], atol=1e-6, rtol=1e-4)
    assert torch.equal(whole[2], parts[0][2])
    assert torch.equal(whole[2], parts[1][2])


def test_items_may_begin_elsewhere() -> None:
    log = random_log(4, 12, I, 90, weighted=False)
    vectors = np.random.default_rng(0).normal(size=(I, DIM)).astype(np.float32)
    data = replace(dataset(log), item_vectors={"mine.csv": vectors})
    recipe = GRU4Rec(dim=DIM, batches="sessions", init_items="mine.csv")
    net = RecurrentNet(Shape(I, DIM, DIM, 1, 0.0, 20), seeded(1), tied=True)
    SessionParallel("gru4rec", recipe, net, data, Run(seed=3))
    alike = np.corrcoef(net.table.detach().numpy().ravel(), (vectors - vectors.mean(0)).ravel())[0, 1]
    assert alike > 0.999


def test_expected_counts_correct_the_sampled_softmax() -> None:
    log = random_log(4, 12, I, 90, weighted=False)
    made = task(log, alpha=0.5, batch_size=5, negatives=4)
    counts = np.bincount(log.items, minlength=I).astype(float)
    want = 4 * counts / counts.sum() + 4 * np.sqrt(counts) / np.sqrt(counts).sum()
    np.testing.assert_allclose(made.log_q.exp().numpy(), want, rtol=1e-5)


@pytest.mark.parametrize("loss", ["cross_entropy", *get_args(Sampled)])
def test_every_loss_falls_on_what_can_be_learnt(loss: str) -> None:
    """Everybody goes round the same circle of items, from a place of his own."""
    users, steps = np.repeat(np.arange(30), 6), np.tile(np.arange(6), 30)
    log = Interactions.from_events(users, (users * 5 + steps) % I, steps, n_users=30, n_items=I)
    told: list[Any] = []
    recipe = GRU4Rec(dim=16, dropout=0.0, batch_size=10, negatives=8, batches="sessions", loss=loss, epochs=60,  # type: ignore[arg-type]
                     lr=0.03)
    scorer = recipe.fit(dataset(log), Run(seed=1, threads=1, journal=told.append))
    assert told[-1]["loss"] < 0.7 * told[0]["loss"]
    unseen = log.matrix().toarray() == 0  # what he has had is no negative of his, and is pushed nowhere
    best = np.where(unseen, scorer.score(Queries.of(log)), -np.inf).argmax(1)
    assert (best == (np.arange(30) * 5 + 6) % I).mean() > 0.85


def test_what_is_carried_outlives_a_stop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = random_log(4, 30, I, 300, weighted=False)
    recipe = GRU4Rec(dim=8, batch_size=8, negatives=8, batches="sessions", loss="bpr_max", epochs=3, layers=2)
    run = Run(seed=1, threads=1, checkpoint=tmp_path)
    whole = recipe.fit(dataset(log), run.with_(checkpoint=None))
    step, taken = train._Loop._step, 0

    def counted(self: Any, given: Any) -> float:
        nonlocal taken
        taken += 1
        if taken in (7, 60):
            os.kill(os.getpid(), signal.SIGINT)
        return step(self, given)

    monkeypatch.setattr(train._Loop, "_step", counted)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            recipe.fit(dataset(log), run)
    again = recipe.fit(dataset(log), run)
    np.testing.assert_array_equal(again.output, whole.output)
    np.testing.assert_array_equal(again.layers["1.state.weight"], whole.layers["1.state.weight"])
