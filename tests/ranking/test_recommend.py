"""Scores to lists: what is asked, what is masked, what is filled, and that blocks and threads change nothing."""

from __future__ import annotations

import numpy as np
import pytest

from matinee.data.columns import Features, Numbers
from matinee.data.interactions import Interactions
from matinee.errors import UsageError
from matinee.ranking import recommend as module
from matinee.ranking.filters import ByYear, OfItems
from matinee.ranking.recommend import ask_from, fill, recommend, recommend_blocks
from tests.ranking.scorers import Fused, ItemItem, Same

U, I = 60, 12
RNG = np.random.default_rng(3)
LOG = Interactions.from_events(RNG.integers(0, U - 5, 300), RNG.integers(0, I, 300), RNG.integers(1, 10**9, 300),
                               RNG.random(300), n_users=U, n_items=I)  # the last five users did nothing
ASK = ask_from(LOG, LOG.counts, Features(U, {"age": Numbers(np.arange(U, dtype=float))}))
MODEL = ItemItem(RNG.normal(size=(I, I)).astype(np.float32))
POPULARITY = LOG.item_counts().astype(np.float32)
EVERYONE = np.arange(U)


def by_hand(users, k, *, repeats=False, allowed=None):
    """Each user's list, from sorted()."""
    scores, out = MODEL.score(ASK(users)), []
    for place, user in enumerate(users):
        seen = set() if repeats else set(LOG.items[LOG.indptr[user] : LOG.indptr[user + 1]].tolist())
        free = [item for item in range(I) if item not in seen and (allowed is None or allowed[item])]
        out.append(sorted(free, key=lambda item, row=scores[place]: (-row[item], item))[:k])
    return out


def held(lists):
    return [row[row >= 0].tolist() for row in lists.items]


@pytest.mark.parametrize("k", [1, 4, I, I + 5])
@pytest.mark.parametrize("repeats", [False, True])
def test_lists_are_the_best_unseen_items_in_order(k, repeats):
    lists = recommend(MODEL, ASK, EVERYONE, k, repeats=repeats)
    assert held(lists) == by_hand(EVERYONE, k, repeats=repeats)
    assert lists.items.shape == (U, k)
    assert not lists.filled.any()


def test_filters_are_obeyed_together():
    odd, small = np.arange(I) % 2 == 1, np.arange(I) < 8
    lists = recommend(MODEL, ASK, EVERYONE, 4, repeats=False, filters=[OfItems(mask=odd), OfItems(mask=small)])
    assert held(lists) == by_hand(EVERYONE, 4, allowed=odd & small)


def test_a_filter_sees_the_query_of_its_user():
    years = np.full(I, 1990.0)
    years[3] = 2100
    fitted = ByYear(years=years, horizon=0)
    items = recommend(MODEL, ASK, EVERYONE, I, repeats=True, filters=[fitted]).items
    asked_when = LOG.last_times() > 0
    assert [3 in row for row in items] == [not known for known in asked_when]


def test_a_fused_scorer_ranks_by_itself():
    sizes = []
    lists = recommend(Fused(MODEL, sizes.append), ASK, EVERYONE, 4, repeats=False)
    assert held(lists) == by_hand(EVERYONE, 4)
    assert sizes == [U]


@pytest.mark.parametrize(("threads", "cells"), [(1, 1), (2, I * 7), (2, 10**9)])
def test_blocks_and_threads_change_nothing(monkeypatch, threads, cells):
    whole = recommend(MODEL, ASK, EVERYONE, 5, repeats=False, fallback=POPULARITY)
    monkeypatch.setattr(module, "CELLS", cells)
    blocks = list(recommend_blocks(MODEL, ASK, EVERYONE, 5, repeats=False, fallback=POPULARITY, threads=threads))
    assert len(blocks) == -(-U // min(U, max(1, cells // I)))
    for part in ("users", "items", "scores", "filled"):
        np.testing.assert_array_equal(np.concatenate([getattr(block, part) for block in blocks]), getattr(whole, part))


def test_progress_counts_users(monkeypatch):
    monkeypatch.setattr(module, "CELLS", I * 25)
    seen = []
    recommend(MODEL, ASK, EVERYONE, 5, repeats=False, progress=lambda *step: seen.append(step))
    assert seen == [("recommend", 25, 60), ("recommend", 50, 60), ("recommend", 60, 60)]


def test_nobody_asked_is_no_list_at_all():
    assert recommend(MODEL, ASK, np.empty(0, np.int64), 5, repeats=False).items.shape == (0, 5)


def test_a_list_of_no_items_is_refused():
    with pytest.raises(UsageError, match="bad-k: a list of 0 items was asked for"):
        recommend(MODEL, ASK, EVERYONE, 0, repeats=False)


def test_an_empty_history_gets_the_popular_items_from_a_personal_model_and_they_are_marked():
    lists = recommend(MODEL, ASK, EVERYONE, 4, repeats=False, fallback=POPULARITY)
    idle = LOG.counts == 0
    popular = sorted(range(I), key=lambda item: (-POPULARITY[item], item))[:4]
    assert idle.sum() >= 5
    assert all(row == popular for row in lists.items[idle].tolist())
    assert (lists.scores[idle] == POPULARITY[popular]).all()
    assert lists.filled[idle].all()
    assert not lists.filled[~idle].any()


def test_an_empty_history_is_answered_by_the_model_where_it_is_not_personal_or_nothing_can_fill():
    idle = np.flatnonzero(LOG.counts == 0)
    model = Same(np.arange(I, dtype=np.float32))
    for settings in ({"fallback": POPULARITY, "personal": False}, {"fallback": None}):
        lists = recommend(model, ASK, idle, 3, repeats=False, **settings)
        assert lists.items.tolist() == [[I - 1, I - 2, I - 3]] * len(idle)
        assert not lists.filled.any()


def test_the_fallback_obeys_filters_and_never_repeats():
    allowed = np.arange(I) < 3
    lists = recommend(MODEL, ASK, EVERYONE, 5, repeats=False, fallback=POPULARITY, filters=[OfItems(mask=allowed)])
    for user in EVERYONE:
        seen = set(LOG.items[LOG.indptr[user] : LOG.indptr[user + 1]].tolist())
        assert set(held(lists)[user]) == {0, 1, 2} - seen
        assert len(held(lists)[user]) == len(set(held(lists)[user]))


def test_a_short_list_is_filled_below_what_the_model_gave():
    items = np.array([[4, -1, -1, -1], [-1, -1, -1, -1], [1, 2, 3, 4]], np.int32)
    scores = np.where(items >= 0, np.float32(0.5), np.float32(-np.inf))
    filled = np.zeros(items.shape, bool)
    blocked = np.zeros((3, 6), bool)
    blocked[1] = True
    blocked[1, 5] = False
    masks = module.Masks(np.array([0, 1, 1, 1]), np.array([2], np.int32), blocked)
    popularity = np.array([1, 9, 8, 0.25, 7, 3], np.float32)
    fill(items, scores, filled, masks, np.argsort(-popularity, kind="stable").astype(np.int32), popularity)
    assert items.tolist() == [[4, 1, 5, 0], [5, -1, -1, -1], [1, 2, 3, 4]]
    assert scores[0].tolist() == [0.5, 0.5, 0.5, 0.5]
    assert scores[1].tolist() == [3, -np.inf, -np.inf, -np.inf]
    assert filled.tolist() == [[False, True, True, True], [True, False, False, False], [False] * 4]


def test_queries_are_plain_and_know_who_is_new_to_the_model():
    fitted = LOG.counts.copy()
    fitted[7] = 0
    queries = ask_from(LOG, fitted, Features(U, {"age": Numbers(np.arange(U, dtype=float))}))(np.array([9, 7, -1, 3]))
    assert queries.rows.tolist() == [9, -1, -1, 3]
    assert (queries.history.values == 1).all()
    np.testing.assert_array_equal(queries.history.items, LOG.take(np.array([9, 7, -1, 3])).items)
    np.testing.assert_array_equal(queries.at, LOG.last_times()[[9, 7, 0, 3]] * np.array([1, 1, 0, 1]))
    np.testing.assert_array_equal(queries.attributes.numbers("age").values, [9, 7, np.nan, 3])
