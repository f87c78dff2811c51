"""FISM: the loss falls, the one it is said to fall; a history is all that a user is known by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from matinee.contract import Queries, Run
from matinee.data.interactions import Interactions
from matinee.errors import DataError
from matinee.models.fism import FISM
from tests.models.test_item_knn import dataset
from tests.numerics.logs import random_log
from tests.reference.item_item import distinct

RECIPE = FISM(dim=5, epochs=12, negatives=2, lr=0.02, batch_size=16, l2=1e-3)
LOG = random_log(7, 70, 40, 900, weighted=True)


@pytest.mark.parametrize("loss", ["rmse", "auc"])
def test_what_is_lost_falls_and_is_told_by_epoch(loss: str) -> None:
    told: list[Mapping[str, Any]] = []
    shown: list[tuple[str, int, int]] = []
    recipe = replace(RECIPE, loss=loss)
    recipe.fit(dataset(LOG), Run(journal=told.append, progress=lambda *step: shown.append(step)))
    losses = [facts["loss"] for facts in told]
    assert [facts["epoch"] for facts in told] == list(range(1, 13))
    assert losses[-1] < 0.7 * losses[0]
    assert shown == [("fism", epoch, 12) for epoch in range(1, 13)]


@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0])
def test_a_score_is_the_bias_and_what_the_history_says(alpha: float) -> None:
    form = replace(RECIPE, alpha=alpha).fit(dataset(LOG))
    got = form.score(Queries.of(LOG))
    for user in range(LOG.n_users):
        mine = distinct(LOG, user)
        said = sum((c * form.encode[j].astype(np.float64) for j, c in mine.items()), np.zeros(5))
        want = form.bias + form.decode @ said / max(1, len(mine)) ** alpha
        np.testing.assert_allclose(got[user], want, atol=1e-4)


def test_an_item_does_not_learn_to_speak_for_itself() -> None:
    """Everybody has one item and no two share one: there is nothing to learn but that, and it is not learnt."""
    alone = Interactions.from_events(np.arange(30), np.arange(30), n_users=30, n_items=30)
    form = replace(RECIPE, epochs=100).fit(dataset(alone))
    spoken = form.encode @ form.decode.T
    others = spoken[~np.eye(30, dtype=bool)]
    assert np.abs(spoken.diagonal() - others.mean()).max() < 0.1


def test_an_item_that_nobody_had_says_nothing_and_is_learnt_to_be_unlikely() -> None:
    log = LOG.select(LOG.items != 17)
    form = RECIPE.fit(dataset(log))
    assert not form.encode[17].any()
    assert form.bias[17] == form.bias.min()


def test_threads_change_no_bit_and_each_epoch_shuffles_anew() -> None:
    one, two = (RECIPE.fit(dataset(LOG), Run(seed=3, threads=threads)) for threads in (1, 3))
    for name in ("encode", "decode", "bias"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))
    other = RECIPE.fit(dataset(LOG), Run(seed=4))
    assert not np.array_equal(one.bias, other.bias)


def test_a_confidence_weighs_what_is_lost_on_a_positive() -> None:
    """An item of little confidence is believed less often than the same item of much."""
    heavy = LOG.with_values(np.where(LOG.items == 3, 8, 1).astype(np.float32))
    light = LOG.with_values(np.where(LOG.items == 3, 0.125, 1).astype(np.float32))
    first, second = (RECIPE.fit(dataset(log)).bias[3] for log in (heavy, light))
    assert first > second + 0.1


def test_a_loss_that_is_not_finite_is_an_error_that_names_the_epoch() -> None:
    huge = dataset(LOG.with_values(np.full(len(LOG), 1e30, np.float32)))
    with pytest.raises(DataError, match=r"diverged: fism: the loss is (inf|nan) in epoch \d+; lower lr or the conf"):
        RECIPE.fit(huge)
