"""Accuracy metrics: figures worked out by hand, users without lists, what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest

from matinee.errors import ConfigError, DataError
from matinee.evaluation.accuracy import per_user
from matinee.evaluation.formulas import MEASURES
from matinee.ranking.lists import Lists
from tests.evaluation.tables import lists_of, truth_of
from tests.reference import metrics as reference


def values(lists: Lists, hidden: list[tuple[int, list[int]]], metric: str) -> list[float]:
    return per_user(lists, truth_of(hidden), [metric])[metric].tolist()


def test_hand_computed_values_of_one_list() -> None:
    lists = lists_of({0: [7, 3, 9, 1]}, 4)
    hidden = [(0, [1, 3, 5])]
    assert values(lists, hidden, "recall@2") == [1 / 2]
    assert values(lists, hidden, "recall@4") == [2 / 3]
    assert values(lists, hidden, "recall_all@2") == [1 / 3]
    assert values(lists, hidden, "precision@4") == [2 / 4]
    assert values(lists, hidden, "hit_rate@1") == [0]
    assert values(lists, hidden, "mrr@4") == [1 / 2]
    assert values(lists, hidden, "map@4") == [(1 / 2 + 2 / 4) / 3]
    ideal = 1 + 1 / math.log2(3) + 1 / 2
    assert values(lists, hidden, "ndcg@4") == [pytest.approx((1 / math.log2(3) + 1 / math.log2(5)) / ideal)]


def test_uplus_score_is_three_quarters_recall_and_one_quarter_ndcg_at_25() -> None:
    lists = lists_of({0: [*range(100, 124), 5]}, 25)
    expected = 0.75 * 1.0 + 0.25 / math.log2(26)
    assert values(lists, [(0, [5])], "uplus_score") == [pytest.approx(expected)]


def test_users_without_a_list_score_zero_and_count() -> None:
    lists = lists_of({2: [1], 5: [1]}, 1)
    assert values(lists, [(-1, [1]), (-1, [1]), (2, [1]), (3, [1]), (9, [1])], "recall@1") == [0, 0, 1, 0, 0]


def test_padding_is_never_a_hit_even_where_a_hidden_item_is_outside_the_catalogue() -> None:
    assert values(lists_of({0: [4], 1: []}, 3), [(0, [-2, -1, 4]), (1, [-1])], "recall@3") == [1 / 3, 0]


def test_a_short_list_still_divides_by_k() -> None:
    assert values(lists_of({0: [4]}, 10), [(0, [4])], "precision@10") == [1 / 10]


def test_a_repeated_item_is_a_miss_at_its_second_place() -> None:
    hidden = [(0, [4, 5])]
    for metric in ("map@3", "ndcg@3", "recall@3", "precision@3", "mrr@3"):
        again, missed = lists_of({0: [4, 4, 5]}, 3), lists_of({0: [4, 8, 5]}, 3)
        assert values(again, hidden, metric) == values(missed, hidden, metric)


def test_a_repeated_hidden_item_counts_once() -> None:
    lists = lists_of({0: [4, 1, 5], 1: [4]}, 3)
    for measure in reference.ACCURACY:
        once = values(lists, [(0, [4, 5]), (1, [4])], f"{measure}@3")
        assert values(lists, [(0, [4, 4, 5, 5, 5]), (1, [4, 4])], f"{measure}@3") == once
        assert values(lists, [(0, [5, 4, 5]), (1, [4])], f"{measure}@3") == once


def test_every_measure_has_a_slow_twin() -> None:
    assert {*reference.ACCURACY, "uplus_score"} == set(MEASURES)


def test_scores_of_the_lists_are_not_looked_at() -> None:
    lists = lists_of({0: [4, 5]}, 2)
    other = Lists(lists.users, lists.items, np.zeros_like(lists.scores), ~lists.filled)
    assert values(other, [(0, [5])], "ndcg@2") == values(lists, [(0, [5])], "ndcg@2")


def test_a_k_over_the_depth_is_refused_and_names_the_depth() -> None:
    with pytest.raises(ConfigError) as error:
        values(lists_of({0: [1]}, 10), [(0, [1])], "recall@11")
    assert str(error.value) == ("lists-too-short: recall@11 needs 11 places where lists are 10 deep; "
                                "ask for at most 10, or make longer lists")


def test_a_metric_beyond_accuracy_is_refused() -> None:
    with pytest.raises(ConfigError, match="not-accuracy: coverage@1 does not compare lists with what was hidden"):
        values(lists_of({0: [1]}, 10), [(0, [1])], "coverage@1")


@pytest.mark.parametrize(("hidden", "counted"), [([], "0 of 0"), ([(0, [1]), (1, [])], "1 of 2")])
def test_a_truth_with_nobody_or_nothing_is_refused(hidden: list[tuple[int, list[int]]], counted: str) -> None:
    with pytest.raises(DataError, match=f"empty-truth: {counted} users have a hidden item"):
        values(lists_of({0: [1]}, 1), hidden, "recall@1")


def test_no_metrics_give_no_values() -> None:
    assert per_user(lists_of({0: [1]}, 1), truth_of([(0, [1])]), []) == {}
