"""The loop of FPMC, PRME, FME and TransRec: a seed decides every bit, validation chooses the epoch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from matinee.contract import Queries, Run
from matinee.data.interactions import Interactions
from matinee.errors import DataError
from matinee.models.fme import FME
from matinee.models.fpmc import FPMC
from matinee.models.prme import PRME
from matinee.models.transrec import TransRec
from matinee.scoring import markov_training
from matinee.scoring.markov import MarkovFactors
from matinee.scoring.markov_training import LearntChain
from matinee.testing.toy import planted
from tests.models.test_als import dataset
from tests.numerics.logs import random_log

SETTINGS: dict[str, Any] = {"dim": 7, "epochs": 4, "lr": 0.1, "l2": 0.02, "draws": 3, "window": 3}
RECIPES: dict[str, LearntChain] = {
    "fpmc": FPMC(**SETTINGS), "prme": PRME(**SETTINGS), "fme": FME(**SETTINGS), "transrec": TransRec(**SETTINGS),
    "transrec l1": TransRec(distance="l1", **SETTINGS),
}
names = pytest.mark.parametrize("name", RECIPES)
TABLES = ("users", "liked", "before", "after", "biases", "shift")


@pytest.fixture(scope="module")
def log() -> Interactions:
    """Items enough for several blocks."""
    return random_log(3, 150, 700, 6_000, weighted=True)


def same(one: MarkovFactors, two: MarkovFactors) -> bool:
    return all(np.array_equal(getattr(one, name), getattr(two, name)) for name in TABLES
               if getattr(one, name) is not None)


@names
def test_threads_change_no_bit(name: str, log: Interactions) -> None:
    one, two = (RECIPES[name].fit(dataset(log), Run(seed=4, threads=threads)) for threads in (1, 3))
    assert same(one, two)
    assert not same(one, RECIPES[name].fit(dataset(log), Run(seed=5)))


@names
def test_a_confidence_counts_in_proportion_to_the_mean(name: str, log: Interactions) -> None:
    one, twice, even = (RECIPES[name].fit(dataset(log.with_values(values)), Run(seed=4))
                        for values in (log.values, 2 * log.values, np.ones(len(log), np.float32)))
    assert same(one, twice)
    assert not np.allclose(one.after, even.after, atol=1e-4)


@names
def test_the_journal_tells_loss_and_skipped_steps_by_epoch(name: str, log: Interactions) -> None:
    told: list[Mapping[str, Any]] = []
    steps: list[tuple[str, int, int]] = []
    RECIPES[name].fit(dataset(log), Run(seed=4, journal=told.append, progress=lambda *step: steps.append(step)))
    assert [sorted(facts) for facts in told] == [["epoch", "loss", "skipped"]] * 4
    assert steps == [(name.split()[0], epoch, 4) for epoch in range(1, 5)]
    assert told[0]["loss"] > told[-1]["loss"] > 0
    assert {facts["skipped"] for facts in told} == {0.0}


def test_validation_keeps_the_best_epoch_and_stops_after_patience(log: Interactions) -> None:
    worth = iter([0.1, 0.5, 0.3, 0.2, 0.9])
    told: list[Mapping[str, Any]] = []
    recipe = replace(RECIPES["fpmc"], epochs=9, patience=2)
    best = recipe.fit(dataset(log), Run(seed=4, validate=lambda scorer: next(worth), journal=told.append))
    assert best.found == {"stop_at": 2}
    assert [facts["validation"] for facts in told] == [0.1, 0.5, 0.3, 0.2]
    again = recipe.fit(dataset(log), Run(seed=4, stop_at=2))
    assert same(best, again)
    assert again.found == {"stop_at": 2}
    assert replace(recipe, epochs=2).fit(dataset(log), Run(seed=4)).found == {}


def test_a_validation_that_is_no_number_is_an_error(log: Interactions) -> None:
    with pytest.raises(DataError, match="bad-validation: fpmc: epoch 1 is worth nan"):
        RECIPES["fpmc"].fit(dataset(log), Run(validate=lambda scorer: float("nan")))


@names
def test_a_log_without_pairs_is_a_model_that_answers(name: str) -> None:
    single = Interactions.from_events([0, 1], [0, 1], n_users=3, n_items=4)
    for some in (Interactions.empty(2, 4), single):
        scores = RECIPES[name].fit(dataset(some)).score(Queries.of(single))
        assert np.isfinite(scores).all()


@names
def test_an_item_that_nobody_had_stands_below_all(name: str, log: Interactions) -> None:
    had = log.item_counts() > 0
    assert not had.all()
    for gaps in (False, True):
        recipe = replace(RECIPES[name], gaps=gaps, dim=2, lr=0.3)
        scores = recipe.fit(dataset(log), Run(seed=4)).score(Queries.of(log))
        below = scores[:, ~had].max(axis=1) <= scores[:, had].min(axis=1)
        if name == "fpmc":  # by its bias alone, as in bpr
            assert (scores[:, ~had] < np.median(scores[:, had], axis=1)[:, None]).all()
        else:
            assert below.all()


@names
def test_steps_that_are_too_long_are_an_error_that_names_the_epoch(name: str, log: Interactions) -> None:
    with pytest.raises(DataError, match=r"diverged: \w+: vectors are not finite after epoch \d+; lower lr or raise l2"):
        replace(RECIPES[name], lr=10.0, l2=10.0, epochs=100).fit(dataset(log))


@pytest.mark.parametrize("value", [0.0, -1.0])
def test_confidences_that_are_no_weights_are_an_error(log: Interactions, value: float) -> None:
    with pytest.raises(DataError, match=f"bad-confidence: the mean confidence is {value}; give confidences above 0"):
        RECIPES["fpmc"].fit(dataset(log.with_values(np.full(len(log), value, np.float32))))


def test_popular_items_are_drawn_more_often_where_the_exponent_says_so() -> None:
    toy = planted()
    tail = np.argsort(toy.data.log.item_counts())[:10]
    even, popular = (replace(RECIPES["fpmc"], popularity_exponent=alpha).fit(toy.data, Run(seed=1)).biases[tail]
                     for alpha in (0.0, 2.0))
    assert (popular > even).all()


@names
def test_a_history_that_grew_finds_no_less_than_the_stored_vector(name: str) -> None:
    """Half of each user's events are learnt from; with the whole history, more of the planted taste is found."""
    toy = planted()
    whole = toy.data.log
    early = whole.select(np.arange(len(whole)) - whole.indptr[whole.users] < whole.counts[whole.users] // 2)
    recipe = replace(RECIPES[name], epochs=60, query_length=10, query_decay=0.9)
    scorer = recipe.fit(toy.data.with_log(early), Run(seed=1))
    stays = replace(scorer, fitted_on=recipe.fit(toy.data).fitted_on)  # takes the whole history for the old one
    assert np.array_equal(stays.user_vectors(toy.queries()), scorer.users)
    assert not np.array_equal(scorer.user_vectors(toy.queries()), scorer.users)
    assert toy.recall(scorer, known=early.counts) >= toy.recall(stays, known=early.counts) - 0.02


def test_a_window_pairs_with_items_further_on_the_nearer_the_more() -> None:
    """Of a long history each distance k is drawn in proportion to 1/k, of a short one among those there are."""
    n = 4_000
    long = Interactions.from_events(np.zeros(n), np.arange(n), np.arange(n), n_users=1, n_items=n)
    told = []  # the pairs on their way to the kernel
    made = markov_training.pairs_of

    def seen(*given: Any) -> Any:
        told.append(made(*given))
        return told[-1]

    markov_training.pairs_of = seen  # type: ignore[assignment]
    try:
        FPMC(dim=2, epochs=1, window=4).fit(dataset(long))
    finally:
        markov_training.pairs_of = made
    back = told[0].after - told[0].before
    assert back[:1].tolist() == [1]
    shares = np.bincount(back, minlength=5)[1:] / len(back)
    np.testing.assert_allclose(shares, np.array([12, 6, 4, 3]) / 25, atol=0.03)
