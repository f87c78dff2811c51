"""User kNN: the scores of its slow twin, nobody his own neighbour, ties shared, and never users by users."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest

from matinee.contract import Masks, Queries
from matinee.data.interactions import Interactions
from matinee.errors import ModelError
from matinee.models.user_knn import UserKNN
from matinee.ranking.topk import top_k
from tests.models.test_item_knn import dataset
from tests.numerics.logs import random_log
from tests.reference import user_knn as reference

PLAIN = {"neighbours": 7, "similarity": "cosine", "weighting": "none", "shrink": 0.0, "power": 1.0, "damping": 0.0,
         "vote": "weighted", "normalise": False}


def settings(**changes: Any) -> dict[str, Any]:
    return PLAIN | changes


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("events", [500, 90], ids=["dense", "sparse"])
@pytest.mark.parametrize("changes", [
    {}, {"similarity": "jaccard"}, {"weighting": "idf", "power": 3.0}, {"weighting": "bm25", "damping": 0.3},
    {"shrink": 2.5}, {"shrink": 2.5, "weighting": "idf"}, {"vote": "binary"}, {"vote": "binary", "normalise": True},
    {"normalise": True, "power": 2.0}, {"power": 0.0},
    {"neighbours": 500, "similarity": "jaccard", "weighting": "bm25"},
])
def test_scores_are_those_of_the_slow_twin(weighted: bool, events: int, changes: dict[str, Any]) -> None:
    log = random_log(21, 60, 40, events, weighted=weighted)
    asked = random_log(22, 9, 40, events // 6, weighted=weighted)
    chosen = settings(**changes)
    scorer = UserKNN(**chosen).fit(dataset(log))
    rows = list(range(log.n_users))
    np.testing.assert_allclose(scorer.score(Queries.of(log, np.array(rows))), reference.scores(log, log, rows, chosen),
                               rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(scorer.score(Queries.of(asked)), reference.scores(log, asked, [-1] * 9, chosen),
                               rtol=1e-5, atol=1e-7)


def test_somebody_whose_history_has_grown_is_still_not_his_own_neighbour() -> None:
    log = Interactions.from_events([0, 0, 1, 1, 2], [0, 1, 0, 2, 3], n_users=3, n_items=5)
    grown = Interactions.from_events([0, 0, 0], [0, 1, 3], n_users=1, n_items=5)
    scorer = UserKNN(**settings()).fit(dataset(log))
    known, new = (scorer.score(Queries.of(grown, np.array([row])))[0] for row in (0, -1))
    assert known[1] == 0, "item 1 is his own alone"
    assert known[3] > 0, "user 2 is met by what is new in the history"
    assert new[1] > 0


def test_who_is_equally_near_at_the_edge_shares_the_places_left() -> None:
    users, items = [0, 1, 1, 2, 2, 3, 3, 4, 4], [0, 0, 1, 0, 2, 0, 3, 4, 5]
    log = Interactions.from_events(users, items, n_users=5, n_items=6)
    asked = Queries.of(log.take(np.array([0])), np.array([0]))
    found = UserKNN(**settings(neighbours=2, vote="binary")).fit(dataset(log)).score(asked)[0]
    np.testing.assert_allclose(found, [2, 2 / 3, 2 / 3, 2 / 3, 0, 0], rtol=1e-6)


def test_equal_similarities_do_not_hang_on_the_names_of_users() -> None:
    log = random_log(23, 80, 12, 300, weighted=False)  # few items: many ties
    order = np.random.default_rng(1).permutation(80)
    data = dataset(log), dataset(log.take(order))
    one, two = (UserKNN(**settings(neighbours=5, weighting="idf")).fit(d).score(Queries.of(d.log, np.arange(80)))
                for d in data)
    np.testing.assert_allclose(two, one[order], rtol=1e-6)


def test_somebody_who_shares_nothing_is_no_neighbour() -> None:
    log = Interactions.from_events([0, 1], [0, 1], n_users=2, n_items=2)
    scorer = UserKNN(normalise=True).fit(dataset(log))
    assert scorer.score(Queries.of(log, np.arange(2))).tolist() == [[0, 0], [0, 0]]


def test_ranking_is_score_and_top_k_in_every_block() -> None:
    log = random_log(24, 70, 50, 900, weighted=True)
    scorer = UserKNN(neighbours=9).fit(dataset(log))
    queries, masks = Queries.of(log, np.arange(70)), Masks(log.indptr, log.items)
    want_items, want = top_k(scorer.score(queries), 8, masks)
    items, best = scorer.top_block(queries, 8, masks)
    assert np.array_equal(items, want_items)
    assert np.array_equal(best, want)


def test_the_memory_of_a_query_does_not_grow_with_users_squared() -> None:
    log = random_log(25, 20_000, 300, 60_000, weighted=False)
    scorer = UserKNN(neighbours=50).fit(dataset(log))
    queries, masks = Queries.of(log.take(np.arange(2_000)), np.arange(2_000)), Masks.none(2_000)
    scorer.top_block(queries, 10, masks)  # compiled, and the lists of who had what are made
    tracemalloc.start()
    scorer.top_block(queries, 10, masks)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 6e6, f"{peak / 1e6:.1f} MB where 2,000 x 20,000 similarities would take 160 MB"


def test_a_row_outside_of_the_log_is_refused() -> None:
    log = random_log(26, 10, 8, 40, weighted=False)
    scorer = UserKNN().fit(dataset(log))
    with pytest.raises(ModelError, match="other-users: row 10 of a log of 10 users; ask with the data"):
        scorer.score(Queries.of(log.take(np.array([0])), np.array([10])))


@pytest.mark.parametrize(("field", "value", "said"), [
    ("indptr", np.array([0, 1]), "bad-form: 3 items and 3 values do not fit their indptr"),
    ("items", np.array([0, 1, 9], np.int32), r"bad-form: items must lie in \[0, 3\); got \[0, 9\]"),
    ("values", np.array([1, 0, 1], np.float32), "bad-form: a confidence is not positive"),
    ("item_weights", np.array([1.0, 1.0, 0.0]), "bad-form: an item's weight is missing or not positive"),
    ("item_worth", np.array([1.0]), "bad-form: an item's weight is missing or not positive"),
    ("measure", "cosinus", "bad-form: 300 neighbours by 'cosinus', shrink 0.0, power 3.0"),
    ("neighbours", 0, "bad-form: 0 neighbours by 'cosine'"),
])
def test_a_form_that_does_not_fit_together_is_refused(field: str, value: Any, said: str) -> None:
    log = Interactions.from_events([0, 0, 1], [0, 1, 2], n_users=2, n_items=3)
    scorer = UserKNN().fit(dataset(log))
    with pytest.raises(ModelError, match=said):
        type(scorer)(**{**vars(scorer), field: value})
