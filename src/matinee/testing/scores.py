"""Checks of the scores: finite, repeatable, and hanging on nothing that they must not hang on."""

from __future__ import annotations

import random
import sys
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matinee.contract import AdditiveScorer, PairScorer, Queries
from matinee.data.interactions import Interactions
from matinee.numerics.threads import limited
from matinee.testing.subject import Subject
from matinee.testing.toy import I, Toy, U, planted, wide


def scores_are_finite_float32_for_every_item(subject: Subject) -> None:
    got = subject.scores
    assert got.shape == (U, I), f"scores of shape {got.shape} where ({U}, {I}) is due"
    assert got.dtype == np.float32, f"scores are {got.dtype}"
    assert np.isfinite(got).all(), f"{(~np.isfinite(got)).sum()} scores are not finite"
    assert subject.fitted.n_items == I, f"n_items is {subject.fitted.n_items}"


def the_same_seed_gives_the_same_bits(subject: Subject) -> None:
    _same(subject.fit(planted()).score(planted().queries()), subject.scores, "the second fit with seed 1")


def another_seed_gives_other_draws(subject: Subject) -> None:
    """A model that makes a random generator must make it of the seed."""
    made = 0
    make = np.random.default_rng

    def counted(seed: object = None) -> np.random.Generator:
        nonlocal made
        made += 1
        return make(seed)  # type: ignore[arg-type]

    np.random.default_rng = counted
    try:
        other = subject.fit(planted(), seed=2).score(planted().queries())
    finally:
        np.random.default_rng = make
    assert not made or not np.array_equal(other, subject.scores), "it draws, and seeds 1 and 2 give the same scores"


def fitting_and_scoring_leave_input_and_global_state_alone(subject: Subject) -> None:
    toy = planted()
    copy = replace(toy, data=toy.data.with_log(_copied(toy.data.log)))
    before = _outside(copy)
    scorer = subject.fit(copy)
    queries = toy.queries()
    asked = queries.history.hash()
    scorer.score(queries)
    changed = [what for what, state in _outside(copy).items() if state != before[what]]
    assert not changed, f"changed: {', '.join(changed)}"
    assert queries.history.hash() == asked, "the histories of the queries were changed"


def a_batch_scores_like_its_users_one_by_one(subject: Subject) -> None:
    """Bit for bit, also in blocks of other sizes, and on a catalogue wide enough for BLAS to choose another way."""
    large = wide()
    for scorer, queries in ((subject.fitted, planted().queries()), (subject.fit(large), large.queries())):
        together = scorer.score(queries)
        for size in (1, 2, 7, 64):
            blocks = [queries.take(np.arange(start, min(start + size, U))) for start in range(0, U, size)]
            _same(np.concatenate([scorer.score(block) for block in blocks]), together, f"{size} at a time")


def a_pair_has_one_score_in_any_list(subject: Subject) -> None:
    """Bit for bit what the whole catalogue's scores say, in any order of candidates and however many; -1 is none."""
    scorer, queries = subject.fitted, planted().queries()
    if not isinstance(scorer, PairScorer):
        return
    shuffled = np.random.default_rng(6).permuted(np.tile(np.arange(I, dtype=np.int32), (U, 1)), axis=1)
    for some in (shuffled, shuffled[:, :7], shuffled[:, :1], shuffled[:, :0]):
        asked = np.where(np.arange(some.shape[1]) % 5 == 4, -1, some).astype(np.int32)
        want = np.take_along_axis(subject.scores, some.astype(np.int64), axis=1)
        want[asked < 0] = -np.inf
        same = np.array_equal(scorer.score_pairs(queries, asked), want)
        assert same, f"{some.shape[1]} candidates each, shuffled: other bits than the whole catalogue's"


def the_company_and_its_order_do_not_matter(subject: Subject) -> None:
    order = np.random.default_rng(0).permutation(U)[: U // 2]
    order = np.append(order, order[:3])
    _same(subject.fitted.score(planted().queries().take(order)), subject.scores[order], "half of the users, shuffled")


def nobody_and_nothing_are_scored(subject: Subject) -> None:
    """An empty history, and a block without users."""
    empty = subject.fitted.score(Queries.of(Interactions.empty(2, I)))
    assert empty.shape == (2, I), f"two empty histories have scores of shape {empty.shape}"
    assert np.isfinite(empty).all(), "an empty history has scores that are not finite"
    none = subject.fitted.score(Queries.of(Interactions.empty(0, I)))
    assert none.shape == (0, I), f"no users at all have scores of shape {none.shape}"


def the_parts_of_a_score_sum_to_it(subject: Subject) -> None:
    """Where a scorer says what each item of a history adds."""
    scorer, queries = subject.fitted, planted().queries()
    if not isinstance(scorer, AdditiveScorer):
        return
    of_nobody = scorer.score(Queries.of(Interactions.empty(1, I)))[0]
    for user in range(0, U, 10):
        said, parts = scorer.parts(queries.take(np.array([user])), np.arange(I, dtype=np.int32))
        mine = np.unique(planted().data.log.take(np.array([user])).items)
        assert np.array_equal(said, mine), f"user {user} had {mine.tolist()}, and parts are told of {said.tolist()}"
        gap = float(np.abs(of_nobody + parts.sum(axis=0) - subject.scores[user]).max())
        assert gap < 1e-4 * np.abs(subject.scores[user]).max(), f"parts of user {user} miss the score by {gap:g}"


def threads_do_not_change_a_bit(subject: Subject) -> None:
    scorer = subject.fit(planted(), threads=2)
    with limited(2):
        _same(scorer.score(planted().queries()), subject.scores, "two threads")


def the_order_of_rows_in_a_file_does_not_matter(subject: Subject) -> None:
    toy = planted()
    log = toy.data.log
    order = np.random.default_rng(5).permutation(len(log))
    shuffled = Interactions.from_events(log.users[order], log.items[order], log.times[order], log.values[order],
                                        n_users=U, n_items=I,
                                        columns={name: column[order] for name, column in log.columns.items()})
    again = subject.fit(replace(toy, data=toy.data.with_log(shuffled)))
    _same(again.score(toy.queries()), subject.scores, "shuffled rows")


def _same(got: NDArray[np.float32], want: NDArray[np.float32], what: str) -> None:
    assert got.shape == want.shape, f"{what}: shape {got.shape} where {want.shape} is due"
    other = got != want
    gap = float(np.abs(got - want).max(initial=0))
    assert not other.any(), f"{what}: {other.mean():.1%} of the scores are other bits, by up to {gap:g}"


def _outside(toy: Toy) -> dict[str, Any]:
    """What a model could spoil."""
    state = {"the log": toy.data.log.hash(), "the state of random": repr(random.getstate()),
             "the state of numpy.random": repr(np.random.get_state())}  # noqa: NPY002
    torch = sys.modules.get("torch")
    return state if torch is None else {**state, "the state of torch": torch.get_rng_state().tolist()}


def _copied(log: Interactions) -> Interactions:
    """The same log in arrays of its own, so that a model that forces its way in spoils nobody else's."""
    return Interactions(log.indptr.copy(), log.items.copy(), log.values.copy(), log.times.copy(), log.n_items,
                        {name: column.copy() for name, column in log.columns.items()})
