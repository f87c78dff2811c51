"""SASRec, BERT4Rec and S3-Rec: what a training of theirs must keep, and what their loss may be."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import torch

from matinee import catalog
from matinee.contract import Queries, Recommender, Run, Scorer
from matinee.data.interactions import Interactions
from matinee.errors import ConfigError
from matinee.nn import train
from matinee.nn.losses import Sampled
from matinee.scoring.transformer import Transformer
from tests.models.test_als import dataset
from tests.numerics.logs import random_log

NAMES = ("sasrec", "bert4rec", "s3rec")
LOG = random_log(6, 60, 37, 500, weighted=True)


def recipe(name: str, **settings: Any) -> Recommender:
    more = {"associated": 0, "attributes": 0, "pretrain_epochs": 2} if name == "s3rec" else {}
    small = {"dim": 4, "width": 4, "heads": 1, "length": 9, "epochs": 2, "batch_size": 30, "lr": 0.01}
    return catalog.load(name)(**{**small, **more, **settings})


def weights(scorer: Scorer) -> dict[str, Any]:
    assert isinstance(scorer, Transformer)
    return {"table": scorer.table, "bias": scorer.bias, **scorer.layers}


def same(one: Scorer, other: Scorer) -> bool:
    return all(np.array_equal(array, weights(other)[name]) for name, array in weights(one).items())


@pytest.mark.parametrize("name", NAMES)
def test_users_with_nothing_or_one_item_are_learnt_from_and_served(name: str) -> None:
    sparse = Interactions.from_events([1, 2, 2, 4], [0, 1, 2, 2], n_users=6, n_items=4)
    for log in (sparse, sparse.select(sparse.users == 1), Interactions.empty(3, 4)):
        told: list[Mapping[str, Any]] = []
        scorer = recipe(name, batch_size=2).fit(dataset(log), Run(threads=1, journal=told.append))
        assert all(np.isfinite(facts["loss"]) for facts in told)
        scores = scorer.score(Queries.of(log))
        assert np.isfinite(scores).all()
        np.testing.assert_array_equal(scores[0], scorer.score(Queries.of(Interactions.empty(1, 4)))[0])


@pytest.mark.parametrize("name", NAMES)
def test_the_result_is_the_best_validated_epoch_and_a_later_fit_stops_there(name: str) -> None:
    made = recipe(name, epochs=9, patience=3, schedule="cosine", warmup=0.3)
    values, seen = iter([0.1, 0.5, 0.3, 0.7, 0.2, 0.6, 0.7, 0.9]), list[Scorer]()

    def validate(scorer: Scorer) -> float:
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


@pytest.mark.parametrize("name", NAMES)
def test_no_global_generator_is_touched(name: str) -> None:
    before = torch.get_rng_state(), random.getstate(), repr(np.random.get_state())  # noqa: NPY002
    recipe(name).fit(dataset(LOG), Run(threads=1))
    assert torch.equal(torch.get_rng_state(), before[0])
    assert (random.getstate(), repr(np.random.get_state())) == before[1:]  # noqa: NPY002


@pytest.mark.parametrize("name", NAMES)
def test_memory_is_level_from_the_second_epoch_on(name: str) -> None:
    """Scores that were kept would be 15 MB a step."""
    log, resident = random_log(1, 1_000, 3_000, 30_000, weighted=False), list[int]()

    def measured(facts: Mapping[str, Any]) -> None:
        if "loss" in facts:
            pages = int(Path("/proc/self/statm").read_text().split()[1])
            resident.append(pages * os.sysconf("SC_PAGE_SIZE"))

    made = recipe(name, epochs=6, batch_size=128, **({"pretrain_epochs": 6} if name == "s3rec" else {}))
    made.fit(dataset(log), Run(journal=measured, threads=1))
    for part in (resident[:6], resident[-6:]):
        assert min(part[-2:]) - part[1] < 12_000_000


@pytest.mark.parametrize("name", NAMES)
def test_a_training_stopped_at_any_step_goes_on_to_the_same_bits(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also in the first part of S3-Rec, and between its parts."""
    made = recipe(name)
    want = made.fit(dataset(LOG), Run(seed=2, threads=1))
    step, done = train._Loop._step, 0

    def counted(*arguments: Any) -> float:
        nonlocal done
        done += 1
        if done == stop:
            os.kill(os.getpid(), signal.SIGINT)
        return step(*arguments)

    monkeypatch.setattr(train._Loop, "_step", counted)
    total = 8 if name == "s3rec" else 4
    for stop in range(1, total + 1):
        done = 0
        run = Run(seed=2, threads=1, checkpoint=tmp_path / str(stop))
        with pytest.raises(KeyboardInterrupt):
            made.fit(dataset(LOG), run)
        assert same(made.fit(dataset(LOG), run), want), stop
        assert done == total


@pytest.mark.parametrize("loss", get_args(Sampled))
@pytest.mark.parametrize("shared", [True, False])
def test_every_sampled_loss_trains(loss: str, shared: bool) -> None:
    """A user who has everything has no negative, and breaks nothing."""
    everything = Interactions.from_events([0] * 37 + [1, 1, 1], [*range(37), 3, 4, 5], n_users=2, n_items=37)
    for log in (LOG, everything):
        told: list[Mapping[str, Any]] = []
        made = recipe("sasrec", loss=loss, shared=shared, negatives=5, epochs=12, lr=0.02, alpha=0.5, dropout=0.0)
        made.fit(dataset(log), Run(threads=1, journal=told.append))
        told = [facts for facts in told if "epoch" in facts]
        assert all(np.isfinite(facts["loss"]) for facts in told)
    assert told[-1]["loss"] < told[0]["loss"]


@pytest.mark.parametrize("name", NAMES)
def test_heads_divide_a_vector(name: str) -> None:
    with pytest.raises(ConfigError, match="bad-heads"):
        recipe(name, heads=3).fit(dataset(LOG))
