"""Latent neighbours: the votes of the slow twin for whoever stands nearest, in a space of its own or of a model."""

from __future__ import annotations

import math
import tracemalloc
from typing import Any

import numpy as np
import pytest

from matinee.contract import Masks, Queries, Recommender, VectorScorer
from matinee.data.interactions import Interactions
from matinee.errors import ConfigError, ModelError
from matinee.models.ease import EASE
from matinee.models.latent_neighbours import LatentKNN
from matinee.models.multi_dae import MultiDAE
from matinee.models.pure_svd import PureSVD
from matinee.numerics.proximity import units
from matinee.ranking.topk import top_k
from tests.models.test_item_knn import dataset
from tests.numerics.logs import random_log
from tests.reference import user_knn as reference

PLAIN = {"neighbours": 7, "power": 1.0, "damping": 0.0, "vote": "weighted", "normalise": False}


def slow(space: VectorScorer, log: Interactions, queries: Queries, settings: dict[str, Any]) -> np.ndarray:
    """(B, I) by cosines of one pair of vectors at a time."""
    all_of, asked = space.vectors(Queries.of(log)).astype(float), space.vectors(queries).astype(float)
    out = []
    for row, z in zip(queries.rows, asked, strict=True):
        near = {}
        for v, other in enumerate(all_of):
            lengths = math.sqrt(math.fsum(z * z)) * math.sqrt(math.fsum(other * other))
            cosine = math.fsum(z * other) / lengths if lengths else 0.0
            if v != row and cosine > 0:
                near[v] = cosine
        out.append(reference.votes(log, near, settings))
    return np.array(out)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("changes", [{}, {"power": 3.0, "damping": 0.3}, {"vote": "binary"}, {"normalise": True}])
@pytest.mark.parametrize("of", [None, PureSVD(dim=5), MultiDAE(dim=5, epochs=2)])
def test_scores_are_those_of_the_slow_twin(weighted: bool, changes: dict[str, Any], of: Recommender | None) -> None:
    log = random_log(31, 60, 40, 500, weighted=weighted)
    scorer = LatentKNN(of=of, dim=4, **(PLAIN | changes)).fit(dataset(log))
    for queries in (Queries.of(log, np.arange(60)), Queries.of(random_log(32, 8, 40, 70, weighted=weighted))):
        want = slow(scorer.space, log, queries, PLAIN | changes)
        np.testing.assert_allclose(scorer.score(queries), want, rtol=2e-5, atol=1e-6)


def test_ranking_is_score_and_top_k() -> None:
    log = random_log(33, 70, 50, 900, weighted=True)
    scorer = LatentKNN(dim=5, neighbours=9).fit(dataset(log))
    queries, masks = Queries.of(log, np.arange(70)), Masks(log.indptr, log.items)
    want_items, want = top_k(scorer.score(queries), 8, masks)
    items, best = scorer.top_block(queries, 8, masks)
    assert np.array_equal(items, want_items)
    assert np.array_equal(best, want)


def test_equal_histories_stand_at_one_point_and_share_the_places_at_the_edge() -> None:
    log = Interactions.from_events([0, 1, 1, 2, 2, 3, 3], [0, 0, 1, 0, 1, 0, 1], n_users=4, n_items=2)
    scorer = LatentKNN(dim=1, **(PLAIN | {"neighbours": 2, "vote": "binary"})).fit(dataset(log))
    found = scorer.score(Queries.of(log, np.arange(4)))[0]
    np.testing.assert_allclose(found, [2, 2], rtol=1e-6)


def test_vectors_are_brought_to_length_one_and_zeros_stay() -> None:
    rows = np.array([[3, 4], [0, 0], [1e-20, 0]], np.float32)
    np.testing.assert_allclose(units(rows), [[0.6, 0.8], [0, 0], [1, 0]], rtol=1e-6)


def test_the_memory_of_a_query_does_not_grow_with_users_squared() -> None:
    log = random_log(34, 20_000, 300, 60_000, weighted=False)
    scorer = LatentKNN(dim=4, neighbours=50).fit(dataset(log))
    queries, masks = Queries.of(log.take(np.arange(2_000)), np.arange(2_000)), Masks.none(2_000)
    scorer.top_block(queries, 10, masks)
    tracemalloc.start()
    scorer.top_block(queries, 10, masks)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8e6, f"{peak / 1e6:.1f} MB where 2,000 x 20,000 cosines would take 160 MB"


def test_a_model_that_puts_histories_nowhere_is_refused() -> None:
    log = random_log(35, 20, 10, 90, weighted=False)
    with pytest.raises(ConfigError, match="no-vectors: a DenseItemItem puts histories nowhere, and EASE gives one"):
        LatentKNN(of=EASE()).fit(dataset(log))


@pytest.mark.parametrize(("field", "value", "said"), [
    ("points", np.ones((1, 2), np.float32), "bad-form: 1 points for 2 users, 300 neighbours, power 3.0"),
    ("points", np.ones((2, 7), np.float32), "bad-form: a space of 2 dimensions for points of 7"),
    ("item_worth", np.ones(1), "bad-form: an item's weight is missing or not positive"),
    ("power", -1.0, "bad-form: 2 points for 2 users, 300 neighbours, power -1.0"),
])
def test_a_form_that_does_not_fit_together_is_refused(field: str, value: Any, said: str) -> None:
    log = Interactions.from_events([0, 0, 1], [0, 1, 2], n_users=2, n_items=3)
    scorer = LatentKNN(dim=2).fit(dataset(log))
    with pytest.raises(ModelError, match=said):
        type(scorer)(**{**vars(scorer), field: value}).score(Queries.of(log))
