"""Novelty, diversity, popularity, coverage and exposure: by hand, and against their slow twins."""

from __future__ import annotations

import numpy as np
import pytest

from matinee.data.columns import Categories
from matinee.data.interactions import Interactions
from matinee.errors import ConfigError
from matinee.evaluation.beyond_accuracy import overall, per_user
from tests.evaluation.tables import lists_of
from tests.reference import metrics as reference

COUNTS = np.array([8, 4, 2, 1, 1, 0])
GENRES = Categories.from_pairs(np.array([0, 0, 1, 2, 4]), ["드라마", "코미디", "드라마", "공포", "코미디"], 6)
USERS = np.array([0, 1, 2])


def test_novelty_and_popularity_by_hand() -> None:
    lists = lists_of({0: [0, 1], 1: [3, 5], 2: [2]}, 2)
    found = per_user(lists, USERS, ["novelty@2", "popularity@2", "novelty@1"], COUNTS)
    assert found["novelty@2"].tolist() == [(1 + 2) / 2, (4 + 4) / 2, 3]  # shares 1/2, 1/4; 1/16, never met; 1/8
    assert found["popularity@2"].tolist() == [(8 + 4) / 2, (1 + 0) / 2, 2]
    assert found["novelty@1"].tolist() == [1, 4, 3]


def test_diversity_by_hand() -> None:
    lists = lists_of({0: [0, 1], 1: [1, 2, 0], 2: [0, 3, 5]}, 3)
    found = per_user(lists, USERS, ["diversity@3"], COUNTS, GENRES)["diversity@3"]
    assert found.tolist() == [1 / 2, pytest.approx((1 + 1 / 2 + 1) / 3), 0]  # 3 and 5 have no genre: no pair is left


def test_a_repeated_item_and_a_repeated_label_change_nothing() -> None:
    lists = lists_of({0: [0, 1, 2, 0, 0, 1], 1: [], 2: []}, 6)
    once = lists_of({0: [0, 1, 2], 1: [], 2: []}, 6)
    again = Categories(np.array([0, 4, 5, 6, 6, 7, 7]), np.array([1, 2, 1, 2, 1, 0, 2], np.int32), GENRES.names)
    names = ["novelty@6", "diversity@6", "popularity@6"]
    for name, found in per_user(lists, USERS, names, COUNTS, again).items():
        assert found.tolist() == per_user(once, USERS, names, COUNTS, GENRES)[name].tolist()
    everywhere = ["coverage@6", "gini@6"]
    assert overall(lists, USERS, everywhere, 6) == overall(once, USERS, everywhere, 6)


def test_users_without_a_list_score_zero() -> None:
    found = per_user(lists_of({1: [0, 2]}, 2), np.array([-1, -1, 1, 2]), ["novelty@2", "diversity@2"], COUNTS, GENRES)
    assert found["novelty@2"].tolist() == [0, 0, 2, 0]
    assert found["diversity@2"].tolist() == [0, 0, 1, 0]


def test_coverage_and_gini_by_hand() -> None:
    lists = lists_of({0: [0, 1], 1: [0, 2], 2: [0, 3]}, 2)
    found = overall(lists, USERS, ["coverage@2", "gini@2", "coverage@1", "gini@1"], 4)
    # exposures 3, 1, 1, 1: sorted 1, 1, 1, 3 with weights -3, -1, 1, 3
    assert found == {"coverage@2": 1, "gini@2": (-3 - 1 + 1 + 9) / (4 * 6), "coverage@1": 1 / 4, "gini@1": 1 - 1 / 4}


def test_gini_is_zero_where_all_items_are_shown_alike_or_none_is() -> None:
    assert overall(lists_of({0: [0, 1], 1: [2, 3]}, 2), USERS, ["gini@2"], 4) == {"gini@2": 0}
    assert overall(lists_of({0: []}, 2), USERS, ["gini@2", "coverage@2"], 4) == {"gini@2": 0, "coverage@2": 0}


def test_only_the_lists_of_the_users_asked_for_count() -> None:
    lists = lists_of({0: [0], 1: [1], 2: [2]}, 1)
    assert overall(lists, np.array([1]), ["coverage@1"], 4) == {"coverage@1": 1 / 4}


def test_equal_to_the_slow_twins_on_random_lists() -> None:
    rng = np.random.default_rng(0)
    n_items, names = 150, [f"장르{label}" for label in range(70)]  # more labels than a machine word has bits
    genres = [set(rng.choice(names, rng.integers(0, 4), replace=False).tolist()) for _ in range(n_items)]
    rows = np.repeat(np.arange(n_items), [len(labels) for labels in genres])
    column = Categories.from_pairs(rows, [label for labels in genres for label in sorted(labels)], n_items)
    counts = rng.integers(0, 50, n_items)
    items = {user: rng.integers(0, n_items, rng.integers(0, 13)).tolist() for user in range(40)}
    lists, users = lists_of(items, 12), np.arange(40)
    for k in (1, 5, 12):
        found = per_user(lists, users, [f"novelty@{k}", f"popularity@{k}", f"diversity@{k}"], counts, column)
        for user in range(40):
            own, seen = items[user], counts.tolist()
            assert found[f"novelty@{k}"][user] == pytest.approx(reference.novelty(own, seen, k))
            assert found[f"popularity@{k}"][user] == pytest.approx(reference.popularity(own, seen, k))
            assert found[f"diversity@{k}"][user] == pytest.approx(reference.diversity(own, genres, k))
        table = list(items.values())
        all_found = overall(lists, users, [f"coverage@{k}", f"gini@{k}"], n_items)
        assert all_found[f"coverage@{k}"] == reference.coverage(table, n_items, k)
        assert all_found[f"gini@{k}"] == pytest.approx(reference.gini(table, n_items, k))


def test_seen_is_the_share_of_a_list_that_its_own_user_had() -> None:
    lists = lists_of({0: [1, 2, 2, 3], 1: [1, 2], 2: []}, 4)
    given = Interactions.from_events([0, 0, 0, 2], [2, 2, 5, 1], n_users=3, n_items=6)
    found = per_user(lists, np.array([-1, 0, 1, 2]), ["seen@4", "seen@1"], COUNTS, given=given)
    assert found["seen@4"].tolist() == [0, 1 / 3, 0, 0]  # a repeated item counts once
    assert found["seen@1"].tolist() == [0, 0, 0, 0]


def test_diversity_without_genres_is_refused() -> None:
    with pytest.raises(ConfigError) as error:
        per_user(lists_of({0: [1]}, 2), USERS, ["diversity@2"], COUNTS)
    assert str(error.value) == ("no-genres: diversity@2 compares genres, and the items have none; "
                                "leave the metric out, or join a file with genres through data.side")


def test_names_that_belong_elsewhere_and_a_k_over_the_depth_are_refused() -> None:
    lists = lists_of({0: [1]}, 2)
    with pytest.raises(ConfigError, match="other-metric: gini@2 is not computed here; known here: novelty, diversity"):
        per_user(lists, USERS, ["gini@2"], COUNTS)
    with pytest.raises(ConfigError, match="other-metric: novelty@2 is not computed here; known here: coverage, gini"):
        overall(lists, USERS, ["novelty@2"], 6)
    with pytest.raises(ConfigError, match="lists-too-short: coverage@3 needs 3 places where lists are 2 deep"):
        overall(lists, USERS, ["coverage@3"], 6)
