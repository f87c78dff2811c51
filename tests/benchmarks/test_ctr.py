"""The click-through benchmark: its figures are the right ones, and what it measures was not learnt from."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.ctr.run import NETWORKS, SETTINGS, SHARED, auc, logloss, measured, rows_of, scored

from matinee.contract import PairScorer
from matinee.data.dataset import Dataset
from matinee.nn.labelled_pairs import Labelled
from matinee.testing import planted

SMALL = {"batch_size": 128, "epochs": 25, "patience": 25, "dim": 4, "lr": 0.02}


def data() -> Dataset:
    """What people rate above 3 is of their taste. The toy knows no occupations: genders stand in."""
    toy = planted().data
    columns = {**toy.user_features.columns, "occupation": toy.user_features.columns["gender"]}
    return Dataset(toy.log, toy.users, toy.items, toy.item_features,
                   type(toy.user_features)(toy.n_users, columns), toy.facts)


def test_the_figures_are_those_of_their_definitions() -> None:
    rng = np.random.default_rng(0)
    labels = (rng.random(60) < 0.4).astype(np.float32)
    scores = rng.integers(0, 9, 60).astype(float)
    likes, others = scores[labels > 0.5], scores[labels < 0.5]
    want = np.mean([(one > two) + 0.5 * (one == two) for one in likes for two in others])
    assert auc(labels, scores) == pytest.approx(want)
    chance = 1 / (1 + np.exp(-scores))
    assert logloss(labels, scores) == pytest.approx(-np.mean(np.where(labels > 0.5, np.log(chance), np.log1p(-chance))))


def test_rows_fall_into_three_parts_and_what_is_known_are_those_that_are_learnt_from() -> None:
    whole = data()
    train, parts = rows_of(whole)
    sizes = {name: len(part) for name, part in parts.items()}
    n = int((whole.log.columns["rating"] != 3).sum())
    assert sum(sizes.values()) == n
    assert abs(sizes["test"] - n / 10) <= 1
    assert len(train.log) == sizes["train"]
    assert set(np.concatenate([part.labels for part in parts.values()])) == {0.0, 1.0}
    assert np.array_equal(np.sort(train.log.items), np.sort(parts["train"].items))


@pytest.mark.parametrize("model", NETWORKS)
def test_every_model_learns_whom_what_pleases(model: str) -> None:
    train, parts = rows_of(data())
    found = measured(model, {**SHARED, **SETTINGS[model], **SMALL}, train, parts)
    assert found["loss"][1] < found["loss"][0]
    assert found["test"]["auc"] > 0.7, found  # a dozen dislikes: by luck one half, give or take 0.09


def test_pairs_are_scored_in_their_order() -> None:
    class ByNumber(PairScorer):
        n_items = 48

        def score(self, queries):  # type: ignore[no-untyped-def]
            raise AssertionError("pairs are asked for, and not the catalogue")

        def score_pairs(self, queries, candidates):  # type: ignore[no-untyped-def]
            return np.where(candidates < 0, -np.inf, 100 * queries.rows[:, None] + candidates).astype(np.float32)

    users, items = np.array([7, 2, 7, 149, 2, 2]), np.array([3, 1, 0, 40, 40, 5], np.int32)
    pairs = Labelled(users, items, np.zeros(6, np.float32))
    assert scored(ByNumber(), data(), pairs).tolist() == (100 * users + items).tolist()
