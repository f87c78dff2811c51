"""Routing: who gets whose list, and that what is hidden decides nothing."""

from __future__ import annotations

import numpy as np
import pytest

from matinee.data.interactions import Interactions
from matinee.ensemble.segments import Segments
from matinee.errors import ConfigError, UsageError
from tests.ensemble.tables import listed_of, lists_of, rows_of

DAY = 86_400
SPANS = [[0, 10], [0, DAY], [0, DAY + 1], [5, 30 * DAY + 5], [0, 9, 31 * DAY], []]
A, B, C = (lists_of({user: [first + user, 70] for user in range(6)}, filled={1: 1}) for first in (10, 20, 30))


def log(times):
    users = [user for user, mine in enumerate(times) for _ in mine]
    return Interactions.from_events(users, np.zeros(len(users)), [t for mine in times for t in mine],
                                    n_users=len(times), n_items=99)


def routed(method, members, histories=None):
    return method.combine(members, None, 2, log(SPANS).take if histories is None else histories)


def test_the_span_of_a_history_decides_and_a_threshold_belongs_to_the_place_below() -> None:
    made = routed(Segments(by="active_span", thresholds=(1, 30)), [A, B, C])
    firsts = {user: row[0] for user, row in rows_of(made).items()}
    assert firsts == {0: 10, 1: 11, 2: 22, 3: 23, 4: 34, 5: 15}  # somebody without events has no span


def test_the_length_of_a_history_decides() -> None:
    made = routed(Segments(by="history_length", thresholds=(2,)), [A, B])
    assert {user: row[0] for user, row in rows_of(made).items()} == {0: 10, 1: 11, 2: 12, 3: 13, 4: 24, 5: 15}


def test_a_list_is_taken_as_it_is() -> None:
    made = routed(Segments(by="active_span", thresholds=(1, 30)), [A, B, C])
    assert listed_of(made, 1) == [(11, False), (70, True)]
    np.testing.assert_array_equal(made.of(np.array([2])).scores, B.of(np.array([2])).scores)


def test_a_member_may_stand_in_two_places() -> None:
    made = routed(Segments(by="active_span", thresholds=(1, 30)), [A, B, A])
    assert [row[0] for row in rows_of(made).values()] == [10, 11, 22, 23, 14, 15]


def test_whoever_has_no_list_there_gets_that_of_the_next_member() -> None:
    b, c = lists_of({2: [], 4: [24]}), lists_of({3: [33], 4: []})
    made = rows_of(routed(Segments(by="active_span", thresholds=(1, 30)), [A, b, c]))
    assert made[2] == [12, 70]  # neither the second nor the third has one
    assert made[3] == [33]
    assert made[4] == [14, 70]  # after the last comes the first


def test_only_the_histories_that_were_asked_with_are_read() -> None:
    """Whoever is asked for by another history is routed by that, whatever the log holds."""
    asked = []

    def short(users):
        asked.append(users.tolist())
        return log([[0]] * 6).take(users)

    made = routed(Segments(by="active_span", thresholds=(1, 30)), [A, B, C], short)
    assert asked == [[0, 1, 2, 3, 4, 5]]
    assert [row[0] for row in rows_of(made).values()] == [10, 11, 12, 13, 14, 15]


def test_what_cannot_be_routed_is_refused() -> None:
    method = Segments(by="active_span", thresholds=(1, 30))
    with pytest.raises(ConfigError, match="member-count: Segments has 2 members; it combines exactly 3"):
        routed(method, [A, B])
    with pytest.raises(ConfigError, match="weights-refused: Segments counts all members alike"):
        method.combine([A, B, C], [1, 2, 3], 2, log(SPANS).take)
    with pytest.raises(UsageError, match="no-histories: segments are told by histories, and none were given"):
        method.combine([A, B, C], None, 2)
    with pytest.raises(UsageError, match="bad-k: a list of 0 items"):
        method.combine([A, B, C], None, 0, log(SPANS).take)
    for thresholds in ((30, 1), (1, 1)):
        with pytest.raises(ConfigError, match=r"bad-thresholds: the thresholds .* do not ascend"):
            Segments(by="history_length", thresholds=thresholds)
