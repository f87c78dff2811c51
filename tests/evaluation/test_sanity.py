"""Warnings: each is raised where it should be and not where it should not."""

from __future__ import annotations

import numpy as np

from matinee.data.interactions import Interactions
from matinee.evaluation.sanity import warnings
from matinee.ranking.lists import Lists
from matinee.split.parts import Truth
from tests.evaluation.tables import lists_of, truth_of

USERS = range(200)
GIVEN = Interactions.from_events(list(USERS), [0] * 200, n_users=200, n_items=1000)
OWN = lists_of({user: [user + 1, user + 2, user + 3] for user in USERS}, 3)
ALIKE = lists_of({user: [5, 6] if user else [7, 8] for user in USERS}, 3)
TRUTH = truth_of([(user, [user + 3, user + 9]) for user in USERS])


def told(
    lists: Lists, truth: Truth = TRUTH, given: Interactions = GIVEN, repeats: bool = False, personal: bool = True
) -> list[str]:
    return warnings(lists, truth, given, repeats=repeats, personal=personal)


def test_an_ordinary_result_raises_no_warning() -> None:
    assert told(OWN) == []


def test_a_result_too_good_to_be_true() -> None:
    perfect = lists_of({user: [user + 3, user + 9] if user > 10 else [1] for user in USERS}, 3)
    assert told(perfect) == ["recall@3 is 0.945, too good to be true: "
                             "look for hidden events in what the model was given"]


def test_one_list_for_all_from_a_personal_model() -> None:
    assert told(ALIKE) == ["99.5% of users share one list, though the model claims to be personal"]
    assert told(ALIKE, personal=False) == []
    some = lists_of({user: [5, 6] if user > 2 else [7, user + 8] for user in USERS}, 3)
    assert told(some) == []


def test_a_few_users_may_share_a_list() -> None:
    few = lists_of({user: [5, 6] for user in range(19)}, 3)
    assert told(few, truth_of([(user, [9]) for user in range(19)])) == []


def test_items_that_the_users_already_had() -> None:
    given = Interactions.from_events([3, 3, 4, 5], [5, 900, 6, 999], n_users=200, n_items=1000)
    assert told(OWN, given=given) == ["the lists of 2 of 200 users hold an item that the user already had"]
    assert told(OWN, given=given, repeats=True) == []


def test_only_the_first_places_are_looked_at() -> None:
    given = Interactions.from_events([3], [6], n_users=200, n_items=1000)
    assert warnings(OWN, TRUTH, given, repeats=False, personal=True, depth=2) == []


def test_users_without_a_list_and_items_outside_the_catalogue_are_counted() -> None:
    truth = truth_of([(-1, [3]), (0, [-7, 2]), (1, [5, 6]), (250, [4])])
    assert told(OWN, truth) == ["2 of 4 users have no list; they score 0 and count",
                                "1 of 6 hidden items are outside the catalogue; no list can hold them, and they count"]


def test_users_of_several_blocks_are_checked() -> None:
    n = 5000
    given = Interactions.from_events([n - 1], [1], n_users=n, n_items=10)
    lists = Lists(np.arange(n), np.ones((n, 1), np.int32), np.zeros((n, 1), np.float32), np.zeros((n, 1), bool))
    assert told(lists, truth_of([(0, [2])]), given, personal=False) == [
        "the lists of 1 of 5000 users hold an item that the user already had"]
