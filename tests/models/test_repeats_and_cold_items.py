"""What counting models do with a pair that occurs often, and with an item that never did."""

from __future__ import annotations

import numpy as np
import pytest

from matinee.contract import Queries, Recommender
from matinee.data.interactions import Interactions
from matinee.models.ease import EASE
from matinee.models.item_knn import ItemKNN
from matinee.models.popularity import Popularity
from tests.models.test_item_knn import dataset
from tests.numerics.logs import random_log

RECIPES = [Popularity(), ItemKNN(neighbours=8), EASE(l2=5.0)]
counting = pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.family)


@counting
def test_every_row_given_twice_changes_no_bit(recipe: Recommender) -> None:
    log = random_log(10, 60, 30, 500, weighted=False)
    twice = Interactions.from_events(*(np.tile(part, 2) for part in (log.users, log.items, log.times)),
                                     n_users=60, n_items=30)
    once_scores = recipe.fit(dataset(log)).score(Queries.of(log))
    np.testing.assert_array_equal(recipe.fit(dataset(twice)).score(Queries.of(twice)), once_scores)


@counting
def test_an_item_that_nobody_had_scores_exactly_zero_for_everybody(recipe: Recommender) -> None:
    log = random_log(11, 60, 30, 500, weighted=True)
    cold = 17
    log = log.select(log.items != cold)
    scores = recipe.fit(dataset(log)).score(Queries.of(log))
    assert not scores[:, cold].any()
    asked_with_it = Interactions.from_events([0], [cold], n_users=1, n_items=30)
    if recipe.personal:
        assert not recipe.fit(dataset(log)).score(Queries.of(asked_with_it)).any()
