"""Checks of the lists that come of the scores: the same whoever renames, permutes, adds or asks for more."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from matinee.contract import FusedScorer, Masks, Scorer
from matinee.ranking.recommend import recommend
from matinee.ranking.topk import top_k
from matinee.testing.subject import Subject
from matinee.testing.toy import I, K, Toy, U, planted, renamed, with_bystanders

NEAR = 0.1
"""How far recall may move where a model draws by row, so that other ids or neighbours mean other draws."""


def no_list_holds_a_seen_item(subject: Subject) -> None:
    log, lists = planted().data.log, _lists(subject.fitted, planted(), I)
    for user, row in enumerate(lists):
        seen = set(log.items[log.indptr[user] : log.indptr[user + 1]].tolist())
        held = row[row >= 0].tolist()
        assert not seen & set(held), f"user {user} is offered what was seen: {sorted(seen & set(held))}"
        assert len(set(held)) == len(held) == I - len(seen), f"user {user} gets {len(held)} items of {I - len(seen)}"


def a_shorter_list_is_the_start_of_a_longer_one(subject: Subject) -> None:
    short, long = _lists(subject.fitted, planted(), 5), _lists(subject.fitted, planted(), 20)
    assert np.array_equal(short, long[:, :5]), "the best 5 are not the first 5 of the best 20"


def a_fused_ranking_is_score_and_top_k(subject: Subject) -> None:
    """With seen items, with what a filter blocks, with neither, and for fewer and more than there are."""
    scorer, queries = subject.fitted, planted().queries()
    if not isinstance(scorer, FusedScorer):
        return
    blocked = np.random.default_rng(4).random((U, I)) < 0.5
    blocked[0] = True
    seen = queries.history
    for masks in (Masks.none(U), Masks(seen.indptr, seen.items), Masks(seen.indptr, seen.items, blocked)):
        for k in (1, K, I + 3):
            items, scores = scorer.top_block(queries, k, masks)
            want_items, want_scores = top_k(scorer.score(queries), k, masks)
            assert np.array_equal(items, want_items), f"other items than score and top_k, k = {k}"
            assert np.array_equal(scores, want_scores), f"other scores than score and top_k, k = {k}"


def other_ids_rename_the_lists(subject: Subject) -> None:
    """Users and items under other names, so in another order."""
    rng = np.random.default_rng(11)
    _moves_along(subject, rng.permutation(U), rng.permutation(I))


def a_permuted_catalogue_gives_the_same_lists(subject: Subject) -> None:
    _moves_along(subject, np.arange(U), np.random.default_rng(12).permutation(I))


def bystanders_change_nobody_else(subject: Subject) -> None:
    """One more user who did nothing and one more item that nobody touched."""
    toy = planted()
    more = with_bystanders(toy)
    crowd = subject.fit(more)
    got, want = crowd.score(more.ask()(np.arange(U)))[:, :I], subject.scores
    if subject.draws:
        _near(crowd, more, subject, "with bystanders")
    else:
        overlap = _overlap(_best(got), _best(want))
        assert overlap >= 0.98, f"an idle user and an untouched item change {1 - overlap:.1%} of all places"


def _moves_along(subject: Subject, users: NDArray[np.int64], items: NDArray[np.int64]) -> None:
    toy = renamed(planted(), users, items)
    scorer = subject.fit(toy)
    if subject.draws:
        _near(scorer, toy, subject, "under other ids")
        return
    got, want = scorer.score(toy.queries())[users][:, items], subject.scores
    size = np.abs(want).max(initial=1e-30)
    gap = float(np.abs(got - want).max()) / size
    assert gap < 1e-4, f"scores move by {gap:g} of their size under other ids"


def _near(scorer: Scorer, toy: Toy, subject: Subject, what: str) -> None:
    """Recall of the same users; an expected change of draws may move it a little."""
    users = np.arange(U)
    now, before = toy.recall(scorer, users), planted().recall(subject.fitted)
    assert abs(now - before) <= NEAR, f"recall is {now:.3f} {what} and {before:.3f} otherwise"


def _lists(scorer: Scorer, toy: Toy, k: int) -> NDArray[np.int32]:
    return recommend(scorer, toy.ask(), np.arange(U), k, repeats=False).items


def _best(scores: NDArray[np.float32]) -> NDArray[np.int32]:
    history = planted().queries().history
    return top_k(np.ascontiguousarray(scores), K, Masks(history.indptr, history.items))[0]


def _overlap(one: NDArray[np.int32], two: NDArray[np.int32]) -> float:
    """Mean share of the places of `one` (U, K) that `two` has as well."""
    return float((one[:, :, None] == two[:, None, :]).any(axis=2).mean())
