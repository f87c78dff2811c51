"""AutoRec: the network and the regression of the slow twin, ratings foretold, and what is folded in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from matinee.contract import Queries, Run
from matinee.data.interactions import Interactions
from matinee.errors import DataError, ModelError
from matinee.models import autorec
from matinee.models.autorec import AutoRec
from matinee.nn.autoencoder import AutoencoderNet, seeded
from matinee.nn.copying import Copying
from matinee.scoring.codes import FoldedCodes
from matinee.testing import CHECKS, Subject
from matinee.testing.toy import planted
from tests.models.test_item_knn import dataset
from tests.numerics.logs import random_log
from tests.reference import autorec as reference

VARIANTS: list[dict[str, Any]] = [{"form": "item"}, {"rated": True}, {"form": "item", "rated": True}]
ALSO = [name for name in CHECKS if any(word in name for word in ("bit", "company", "fused", "nobody", "one_by_one"))]


def rated_log(seed: int, n_users: int, n_items: int, events: int) -> Interactions:
    """With repeats, confidences, events without a rating, and ratings that are the mean one."""
    log = random_log(seed, n_users, n_items, events, weighted=True)
    rating = np.random.default_rng(seed).integers(1, 6, len(log)).astype(np.float32)
    rating[::7] = np.nan
    return replace(log, columns={"rating": rating})


class Variant(Subject):
    """AutoRec at its tiny settings, some of them changed."""

    def __init__(self, changes: Mapping[str, Any]) -> None:
        super().__init__("autorec")
        object.__setattr__(self, "changes", changes)

    @property
    def tiny(self) -> dict[str, Any]:
        return {**super().tiny, **self.changes}  # type: ignore[attr-defined]


@pytest.mark.parametrize("changes", VARIANTS, ids=str)
def test_every_form_keeps_the_contract(changes: dict[str, Any]) -> None:
    subject = Variant(changes)
    for check in ALSO:
        CHECKS[check](subject)


@pytest.mark.parametrize("rated", [False, True])
@pytest.mark.parametrize("activation", ["sigmoid", "tanh"])
def test_a_user_form_gives_the_scores_of_the_slow_twin(rated: bool, activation: str) -> None:
    log = rated_log(3, 50, 30, 400)
    scorer = AutoRec(rated=rated, dim=5, epochs=3, activation=activation).fit(dataset(log), Run(seed=2))
    centre = scorer.centre
    assert (centre is not None) == rated
    net = {"V": scorer.table, "m": scorer.layers["0.bias"], "W": scorer.output, "b": scorer.bias}
    other = rated_log(4, 8, 30, 60)
    for asked in (log, other, Interactions.empty(2, 30)):
        want = [reference.copied(reference.known(asked, user, centre), net, activation)
                for user in range(asked.n_users)]
        np.testing.assert_allclose(scorer.score(Queries.of(asked)), want, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("rated", [False, True])
@pytest.mark.parametrize(("dim", "l2"), [(3, 0.1), (25, 2.0)])
def test_an_item_form_folds_in_as_the_slow_twin(rated: bool, dim: int, l2: float) -> None:
    log = rated_log(5, 50, 30, 400)
    scorer = AutoRec(form="item", rated=rated, dim=dim, l2=l2, epochs=3).fit(dataset(log), Run(seed=2))
    for asked in (log, rated_log(6, 8, 30, 60), Interactions.empty(2, 30)):
        want = [reference.folded(reference.known(asked, user, scorer.centre), scorer.codes, l2, scorer.centre)
                for user in range(asked.n_users)]
        np.testing.assert_allclose(scorer.score(Queries.of(asked)), want, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", ["rated", "squared", "logistic"])
@pytest.mark.parametrize("form", ["user", "item"])
def test_the_first_step_loses_what_the_slow_twin_says(form: str, kind: str) -> None:
    log, told = rated_log(7, 40, 25, 300), list[Mapping[str, Any]]()
    rating = log.columns["rating"]
    centre = float(np.nanmean(rating, dtype=float)) if kind == "rated" else None
    likelihood = "logistic" if kind == "rated" else kind
    recipe = AutoRec(form=form, rated=kind == "rated", likelihood=likelihood, dim=4, epochs=1)
    recipe.fit(dataset(log), Run(seed=9, journal=told.append))
    rows, n = [reference.known(log, user, centre) for user in range(40)], 25
    if form == "item":
        rows, n = reference.turned(rows, 25), 40
    first = AutoencoderNet(recipe.layout(n, variational=False, scale="none"), seeded(9)).scorer()
    net = {"V": first.table, "m": first.layers["0.bias"], "W": first.output, "b": first.bias}
    lost = [reference.lost(row, reference.copied(row, net, "sigmoid"), kind) for row in rows if row]
    assert told[0]["loss"] == pytest.approx(sum(lost) / len(lost), rel=1e-5)


def low_rank() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ratings (U, I) of two hidden tastes, biases and noise of 0.3; which are seen, and which are held out."""
    rng = np.random.default_rng(5)
    means = 3.5 + 0.4 * rng.standard_normal((200, 1)) + 0.4 * rng.standard_normal((1, 80))
    tastes = rng.standard_normal((200, 2)) @ rng.standard_normal((2, 80)) / np.sqrt(2)
    ratings = (means + 0.8 * tastes + 0.3 * rng.standard_normal((200, 80))).clip(0.5, 5.5)
    there = rng.random((200, 80)) < 0.4
    held = there & (rng.random((200, 80)) < 0.2)
    return ratings.astype(np.float32), there & ~held, held


@pytest.mark.parametrize(("form", "most"), [("user", 0.45), ("item", 0.42)])
def test_ratings_that_were_held_out_are_foretold_better_than_by_biases(form: str, most: float) -> None:
    """Biases are off by 0.83; the user form by 0.42, the item form by 0.40."""
    ratings, seen, held = low_rank()
    log = Interactions.from_events(*np.nonzero(seen), n_users=200, n_items=80, columns={"rating": ratings[seen]})

    def error(foretold: np.ndarray) -> float:
        return float(np.sqrt(np.mean((foretold - ratings)[held] ** 2)))

    recipe = AutoRec(form=form, rated=True, dim=32, epochs=60, lr=0.01, weight_decay=1.0, batch_size=32,
                     schedule="linear", l2=1.0)
    found = error(recipe.fit(dataset(log), Run(seed=1, threads=1)).score(Queries.of(log)))
    assert found < most < 0.55 * min(error(reference.biases(ratings, seen, l2)) for l2 in (1, 3, 10))


@pytest.mark.parametrize(("rated", "correlation", "shared", "distance"),
                         [(False, 0.99, 0.96, 0.03), (True, 0.97, 0.92, 0.15)])
def test_a_known_user_is_folded_in_to_where_the_decoder_has_him(
    monkeypatch: pytest.MonkeyPatch, rated: bool, correlation: float, shared: float, distance: float
) -> None:
    """Rank correlation 0.998 of all items, 98 % of the ten best; of ratings 0.98 and 94 %."""
    kept = []

    class Kept(Copying):
        def __init__(self, *settings: Any) -> None:
            super().__init__(*settings)
            kept.append(self.net)

    monkeypatch.setattr(autorec, "Copying", Kept)
    recipe = AutoRec(form="item", rated=rated, likelihood="squared", dim=6, epochs=300, lr=0.02, batch_size=64,
                     schedule="linear", activation="tanh", l2=0.1)
    scorer = recipe.fit(planted().data, Run(seed=1, threads=1))
    decoder, bias = (part.detach().numpy() for part in (kept[0].output, kept[0].output_bias))
    own = decoder @ scorer.codes[:, :-1].T + bias[:, None] + (scorer.centre or 0)  # (U, I)
    folded, seen = scorer.score(planted().queries()), planted().data.log.matrix().toarray() > 0
    assert np.mean([spearmanr(one, two)[0] for one, two in zip(own, folded, strict=True)]) > correlation
    best = [np.argsort(-np.where(seen, -np.inf, scores), axis=1)[:, :10] for scores in (own, folded)]
    assert (best[0][:, :, None] == best[1][:, None, :]).any(axis=2).mean() > shared
    assert np.abs(own - folded).mean() < distance * own.std()


@pytest.mark.parametrize("form", ["user", "item"])
def test_ratings_count_a_confidence_weighs_the_loss_and_an_event_without_one_is_nothing(form: str) -> None:
    log = replace(rated_log(8, 50, 30, 400), values=np.ones(400, np.float32))
    recipe, run = AutoRec(form=form, rated=True, dim=5, epochs=3), Run(seed=2)
    scorer, plain = recipe.fit(dataset(log), run), Queries.of(replace(log, columns={}))
    nobody = scorer.score(Queries.of(Interactions.empty(1, 30)))
    np.testing.assert_array_equal(scorer.score(plain), np.tile(nobody, (50, 1)))
    assert not scorer.vectors(plain).any()
    worse = replace(log, columns={"rating": 6 - log.columns["rating"]})
    assert not np.allclose(scorer.score(Queries.of(worse)), scorer.score(Queries.of(log)), atol=1e-3)
    weights = np.random.default_rng(1).uniform(0.2, 3, 400).astype(np.float32)
    weighted = recipe.fit(dataset(log.with_values(weights)), run)
    assert not np.allclose(weighted.score(Queries.of(log)), scorer.score(Queries.of(log)), atol=1e-4)
    np.testing.assert_array_equal(scorer.score(Queries.of(log.with_values(weights))), scorer.score(Queries.of(log)))


def test_a_confidence_in_the_loss_of_ratings_has_its_gradient() -> None:
    torch.manual_seed(0)
    log = rated_log(10, 6, 9, 25)
    recipe = AutoRec(rated=True, dim=3)
    rows = recipe._rows(dataset(log), 3.0)
    net = AutoencoderNet(recipe.layout(9, variational=False, scale="none"), seeded(1))
    task = Copying("autorec", recipe, net, rows, "rated", Run(), AutoencoderNet.scorer)
    task._loss(np.arange(6)).backward()
    scores = net(rows.shown, None).hidden @ net.output.T + net.output_bias
    wanted, trusted = (torch.from_numpy(matrix.toarray()) for matrix in (rows.wanted, rows.confidence))
    own = net.output.grad.clone()
    net.zero_grad()
    ((trusted * (scores - wanted).square()).sum() / 6).backward()
    torch.testing.assert_close(own, net.output.grad)


@pytest.mark.parametrize("form", ["user", "item"])
def test_validation_finds_an_epoch_and_a_later_fit_stops_there(form: str) -> None:
    toy, values = planted(), iter([0.1, 0.3, 0.2, 0.2])
    recipe = AutoRec(form=form, dim=4, epochs=9, patience=2)
    scorer = recipe.fit(toy.data, Run(seed=1, threads=1, validate=lambda scorer: next(values)))
    assert scorer.found == {"stop_at": 2}
    again = recipe.fit(toy.data, Run(seed=1, threads=1, stop_at=2))
    assert again.found == scorer.found
    np.testing.assert_array_equal(again.score(toy.queries()), scorer.score(toy.queries()))


def test_ratings_that_are_not_there_are_refused() -> None:
    with pytest.raises(DataError, match=r"no-ratings: ratings are asked for, .* has none; leave `rated` out"):
        AutoRec(rated=True).fit(dataset(random_log(1, 9, 8, 30, weighted=False)))


@pytest.mark.parametrize(("changes", "said"), [
    ({"codes": np.ones(3, np.float32)}, r"bad-form: codes of shape \(3,\), l2 1.0"),
    ({"l2": 0.0}, r"bad-form: codes of shape \(3, 2\), l2 0.0"),
    ({"codes": np.full((3, 2), np.inf, np.float32)}, "bad-form: code 0 is inf"),
])
def test_codes_that_fold_nobody_in_are_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ModelError, match=said):
        FoldedCodes(**{"codes": np.ones((3, 2), np.float32), "l2": 1.0, **changes})


@pytest.mark.parametrize("rated", [False, True])
def test_an_item_that_nobody_had_is_no_recommendation(rated: bool) -> None:
    log = rated_log(11, 50, 30, 400)
    log = Interactions(log.indptr, log.items, log.values, log.times, 31, log.columns)
    scorer = AutoRec(form="item", rated=rated, dim=5, epochs=3).fit(dataset(log), Run(seed=2))
    np.testing.assert_allclose(scorer.score(Queries.of(log))[:, 30], scorer.centre or 0.0, rtol=1e-6)
