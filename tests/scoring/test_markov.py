"""Markov factors: the score is the mean of what the newest events say, and what cannot be a model is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from matinee.contract import Masks, Queries
from matinee.data.interactions import Interactions
from matinee.errors import DataError, ModelError
from matinee.ranking.topk import top_k
from matinee.scoring.markov import MarkovFactors, pairs_of
from tests.numerics.logs import random_log
from tests.reference.markov import Model

U, I, D = 12, 70, 5
SHAPES: dict[str, dict[str, Any]] = {
    "fpmc": {"taste": "inner", "order": "inner"},
    "fme": {"taste": "inner", "order": "squares"},
    "prme": {"taste": "squares", "order": "squares", "shares": (0.25, 0.75), "tau": 20},
    "transrec": {"taste": "none", "order": "squares"},
    "transrec l1": {"taste": "none", "order": "sizes"},
}
kinds = pytest.mark.parametrize("kind", SHAPES)


def log_of(kind: str) -> Interactions:
    return random_log(8, U, I, 150, weighted=True)


def form_of(kind: str, **changes: Any) -> MarkovFactors:
    rng = np.random.default_rng(5)
    users, liked, before, after = (rng.standard_normal((n, D), np.float32) for n in (U, I, I, I))
    whole = {"shares": (1.0, 1.0), "tau": None, **SHAPES[kind]}
    form = MarkovFactors(users, None if whole["taste"] == "none" else liked, before if kind == "fpmc" else None,
                         after, rng.standard_normal(I, np.float32), rng.standard_normal(D, np.float32),
                         np.zeros(U, np.uint64), np.zeros(I, np.float32), unit=1.0, lr=0.1, l2=0.01,
                         draws=2, passes=2, length=4, decay=0.6, gaps=False, **whole)
    return replace(form, **changes)  # nothing may be drawn, so who asks keeps the stored vector


def twin_of(kind: str, form: MarkovFactors) -> Model:
    liked = np.empty((0, D)) if form.liked is None else form.liked.astype(float)
    after = form.after.astype(float)
    before = after if form.before is None else form.before.astype(float)
    return Model(kind, form.users.astype(float), liked, before, after, form.biases.astype(float),
                 form.shift.astype(float), alpha=0.25)


def centred(scores: np.ndarray) -> np.ndarray:
    """What is the same for all items of a list is left out of the form's scores."""
    return scores - scores.mean(axis=1, keepdims=True)


@pytest.mark.parametrize("gaps", [False, True])
@pytest.mark.parametrize("kind", ["fpmc", "fme", "prme", "transrec"])
def test_scores_are_the_mean_of_what_the_newest_events_say(kind: str, gaps: bool) -> None:
    log, form = log_of(kind), form_of(kind, gaps=gaps)
    if kind == "prme":
        form = replace(form, biases=np.zeros(I, np.float32))
    got = form.score(Queries.of(log, np.arange(U)))
    twin = twin_of(kind, form)
    active = np.flatnonzero(log.counts)
    want = np.array([twin.list_scores(user, log, user, 4, 0.6, gaps=gaps, tau=form.tau) for user in active])
    np.testing.assert_allclose(centred(got[active]), centred(want), atol=1e-4)


def test_a_sum_of_sizes_is_taken_from_the_mean_point() -> None:
    log = log_of("transrec l1")
    last = form_of("transrec l1", length=1).score(Queries.of(log, np.arange(U)))
    twin = twin_of("transrec l1", form_of("transrec l1"))
    active = np.flatnonzero(log.counts)
    want = np.array([twin.list_scores(user, log, user, 1, 1.0, gaps=False) for user in active])
    np.testing.assert_allclose(last[active], want, rtol=1e-4, atol=1e-4)
    user = active[0]
    mine = slice(log.indptr[user + 1] - 2, log.indptr[user + 1])
    weights = log.values[mine].astype(float) * [0.6, 1.0]
    middle = weights @ twin.after[log.items[mine]] / weights.sum()
    for gaps, point, times in ((False, middle + twin.shift + twin.users[user], 1), (True, middle, 2)):
        got = form_of("transrec l1", length=2, gaps=gaps).score(Queries.of(log, np.arange(U)))[user]
        want = twin.biases - times * np.abs(point - twin.after).sum(axis=1)
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-4)


@kinds
def test_no_history_leaves_the_biases_and_taste_at_zeros(kind: str) -> None:
    form = form_of(kind)
    want = form.biases - (form.liked**2).sum(axis=1) if kind == "prme" else form.biases  # type: ignore[operator]
    np.testing.assert_allclose(form.score(Queries.of(Interactions.empty(1, I)))[0], want, rtol=1e-6)


def test_an_event_long_before_the_question_leaves_taste_alone() -> None:
    log = Interactions.from_events([0, 0], [3, 4], [0, 100], n_users=1, n_items=I)
    form = form_of("prme", length=1)
    late, now = (form.score(Queries.of(log, np.zeros(1, np.int64), np.array([at])))[0] for at in (121, 120))
    gap = ((form.users[0] - form.liked) ** 2).sum(axis=1)  # type: ignore[operator]
    np.testing.assert_allclose(centred(late[None]), centred((form.biases - gap)[None]), atol=1e-4)
    assert not np.allclose(centred(now[None]), centred(late[None]), atol=1e-2)


@kinds
def test_a_ranking_is_score_and_top_k(kind: str) -> None:
    log = log_of(kind)
    queries, form = Queries.of(log, np.arange(U)), form_of(kind)
    masks = Masks(log.indptr, log.items)
    for got, want in zip(form.top_block(queries, 7, masks), top_k(form.score(queries), 7, masks), strict=True):
        np.testing.assert_array_equal(got, want)


def test_pairs_are_events_in_a_row_of_one_user() -> None:
    log = Interactions.from_events([0, 0, 0, 2, 3, 3], [5, 1, 5, 2, 0, 3], [0, 10, 31, 0, 0, 0],
                                   [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], n_users=5, n_items=6)
    pairs = pairs_of(log, (0.25, 0.75), 20, 2.0)
    assert pairs.users.tolist() == [0, 0, 3]
    assert pairs.before.tolist() == [5, 1, 0]
    assert pairs.after.tolist() == [1, 5, 3]
    assert pairs.weights.tolist() == [1.0, 1.5, 3.0]
    assert pairs.shares.tolist() == [[0.25, 0.75], [1, 0], [0.25, 0.75]]
    assert pairs_of(log, (1.0, 1.0), None, 1.0, np.array([1, 2, 1])).before.tolist() == [5, 5, 0]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"liked": np.ones((I, D + 1), np.float32)}, "users of .* do not fit together"),
        ({"biases": np.ones(I - 1, np.float32)}, "users of .* do not fit together"),
        ({"fitted_on": np.zeros(U + 1, np.uint64)}, "users of .* do not fit together"),
        ({"taste": "none"}, "taste 'none', order 'inner'"),
        ({"order": "cubes"}, "taste 'inner', order 'cubes'"),
        ({"decay": 0.0}, "decay 0.0"),
        ({"shares": (1.0, -1.0)}, "shares"),
        ({"shares": (1.0,)}, "shares"),
        ({"unit": 0.0}, "unit 0.0"),
        ({"draw_weights": np.full(I, -1, np.float32)}, "a draw weight is negative"),
        ({"after": np.full((I, D), np.nan, np.float32)}, "entry 0 of after is nan"),
    ],
)
def test_arrays_that_cannot_be_a_model_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=f"bad-form: .*{message}"):
        form_of("fpmc", **changes)


def test_rows_and_items_that_the_model_does_not_have_are_refused() -> None:
    log = log_of("fpmc")
    with pytest.raises(DataError, match=f"misaligned: row {U} of a model of {U} users"):
        form_of("fpmc").score(Queries.of(log, np.arange(1, U + 1)))
    with pytest.raises(DataError, match="misaligned: histories over 71 items"):
        form_of("fpmc").score(Queries.of(Interactions.empty(1, I + 1)))
