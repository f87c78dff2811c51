"""The traps of autoencoders, each as a test of every model that could fall into it."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array

from matinee import catalog
from matinee.contract import Queries, Run, Scorer
from matinee.data.interactions import Interactions
from matinee.errors import ConfigError
from matinee.models.multi_vae import MultiVAE
from matinee.models.rec_vae import RecVAE
from matinee.models.vae import VAE
from matinee.nn import reconstruction
from matinee.nn.autoencoder import AutoencoderNet
from matinee.nn.reconstruction import Autoencoding, Reconstruction, Variational
from matinee.scoring.autoencoder import Autoencoder
from matinee.testing.toy import planted
from tests.models.test_als import dataset
from tests.numerics.logs import random_log

NAMES = ("dae", "multi_dae", "multi_vae", "profile_dae", "rec_vae", "vae")
I = 37
LOG = random_log(6, 60, I, 500, weighted=True)
RUN = Run(threads=1)


def recipe(name: str, **settings: Any) -> Autoencoding:
    layers = {"rec_vae": (7, 7), "multi_vae": (7,)}.get(name, ())
    made = catalog.load(name)(**{"dim": 5, "hidden": layers, "epochs": 4, "batch_size": 16, "lr": 0.01, **settings})
    assert isinstance(made, Autoencoding)
    return made


def weights(scorer: Autoencoder) -> dict[str, NDArray[np.float32]]:
    return {"table": scorer.table, "output": scorer.output, "bias": scorer.bias, **scorer.layers}


def same(one: Autoencoder, other: Autoencoder) -> bool:
    return all(np.array_equal(array, weights(other)[name]) for name, array in weights(one).items())


@pytest.fixture
def tasks(monkeypatch: pytest.MonkeyPatch) -> list[Reconstruction]:
    """Whatever is trained."""
    kept: list[Reconstruction] = []
    init = Reconstruction.__init__

    def noted(task: Reconstruction, *arguments: Any) -> None:
        kept.append(task)
        init(task, *arguments)

    monkeypatch.setattr(Reconstruction, "__init__", noted)
    return kept


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[csr_array]:
    """Whatever a network is given to read."""
    given: list[csr_array] = []
    forward = AutoencoderNet.forward

    def noted(net: AutoencoderNet, inputs: csr_array, *more: Any) -> Any:
        given.append(inputs)
        return forward(net, inputs, *more)

    monkeypatch.setattr(AutoencoderNet, "forward", noted)
    return given


@pytest.mark.parametrize("name", NAMES)
def test_a_users_loss_does_not_hang_on_who_else_is_in_the_batch(name: str, tasks: list[Reconstruction]) -> None:
    """A softmax over a batch that was flattened would."""
    recipe(name).fit(dataset(LOG), RUN)
    task, users = tasks[0], np.flatnonzero(LOG.counts)[:9]

    def lost(rows: NDArray[np.int64]) -> float:
        with torch.no_grad():
            passed = task.net(task.inputs[rows], None)
            return float(task.unlikelihood(passed, (task.net.output, task.net.output_bias), rows, 1))

    assert lost(users) == pytest.approx(sum(lost(users[[n]]) for n in range(9)), rel=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_hidden_is_in_no_input(name: str, read: list[csr_array]) -> None:
    """An item that one user alone had is read while it is his, and by nobody where it is held out to validate."""
    users, items = np.append(LOG.users, 4), np.append(LOG.items, I)
    with_it = Interactions.from_events(users, items, n_users=60, n_items=I + 1)
    without = with_it.select(with_it.items != I)
    asked: list[float] = []

    def validate(scorer: Scorer) -> float:
        asked.append(float(scorer.score(Queries.of(without))[4, I]))
        return 0.0

    for log, due in ((with_it, True), (without, False)):
        read.clear()
        recipe(name, dropout=0.0).fit(dataset(log), RUN.with_(validate=validate))
        assert any(bool((inputs.indices == I).any()) for inputs in read) == due
        assert all(inputs.shape[1] == I + 1 for inputs in read)
    assert len(asked) == 8
    scorer = recipe(name).fit(dataset(with_it), RUN)
    assert not np.allclose(scorer.score(Queries.of(with_it))[4], scorer.score(Queries.of(without))[4])


@pytest.mark.parametrize("kind", [MultiVAE, VAE])
@pytest.mark.parametrize(("epochs", "anneal", "beta"), [(5, 0.2, 0.2), (20, 0.2, 0.2), (8, 0.5, 0.7), (6, 1.0, 1.0),
                                                        (3, 0.0, 0.4)])
def test_the_divergence_weighs_most_after_the_stated_share_of_updates(
    monkeypatch: pytest.MonkeyPatch, kind: type[Variational], epochs: int, anneal: float, beta: float
) -> None:
    """Whatever the number of epochs, and also where training stops before the last."""
    told: list[float] = []
    pull = Variational.pull

    def noted(made: Variational, mass: NDArray[np.float32], done: float) -> NDArray[np.float32]:
        told.append(float(pull(made, mass, done)[0]))
        return pull(made, mass, done)

    monkeypatch.setattr(Variational, "pull", noted)
    made = kind(dim=3, hidden=(), epochs=epochs, batch_size=16, anneal=anneal, beta=beta)
    made.fit(dataset(LOG), RUN)
    total = epochs * -(-np.count_nonzero(LOG.counts) // 16)
    want = [beta * min(1.0, t / (anneal * total)) if anneal else beta for t in range(total)]
    np.testing.assert_allclose(told, want, rtol=1e-5)
    assert max(told) == pytest.approx(beta, rel=0.08)
    told.clear()
    made.fit(dataset(LOG), RUN.with_(stop_at=2))
    np.testing.assert_allclose(told, want[: 2 * total // epochs], rtol=1e-5)


def test_the_divergence_does_not_drown_a_logistic_likelihood() -> None:
    """Were it a mean over these 48 items, a beta of 0.2 would do as 9.6 does: all codes alike, and popularity."""
    toy, spread, found = planted(), list[float](), list[float]()
    for beta in (0.2, 9.6):
        made = VAE(dim=8, epochs=20, lr=0.02, batch_size=32, beta=beta, anneal=0.0)
        scorer = made.fit(toy.data, Run(seed=1, threads=1))
        spread.append(float(scorer.vectors(toy.queries()).std(0).max()))
        found.append(toy.recall(scorer))
    assert spread[0] > 3 * spread[1]
    assert found[0] > 0.95 > 0.7 > found[1]


@pytest.mark.parametrize("name", NAMES)
def test_a_confidence_is_of_its_user_and_item_also_in_the_last_batch(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each pair has a weight of its own, so that one that slipped would be seen; inputs know nothing of them."""
    pairs = LOG.matrix()
    marked = csr_array((1 + np.arange(pairs.nnz, dtype=np.float32), pairs.indices, pairs.indptr), shape=pairs.shape)
    users, items = marked.nonzero()
    log = Interactions.from_events(users, items, values=marked.data, n_users=60, n_items=I)
    seen: list[csr_array] = []
    output_loss = reconstruction.output_loss

    def noted(*arguments: Any, **named: Any) -> Any:
        seen.append(arguments[3])
        return output_loss(*arguments, **named)

    monkeypatch.setattr(reconstruction, "output_loss", noted)
    recipe(name, epochs=1).fit(dataset(log), RUN)
    sizes = [observed.shape[0] for observed in seen]
    assert 0 < sizes[-1] < sizes[0] == 16
    whole = marked.toarray()
    for observed in seen:
        for row in observed.toarray():
            assert (whole == row).all(axis=1).any(), "a user's confidences with another's items"


@pytest.mark.parametrize("name", NAMES)
def test_places_in_a_batch_mean_nothing_and_confidence_counts_in_the_loss_alone(
    name: str, tasks: list[Reconstruction]
) -> None:
    recipe(name).fit(dataset(LOG), RUN)
    recipe(name).fit(dataset(LOG.with_values(np.ones(len(LOG), np.float32))), RUN)
    weighted, plain = tasks
    rows = np.flatnonzero(LOG.counts)[-7:]
    output = weighted.net.output, weighted.net.output_bias

    def lost(task: Reconstruction, rows: NDArray[np.int64]) -> float:
        with torch.no_grad():
            return float(task.unlikelihood(weighted.net(task.inputs[rows], None), output, rows, 7))

    assert lost(weighted, rows[::-1]) == pytest.approx(lost(weighted, rows), rel=1e-6)
    assert lost(weighted, rows) != pytest.approx(lost(plain, rows), rel=1e-2)
    np.testing.assert_array_equal(weighted.inputs.toarray(), plain.inputs.toarray())


@pytest.mark.parametrize("name", NAMES)
def test_users_with_nothing_or_one_item_are_learnt_from_and_served(name: str) -> None:
    sparse = Interactions.from_events([1, 2, 2, 4], [0, 1, 2, 2], n_users=6, n_items=4)
    for log in (sparse, sparse.select(sparse.users == 1), Interactions.empty(3, 4)):
        told: list[Mapping[str, Any]] = []
        scorer = recipe(name, batch_size=2).fit(dataset(log), RUN.with_(journal=told.append))
        assert len(told) == 4
        assert all(np.isfinite(facts["loss"]) for facts in told)
        scores = scorer.score(Queries.of(log))
        assert np.isfinite(scores).all()
        np.testing.assert_array_equal(scores[0], scorer.score(Queries.of(Interactions.empty(1, 4)))[0])


@pytest.mark.parametrize("name", NAMES)
def test_the_result_is_the_best_validated_epoch_and_a_later_fit_stops_there(name: str) -> None:
    """Schedules run over all epochs in both."""
    made = recipe(name, epochs=9, patience=3, schedule="cosine", warmup=0.3)
    values, seen = iter([0.1, 0.5, 0.3, 0.7, 0.2, 0.6, 0.7, 0.9]), list[Autoencoder]()

    def validate(scorer: Scorer) -> float:
        assert isinstance(scorer, Autoencoder)
        seen.append(scorer)
        return next(values)

    best = made.fit(dataset(LOG), Run(seed=3, threads=1, validate=validate))
    assert len(seen) == 7
    assert best.found == {"stop_at": 4}
    assert same(best, seen[3])
    assert not same(best, seen[-1])
    again = made.fit(dataset(LOG), Run(seed=3, threads=1, stop_at=4))
    assert same(again, best)
    assert again.found == best.found
    shorter = replace(made, epochs=4).fit(dataset(LOG), Run(seed=3, threads=1))
    assert not same(shorter, best)
    assert not shorter.found


@pytest.mark.parametrize("name", NAMES)
def test_no_global_generator_is_touched(name: str) -> None:
    before = torch.get_rng_state(), random.getstate(), repr(np.random.get_state())  # noqa: NPY002
    recipe(name, noise=0.1, dropout_spread=0.2).fit(dataset(LOG), RUN)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert (random.getstate(), repr(np.random.get_state())) == before[1:]  # noqa: NPY002


@pytest.mark.parametrize("name", NAMES)
def test_memory_is_level_from_the_second_epoch_on(name: str) -> None:
    """Scores that were kept would be 24 MB a pass; what the allocator does by itself is a few."""
    log, resident = random_log(1, 2_000, 3_000, 60_000, weighted=False), list[int]()

    def measured(facts: Mapping[str, Any]) -> None:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        resident.append(pages * os.sysconf("SC_PAGE_SIZE"))

    made = recipe(name, hidden=(16, 16) if name == "rec_vae" else (), dim=16, epochs=6, batch_size=256)
    made.fit(dataset(log), Run(journal=measured, threads=1, validate=lambda scorer: float(len(resident))))
    assert len(resident) == 6
    assert min(resident[-2:]) - resident[1] < 12_000_000


@pytest.mark.parametrize("name", NAMES)
def test_a_training_stopped_at_any_step_goes_on_to_the_same_bits(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also between the turns of encoder and output, just before and after the encoder is remembered."""
    made = recipe(name, epochs=2, batch_size=40)
    want = made.fit(dataset(LOG), Run(seed=2, threads=1))
    loss, steps = Reconstruction.unlikelihood, 0

    def counted(*arguments: Any) -> Any:
        nonlocal steps
        steps += 1
        if steps == stop:
            os.kill(os.getpid(), signal.SIGINT)
        return loss(*arguments)

    monkeypatch.setattr(Reconstruction, "unlikelihood", counted)
    total = 2 * 2 * (4 if name == "rec_vae" else 1)
    for stop in range(1, total + 1):
        steps = 0
        run = Run(seed=2, threads=1, checkpoint=tmp_path / str(stop))
        with pytest.raises(KeyboardInterrupt):
            made.fit(dataset(LOG), run)
        assert same(made.fit(dataset(LOG), run), want), stop
        assert steps == total


def test_layers_that_add_each_other_up_have_one_width() -> None:
    with pytest.raises(ConfigError, match=r"uneven-layers: hidden: \[600, 300\]; each layer adds up those before it; "
                                          "give all of them the same width"):
        RecVAE(hidden=(600, 300))
