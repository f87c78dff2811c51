"""What a step of an autoencoder is made of: who is in it, what is hidden, how weights move, and by turns."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array

from matinee.contract import Run
from matinee.data.interactions import Interactions
from matinee.models.multi_dae import MultiDAE
from matinee.models.rec_vae import RecVAE
from matinee.nn.autoencoder import AutoencoderNet, seeded
from matinee.nn.composite_prior import Alternation
from matinee.nn.reconstruction import Reconstruction
from matinee.nn.train import train
from tests.models.test_als import dataset
from tests.numerics.logs import random_log
from tests.reference import autoencoders as reference

LOG = random_log(6, 60, 37, 500, weighted=True)
USERS = np.flatnonzero(LOG.counts)


def task(log: Interactions = LOG, **settings: Any) -> Reconstruction:
    recipe = MultiDAE(**{"dim": 5, "batch_size": 16, **settings})
    net = AutoencoderNet(recipe.layout(log.n_items, variational=False, scale="l2"), seeded(1))
    return Reconstruction("multi_dae", recipe, net, dataset(log), Run(seed=1))


def alternation(**settings: Any) -> Alternation:
    recipe = RecVAE(**{"dim": 5, "hidden": (6, 6), "batch_size": 16, "encoder_passes": 2, **settings})
    net = AutoencoderNet(recipe.deep_layout(37), seeded(1))
    return Alternation("rec_vae", recipe, net, dataset(LOG), Run(seed=1), recipe.pull, recipe.encoder_passes)


def batches(made: Reconstruction, epoch: int, start: int = 0) -> list[list[int]]:
    return [rows.tolist() for _, rows in made.batches(epoch, 0, start)]


def test_an_epoch_asks_everybody_with_a_history_once_in_an_order_of_its_own() -> None:
    made = task()
    first, second = batches(made, 0), batches(made, 1)
    assert len(first) == made.steps_an_epoch == -(-len(USERS) // 16)
    assert sorted(np.concatenate(first)) == sorted(np.concatenate(second)) == USERS.tolist()
    assert first != second
    assert batches(task(), 0) == first
    assert batches(made, 1, start=2) == second[2:]


def long_rows(n: int) -> csr_array:
    return task().inputs[np.full(n, np.argmax(LOG.counts))]


@pytest.mark.parametrize("settings", [{"dropout": 0.5}, {"dropout": 0.2}, {"dropout": 0.5, "dropout_spread": 0.4},
                                      {"dropout": 0.3, "noise": 0.5}], ids=str)
def test_damage_takes_items_out_and_keeps_what_is_to_be_expected(settings: dict[str, float]) -> None:
    n, whole = 4_000, long_rows(4_000)
    made = task(**settings)
    damaged = made.damaged(whole, np.random.default_rng(1))
    assert damaged.nnz == len(damaged.data) < whole.nnz  # hidden items are gone, and do not stand there as 0
    assert abs(damaged.nnz / whole.nnz - (1 - settings["dropout"])) < 0.02
    assert not ((damaged.toarray() != 0) & (whole.toarray() == 0)).any()
    got, want = damaged.toarray().astype(float), whole.toarray()[0]
    assert (np.abs(got.mean(0) - want) <= 4.5 * got.std(0) / n**0.5).all()
    if "noise" not in settings and "dropout_spread" not in settings:
        np.testing.assert_allclose(damaged.data, whole.data[0] / (1 - settings["dropout"]), rtol=1e-6)


def test_a_spread_gives_each_user_a_share_of_his_own() -> None:
    wide = Interactions.from_events(np.repeat(np.arange(300), 400), np.tile(np.arange(400), 300),
                                    n_users=300, n_items=400)
    for spread, least, most in ((0.0, 0.4, 0.6), (0.4, 0.05, 0.95)):
        made = task(wide, dropout=0.5, dropout_spread=spread)
        hidden = 1 - np.diff(made.damaged(made.inputs, np.random.default_rng(2)).indptr) / 400
        assert least < hidden.min() < hidden.max() < most
        assert (hidden.max() - hidden.min() > 0.6) == bool(spread)


def test_noise_is_in_proportion_to_what_is_left() -> None:
    made, whole = task(dropout=0.0, noise=0.3), long_rows(4_000)
    off = made.damaged(whole, np.random.default_rng(1)).data / whole.data - 1
    assert off.std() == pytest.approx(0.3, rel=0.02)
    assert abs(off.mean()) < 0.01


def test_weights_move_as_adam_with_decay_apart_has_it() -> None:
    """Three steps, each with a gradient taken anew by the loss itself."""
    settings = {"dropout": 0.0, "lr": 0.03, "weight_decay": 0.2, "epochs": 3, "batch_size": 100}
    made, other = task(**settings), task(**settings)
    names = dict(other.net.named_parameters())
    gradients: dict[str, list[np.ndarray]] = {name: [] for name in names}
    start = {name: parameter.detach().double().numpy().copy() for name, parameter in names.items()}
    for epoch in range(3):
        other.net.zero_grad()
        next(other.steps(epoch, 0)).loss().backward()
        for name, parameter in names.items():
            gradients[name].append(parameter.grad.double().numpy())  # type: ignore[union-attr]
            with torch.no_grad():
                parameter.copy_(torch.from_numpy(reference.adamw(start[name], gradients[name], 0.03, 0.2)))
    train(made, made.recipe, Run(seed=1, threads=1), {}, lambda scorer, epoch: scorer)
    for name, parameter in made.net.named_parameters():
        np.testing.assert_allclose(parameter.detach(), names[name].detach(), rtol=1e-4, atol=1e-4, err_msg=name)


def moved(made: Alternation, number: int) -> set[str]:
    """The network's parameters that step `number` of epoch 0 has a gradient for."""
    made.net.zero_grad()
    step = next(made.steps(0, number))
    step.loss().backward()
    due = {id(parameter) for parameter in made.parts()[step.part]}
    names = {name for name, parameter in made.net.named_parameters() if parameter.grad is not None}
    assert names == {name for name, parameter in made.net.named_parameters() if id(parameter) in due}
    return names


def test_encoder_and_output_move_by_turns() -> None:
    made = alternation()
    a_pass, everything = made.steps_a_pass, {name for name, _ in made.net.named_parameters()}
    assert made.steps_an_epoch == 3 * a_pass
    for number in range(3 * a_pass):
        names = moved(made, number)
        assert names == ({"output", "output_bias"} if number >= 2 * a_pass else everything - {"output", "output_bias"})
    whole = [parameter for part in made.parts().values() for parameter in part]
    assert {id(parameter) for parameter in whole} == {id(parameter) for parameter in made.net.parameters()}


def test_the_encoder_is_remembered_between_its_passes_and_the_outputs() -> None:
    made = alternation()
    start = {name: tensor.clone() for name, tensor in made.remembering.old.state_dict().items()}
    assert set(start) == set(made.net.state_dict()) - {"output", "output_bias"}
    for number, _ in enumerate(made.steps(0, 0)):
        with torch.no_grad():
            if number < 2 * made.steps_a_pass:
                for parameter in made.parts()["encoder"]:
                    parameter += 0.1
        now, old = made.net.state_dict(), made.remembering.old.state_dict()
        for name, tensor in old.items():
            assert torch.equal(tensor, now[name] if number >= 2 * made.steps_a_pass else start[name]), (number, name)
    kept = {name for name in made.network.state_dict() if name.startswith("old.")}
    assert kept == {f"old.{name}" for name in start}  # a checkpoint holds it


def test_only_the_encoder_sees_damage(monkeypatch: pytest.MonkeyPatch) -> None:
    made, read = alternation(dropout=0.6), list[tuple[bool, csr_array]]()
    forward = AutoencoderNet.forward

    def spy(net: AutoencoderNet, given: csr_array, generator: Any) -> Any:
        read.append((net is made.net, given))
        return forward(net, given, generator)

    monkeypatch.setattr(AutoencoderNet, "forward", spy)
    for number in (0, 2 * made.steps_a_pass):
        read.clear()
        rows = next(rows for _, rows in made.batches(0, number // made.steps_a_pass, 0))
        next(made.steps(0, number)).loss()
        whole = made.inputs[rows]
        sizes = [(mine, given.nnz == whole.nnz) for mine, given in read]
        assert sizes == ([(True, False), (False, True)] if number == 0 else [(True, True)])


def test_the_distance_weighs_as_much_as_a_history_has(monkeypatch: pytest.MonkeyPatch) -> None:
    made, asked = alternation(gamma=0.01, dropout=0.0), list[np.ndarray]()
    pull = made.pull
    assert pull is not None
    made.pull = lambda mass, done: asked.append(pull(mass, done)) or asked[-1]  # type: ignore[func-returns-value]
    rows = next(rows for _, rows in made.batches(0, 0, 0))
    with_it = float(made.encoder_loss(rows, 0, 0).detach())
    weights = LOG.matrix().toarray()[rows].sum(1)
    np.testing.assert_allclose(asked[0], 0.01 * weights, rtol=1e-5)
    mine, over, rng, generator = made.drawn(rows, 0, 0)
    with torch.no_grad():
        passed = made.net(made.damaged(made.inputs[mine], rng), generator)
        distances = made.distance(passed, mine).numpy()
        rest = float(made.unlikelihood(passed, (made.net.output, made.net.output_bias), mine, over))
    assert with_it == pytest.approx(rest + float((0.01 * weights * distances).mean()), rel=1e-5)


def test_a_layer_between_may_be_missing() -> None:
    for hidden in ((), (6,)):
        made = alternation(hidden=hidden)
        assert torch.isfinite(next(made.steps(0, 0)).loss())
    assert replace(RecVAE(), hidden=()).deep_layout(5).widths == (200,)
