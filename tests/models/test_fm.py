"""FM and FFM: a product of two sides is the sum over all pairs of fields, whoever asks and whatever is known of him."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from matinee import config
from matinee.contract import Queries, Run
from matinee.data.interactions import Interactions
from matinee.errors import ConfigError
from matinee.features.encoding import encode
from matinee.features.fitted import with_features
from matinee.features.registry import feature
from matinee.nn import field_factors
from matinee.nn.autoencoder import array
from matinee.scoring import store
from tests.features.people import data, everybody
from tests.reference import factorisation

FEATURES = ["era", "genre", "title", "release_year", "top_genre", "user_count", "gender"]


def fitted(model: str, monkeypatch: pytest.MonkeyPatch, features: list[str], **settings: Any):
    """The scorer, and the network that it is worth."""
    made = []

    class Kept(field_factors.FieldFactors):
        def __init__(self, *given: Any, **named: Any) -> None:
            super().__init__(*given, **named)
            made.append(self)

    monkeypatch.setattr(field_factors, "FieldFactors", Kept)
    recipe = config.recipe(model, {"dim": 3, "epochs": 2, "init_scale": 1.0, "loss": "bce", **settings})
    return recipe.fit(with_features(data(), features), Run(threads=1)), made[0]


@pytest.mark.parametrize("numbers", ["buckets", "standard"])
@pytest.mark.parametrize("model", ["fm", "ffm"])
def test_two_sides_are_all_pairs_of_fields(model: str, numbers: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every label, bucket, number and vector, the histories, and the ids where there are any."""
    scorer, net = fitted(model, monkeypatch, FEATURES, numbers=numbers)
    train, queries = data(), everybody(data())
    scores = scorer.score(queries)
    strangers = scorer.score(replace(queries, rows=np.full(len(queries), -1)))
    tables = [array(table).astype(float) for table in (*net.user_tables, *net.item_tables)]
    had = np.bincount(train.log.items, minlength=train.n_items) > 0
    assert had.all()
    items = [np.eye(train.n_items), *(one.matrix.toarray() for one in net.sides.items[1:])]
    for user in range(0, train.n_users, 15):
        mine = queries.take(np.array([user]))
        seen = np.unique(mine.history.items)
        history = np.bincount(seen, minlength=train.n_items) / np.sqrt(len(seen))
        told = [encode(scorer.fields[name], feature(name).column(feature(name).fit(train), mine)).toarray()[0]
                for name in FEATURES if feature(name).scope == "user"]
        for item in (0, 7, 31):
            for got, known in ((scores, 1.0), (strangers, 0.0)):
                inputs = [known * np.eye(train.n_users)[user], history, *told, *(one[item] for one in items)]
                want = getattr(factorisation, model)(inputs, tables, float(net.bias.detach()))
                assert got[user, item] == pytest.approx(want, rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("model", ["fm", "ffm"])
def test_a_step_asks_what_the_scorer_says_of_the_rest_of_the_history(
    model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In training the item that is asked for is no part of the history; the scores are the scorer's without it."""
    scorer, net = fitted(model, monkeypatch, ["genre", "gender"])
    users = np.array([3, 40])
    mine = net.log[users]
    owners = np.repeat(np.arange(2, dtype=np.int32), np.diff(mine.indptr))
    items = np.stack([mine.indices, (mine.indices + 1) % 48], axis=1).astype(np.int32)
    pairs = field_factors.Pairs(users, owners, items, np.zeros(2, bool))
    found = net.scores(pairs, np.random.default_rng(0)).detach().numpy()
    for place in range(0, len(owners), 4):
        user = users[owners[place]]
        history = data().log.take(np.array([user]))
        rest = history.select(history.items != items[place, 0])
        asked = Queries.of(rest, np.array([user]), attributes=data().user_features.take(np.array([user])))
        np.testing.assert_allclose(found[place], scorer.score(asked)[0, items[place]], rtol=1e-4, atol=1e-4)


def test_memory_does_not_grow_with_features(monkeypatch: pytest.MonkeyPatch) -> None:
    few, many = (fitted("fm", monkeypatch, features)[0] for features in ([], FEATURES))
    assert many.item_factors.shape == few.item_factors.shape
    assert many._tiles.shape == few._tiles.shape


def test_features_of_pairs_are_refused_by_name() -> None:
    for model in ("fm", "ffm"):
        recipe = config.recipe(model, {})
        with pytest.raises(ConfigError, match=f"features-pairs: writer_affinity is of a user and an item together, "
                                              f"and {model} reads"):
            recipe.fit(with_features(data(), ["era", "writer_affinity"]))


def test_a_side_without_fields_is_refused() -> None:
    recipe = config.recipe("fm", {"ids": "users"})
    with pytest.raises(ConfigError, match="no-fields: fm knows nothing of items"):
        recipe.fit(data())
    with pytest.raises(ConfigError, match="no-fields: fm knows nothing of users"):
        config.recipe("fm", {"ids": "items", "history": False}).fit(with_features(data(), ["era"]))


def test_an_empty_history_is_served_where_attributes_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    with_gender, without = (fitted("fm", monkeypatch, features)[0] for features in (["gender"], ["era"]))
    assert with_gender.serves_empty
    assert not without.serves_empty
    nobody = Queries.of(Interactions.empty(2, 48), attributes=data().user_features.take(np.array([0, 1])))
    genders = [data().user_features.categories("gender").labels(row) for row in (0, 1)]
    scores = with_gender.score(nobody)
    assert np.array_equal(scores[0], scores[1]) == (genders[0] == genders[1])


def test_an_item_that_nobody_had_is_scored_by_its_features(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two of one genre alike, and of another one otherwise."""
    log = data().log
    genres = data().item_features.categories("genre")
    cold = [0, next(i for i in range(1, 48) if genres.labels(i) == genres.labels(0)),
            next(i for i in range(1, 48) if genres.labels(i) != genres.labels(0))]
    rest = data().with_log(log.select(~np.isin(log.items, cold)))
    recipe = config.recipe("fm", {"dim": 4, "epochs": 3})
    scores = recipe.fit(with_features(rest, ["genre"]), Run(threads=1)).score(everybody(rest))
    assert np.array_equal(scores[:, cold[0]], scores[:, cold[1]])
    assert not np.allclose(scores[:, cold[0]], scores[:, cold[2]])


@pytest.mark.parametrize("model", ["fm", "ffm"])
def test_it_comes_back_from_the_disk_with_its_features(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scorer, _ = fitted(model, monkeypatch, FEATURES)
    store.save(scorer, tmp_path / "model", about={})
    again, _ = store.load(tmp_path / "model")
    assert np.array_equal(again.score(everybody(data())), scorer.score(everybody(data())))


@pytest.mark.parametrize("model", ["fm", "ffm"])
@pytest.mark.parametrize("loss", ["bce", "bpr", "mae"])
def test_every_loss_learns(model: str, loss: str) -> None:
    recipe = config.recipe(model, {"dim": 4, "epochs": 8, "lr": 0.02, "batch_size": 32, "loss": loss})
    told: list[float] = []
    recipe.fit(with_features(data(), ["genre"]), Run(threads=1, journal=lambda facts: told.append(facts["loss"])))
    assert told[-1] < 0.97 * told[0]
