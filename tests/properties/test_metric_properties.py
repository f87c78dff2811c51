"""What must hold for every accuracy metric on any lists: bounds, truncation, monotony, relabelling and others."""

from __future__ import annotations

import random
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matinee.contract import Masks
from matinee.evaluation.accuracy import per_user
from matinee.evaluation.names import KNOWN, parse
from matinee.evaluation.uncertainty import mean
from matinee.ranking.lists import Lists
from matinee.ranking.topk import top_k
from matinee.split.parts import Truth
from tests.evaluation.tables import lists_of, truth_of
from tests.reference.metrics import ACCURACY

DEPTH, N_ITEMS = 6, 12
FAST = settings(max_examples=50, deadline=None)
MEASURES = [*ACCURACY, "recall:lenskit", "ndcg:rectools", "ndcg:lenskit", "ndcg:librecommender"]

Case = tuple[dict[int, list[int]], list[tuple[int, list[int]]]]
item = st.integers(0, N_ITEMS - 1)
a_list = st.lists(item, max_size=DEPTH)  # repeats included
some_hidden = st.lists(st.integers(-3, N_ITEMS - 1), min_size=1, max_size=9)
cases = st.tuples(
    st.dictionaries(st.integers(0, 7), a_list, max_size=8),
    st.tuples(st.lists(st.tuples(st.just(-1), some_hidden), max_size=2),
              st.dictionaries(st.integers(0, 7), some_hidden, min_size=1, max_size=8)).map(
        lambda parts: parts[0] + sorted(parts[1].items())),
)


def names(k: int) -> list[str]:
    return [f"{measure.split(':')[0]}@{k}" + (f":{measure.split(':')[1]}" if ":" in measure else "")
            for measure in MEASURES]


def values(case: Case, k: int) -> dict[str, np.ndarray]:
    return per_user(lists_of(case[0], DEPTH), truth_of(case[1]), names(k))


def test_no_accuracy_metric_is_left_out_here() -> None:
    own = {name.split("@")[0] for name in KNOWN if ":" not in name}
    assert {parse(name).name for name in names(1)} >= own - {"uplus_score", "coverage", "gini", "novelty", "diversity",
                                                             "popularity", "seen"}


@given(cases, st.integers(1, DEPTH))
@FAST
def test_every_value_equals_its_slow_twin(case: Case, k: int) -> None:
    found = values(case, k)
    for measure, slow in ACCURACY.items():
        expected = [slow(case[0].get(user, []), set(hidden), k) for user, hidden in case[1]]
        assert found[f"{measure}@{k}"].tolist() == pytest.approx(expected, rel=1e-14, abs=0)


@given(cases, st.integers(1, DEPTH))
@FAST
def test_every_value_lies_between_0_and_1(case: Case, k: int) -> None:
    for name, found in values(case, k).items():
        assert ((found >= 0) & (found <= 1)).all(), name


@given(cases, st.integers(1, DEPTH))
@FAST
def test_only_the_first_k_places_count(case: Case, k: int) -> None:
    cut = {user: items[:k] for user, items in case[0].items()}
    whole, short = values(case, k), per_user(lists_of(cut, k), truth_of(case[1]), names(k))
    for name in names(k):
        assert whole[name].tolist() == short[name].tolist()


@given(st.sets(item, min_size=1), st.integers(1, DEPTH), st.permutations(range(N_ITEMS)))
@FAST
def test_a_perfect_list_scores_one_and_a_list_of_misses_zero(hidden: set[int], k: int, order: list[int]) -> None:
    """With fewer hidden items than K, as many, and more."""
    best = sorted(order, key=lambda i: i not in hidden)[:DEPTH]
    perfect = values(({0: best}, [(0, sorted(hidden))]), k)
    for measure in ("recall", "hit_rate", "ndcg", "map", "mrr"):
        assert perfect[f"{measure}@{k}"].tolist() == [1], measure
    assert perfect[f"precision@{k}"].tolist() == [min(k, len(hidden)) / k]
    assert perfect[f"recall_all@{k}"].tolist() == [min(k, len(hidden)) / len(hidden)]
    misses = [i for i in order if i not in hidden][:DEPTH]
    for name, found in values(({0: misses}, [(0, sorted(hidden))]), k).items():
        assert found.tolist() == [0], name


@given(st.sets(item, min_size=1), st.permutations(range(N_ITEMS)), st.integers(1, DEPTH - 1), st.integers(1, DEPTH))
@FAST
def test_a_hit_that_moves_up_never_lowers_and_a_hit_lost_never_raises(
    hidden: set[int], order: list[int], at: int, k: int
) -> None:
    items = order[:DEPTH]
    before = values(({0: items}, [(0, sorted(hidden))]), k)
    before.pop(f"ndcg@{k}:librecommender")  # it breaks both rules: its ideal grows and shrinks with the hits
    if items[at] in hidden and items[at - 1] not in hidden:
        up = [*items[: at - 1], items[at], items[at - 1], *items[at + 1 :]]
        moved = values(({0: up}, [(0, sorted(hidden))]), k)
        assert all(moved[name][0] >= before[name][0] for name in before)
    if items[at] in hidden:
        lost = values(({0: [*items[:at], N_ITEMS, *items[at + 1 :]]}, [(0, sorted(hidden))]), k)
        assert all(lost[name][0] <= before[name][0] for name in before)


@given(cases, st.integers(1, DEPTH), st.randoms(use_true_random=False))
@FAST
def test_a_repeat_in_list_or_truth_is_worth_a_miss(case: Case, k: int, rng: random.Random) -> None:
    once = {user: [i if i not in items[:at] else N_ITEMS + at for at, i in enumerate(items)]
            for user, items in case[0].items()}
    more = [(user, rng.sample(hidden + hidden[:2], len(hidden) + len(hidden[:2]))) for user, hidden in case[1]]
    distinct = [(user, sorted(set(hidden))) for user, hidden in case[1]]
    expected = values((once, distinct), k)
    for name, found in values((case[0], more), k).items():
        assert found.tolist() == expected[name].tolist(), name


@given(cases, st.integers(1, DEPTH), st.permutations(range(N_ITEMS)), st.permutations(range(8)))
@FAST
def test_renaming_all_ids_changes_no_bit(case: Case, k: int, items: list[int], users: list[int]) -> None:
    lists = {users[user]: [items[i] for i in found] for user, found in case[0].items()}
    hidden = [(user if user < 0 else users[user], sorted(items[i] if i >= 0 else i for i in found))
              for user, found in case[1]]
    before, after = values(case, k), values((lists, sorted(hidden, key=lambda pair: pair[0])), k)
    for name in names(k):
        assert sorted(before[name]) == sorted(after[name])
        assert mean(before[name]) == mean(after[name])


@given(cases, st.integers(1, DEPTH), st.integers(1, 5))
@FAST
def test_users_without_a_list_count_as_zero(case: Case, k: int, more: int) -> None:
    before = values(case, k)
    after = values((case[0], case[1] + [(user, [1]) for user in range(20, 20 + more)]), k)
    for name, found in before.items():
        assert after[name].tolist() == found.tolist() + [0] * more
        assert mean(after[name]) == pytest.approx(mean(found) * len(found) / (len(found) + more))


def test_a_constant_scorer_gets_exactly_what_the_tie_rule_gives() -> None:
    """Ties go to the smaller id, so everybody's list is 0, 1, 2 ... and the value is a count, near chance."""
    rng, n_users, n_items, k = np.random.default_rng(0), 400, 50, 10
    hidden = [sorted(rng.choice(n_items, int(rng.integers(1, 20)), replace=False).tolist()) for _ in range(n_users)]
    items, scores = top_k(np.zeros((n_users, n_items), np.float32), k, Masks.none(n_users))
    lists = Lists(np.arange(n_users), items, scores, np.zeros(items.shape, bool))
    truth: Truth = truth_of(list(enumerate(hidden)))
    found = per_user(lists, truth, ["recall@10", "recall_all@10", "hit_rate@10"])
    exact = sum((Fraction(sum(i < k for i in own), min(k, len(own))) for own in hidden), Fraction(0)) / n_users
    assert mean(found["recall@10"]) == pytest.approx(float(exact), rel=1e-15)
    assert mean(found["recall_all@10"]) == pytest.approx(k / n_items, abs=0.02)
    assert mean(found["hit_rate@10"]) < 1
