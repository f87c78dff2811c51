"""Segments: which hidden items fall where, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from matinee.data.interactions import Interactions
from matinee.errors import ConfigError
from matinee.evaluation.accuracy import per_user
from matinee.evaluation.segments import KNOWN, masks, narrow, seen_share, segment
from matinee.split.parts import Truth
from tests.evaluation.tables import lists_of, truth_of

DAY = 86_400
NOTHING = Interactions.empty(10, 20)
COUNTS = np.zeros(20, np.int64)


def plain(truths: dict[str, Truth]) -> dict[str, list[tuple[int, list[int]]]]:
    return {
        label: [(int(user), truth.items[a:b].tolist())
                for user, a, b in zip(truth.users, truth.indptr[:-1], truth.indptr[1:], strict=True)]
        for label, truth in truths.items()
    }


def test_hidden_parts_keep_their_own_items_and_normaliser() -> None:
    truth = truth_of([(0, [1, 2, 3]), (4, [5])], ["gap", "tail", "gap", "tail"])
    parts = segment("hidden_part", truth, NOTHING, COUNTS)
    assert plain(parts) == {"tail": [(0, [2]), (4, [5])], "gap": [(0, [1, 3])]}
    lists = lists_of({0: [2, 3], 4: [5]}, 2)
    assert per_user(lists, parts["tail"], ["recall@2"])["recall@2"].tolist() == [1, 1]
    assert per_user(lists, parts["gap"], ["recall@2"])["recall@2"].tolist() == [1 / 2]
    assert parts["gap"].parts.tolist() == [1, 1]


def test_a_split_that_says_nothing_of_parts_has_no_hidden_parts() -> None:
    assert segment("hidden_part", truth_of([(0, [1])]), NOTHING, COUNTS) == {}


def test_history_length_counts_given_events_with_both_ends_inside() -> None:
    lengths = [201, 0, 50, 51, 200]
    given = Interactions.from_events(np.repeat(np.arange(5), lengths), np.zeros(sum(lengths)), n_users=5, n_items=20)
    truth = truth_of([(-1, [9]), (-1, [9]), *((user, [user]) for user in range(5))])
    assert plain(segment("history_length", truth, given, COUNTS)) == {
        "up to 50": [(-1, [9]), (-1, [9]), (1, [1]), (2, [2])],
        "up to 200": [(3, [3]), (4, [4])],
        "over 200": [(0, [0])],
    }


def test_short_histories_are_told_apart() -> None:
    lengths = [6, 0, 1, 2, 5]
    given = Interactions.from_events(np.repeat(np.arange(5), lengths), np.zeros(sum(lengths)), n_users=5, n_items=20)
    truth = truth_of([(-1, [9]), *((user, [user]) for user in range(5))])
    assert plain(segment("short_history", truth, given, COUNTS)) == {
        "0": [(-1, [9]), (1, [1])], "1": [(2, [2])], "2 to 5": [(3, [3]), (4, [4])], "over 5": [(0, [0])]}


def test_what_was_seen_before_is_seen_by_the_same_user() -> None:
    given = Interactions.from_events([0, 0, 0, 1, 1], [3, 3, 19, 4, 19], n_users=3, n_items=20)
    truth = truth_of([(-1, [3]), (0, [3, 4]), (1, [-1, 3, 4, 19]), (2, [4])])
    assert plain(segment("seen_before", truth, given, COUNTS)) == {
        "seen": [(0, [3]), (1, [4, 19])], "new": [(-1, [3]), (0, [4]), (1, [-1, 3]), (2, [4])]}
    assert seen_share(truth, given).tolist() == [0, 1 / 2, 1 / 2, 0]


def test_active_span_is_from_the_oldest_to_the_newest_given_event() -> None:
    ends = [DAY, DAY + 1, 30 * DAY, 30 * DAY + 1]
    users = [0, 0, 1, 1, 2, 2, 3, 3, 5]  # user 4 has nothing, user 5 one event
    times = [1000 + t for end in ends for t in (0, end)] + [7]
    given = Interactions.from_events(users, [0] * 9, times, n_users=6, n_items=20)
    truth = truth_of([(-1, [9]), *((user, [user]) for user in range(6))])
    assert plain(segment("active_span", truth, given, COUNTS)) == {
        "up to 1 day": [(-1, [9]), (0, [0]), (4, [4]), (5, [5])],
        "up to 30 days": [(1, [1]), (2, [2])],
        "over 30 days": [(3, [3])],
    }


def test_item_popularity_parts_the_hidden_items_in_fifths() -> None:
    counts = np.arange(20) * 10
    truth = truth_of([(0, [1, 3, 5, 7, 9]), (1, [2, 4, 6, 8, 10])])
    assert plain(segment("item_popularity", truth, NOTHING, counts)) == {
        "lowest fifth": [(0, [1]), (1, [2])],
        "second fifth": [(0, [3]), (1, [4])],
        "third fifth": [(0, [5]), (1, [6])],
        "fourth fifth": [(0, [7]), (1, [8])],
        "highest fifth": [(0, [9]), (1, [10])],
    }


def test_equally_popular_items_are_never_parted_and_unknown_ones_are_among_the_rarest() -> None:
    counts = np.array([9, 5, 5, 5, 5])
    assert plain(segment("item_popularity", truth_of([(0, [-1, 0, 1, 2, 3, 4])]), NOTHING, counts)) == {
        "lowest fifth": [(0, [-1, 1, 2, 3, 4])], "highest fifth": [(0, [0])]}


@pytest.mark.parametrize("name", sorted(set(KNOWN) - {"hidden_part"}))
def test_a_segmentation_covers_every_hidden_item_once(name: str) -> None:
    rng = np.random.default_rng(1)
    given = Interactions.from_events(rng.integers(0, 10, 900), rng.integers(0, 20, 900), rng.integers(0, 40 * DAY, 900),
                                     n_users=10, n_items=20)
    truth = truth_of([(user, sorted(rng.choice(20, 4, replace=False).tolist())) for user in range(10)])
    found = masks(name, truth, given, rng.integers(0, 9, 20))
    assert np.sum(list(found.values()), axis=0).tolist() == [1] * 40


def test_narrow_tells_where_its_users_stood() -> None:
    truth = truth_of([(-1, [1]), (-1, [2]), (3, [4, 5])])
    part, rows = narrow(truth, np.array([False, True, False, True]))
    assert plain({"x": part}) == {"x": [(-1, [2]), (3, [5])]}
    assert rows.tolist() == [1, 2]


def test_an_unknown_segment_is_refused_with_the_nearest_known() -> None:
    with pytest.raises(ConfigError, match=r"unknown-segment: no segment is called 'hidden_parts'; .*hidden_part\?"):
        segment("hidden_parts", truth_of([(0, [1])]), NOTHING, COUNTS)
    with pytest.raises(ConfigError, match="no segment is called 'x'; known: hidden_part, history_length, active_span"):
        segment("x", truth_of([(0, [1])]), NOTHING, COUNTS)


def test_every_segment_has_a_meaning() -> None:
    assert all(KNOWN.values())
