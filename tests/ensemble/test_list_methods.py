"""Each way of combining lists on examples that fit on a hand."""

from __future__ import annotations

import numpy as np
import pytest

from matinee.ensemble import METHODS, ScoreBlend
from matinee.ensemble.fusion import HalfAndHalf, RankSum, ReciprocalRank
from matinee.ensemble.segments import Segments
from matinee.ensemble.voting import HardVote, WeightedVote
from matinee.errors import ConfigError, UsageError
from matinee.numerics.threads import limited
from tests.ensemble.tables import lists_of, rows_of

LIST_METHODS = {name: method for name, method in METHODS.items() if method not in (ScoreBlend, Segments)}


def one_user(method, *members, weights=None, k=10):
    return rows_of(method.combine([lists_of({0: member}) for member in members], weights, k))[0]


def test_hard_vote_counts_members() -> None:
    assert one_user(HardVote(), [1, 2, 3], [4, 3, 5], [6, 3, 1]) == [3, 1, 4, 6, 2, 5]
    # 3 has three votes, 1 two; then 1/1 of 4 and 6, 1/2 of 2, 1/3 of 5


def test_only_the_first_places_vote_and_the_others_come_after() -> None:
    members = [[1, 2, 9, 5], [3, 4, 9, 6]]
    assert one_user(HardVote(depth=2), *members) == [1, 3, 2, 4, 9, 5, 6]
    assert one_user(HardVote(depth=3), *members) == [9, 1, 3, 2, 4, 5, 6]


def test_the_last_tie_of_votes_goes_to_the_member_that_is_listed_first() -> None:
    assert one_user(HardVote(), [7, 1], [1, 7]) == [7, 1]
    assert one_user(HardVote(), [1, 7], [7, 1]) == [1, 7]
    assert one_user(HardVote(), [5], [3]) == [5, 3]


def test_weighted_vote_sums_weights() -> None:
    members = [[1, 2], [3, 2], [3, 4]]
    assert one_user(WeightedVote(), *members, weights=[5, 3, 3]) == [2, 3, 1, 4]  # 8, 6, 5, 3
    assert one_user(WeightedVote(), *members) == [3, 2, 1, 4]
    # 1 and 9 tie, since 0.1 + 0.2 is 0.3 and 1/2 + 1/2 is 1; the heaviest member has 9
    assert one_user(WeightedVote(), [5, 1], [6, 1], [9], weights=[0.1, 0.2, 0.3]) == [9, 1, 6, 5]
    assert one_user(WeightedVote(), [2], [2], [1, 0], weights=[0.1, 0.2, 0.3]) == [2, 1, 0]


def test_rank_sum_counts_what_a_list_lacks_as_one_place_behind_it() -> None:
    a, b = [1, 2, 3], [4, 1, 5]
    # with depth 3: 1 has 1 + 2, 4 has 4 + 1, 2 has 2 + 4, 3 and 5 have 3 + 4
    assert one_user(RankSum(depth=3), a, b) == [1, 4, 2, 3, 5]
    assert one_user(RankSum(depth=3), a, b, weights=[1, 3]) == [1, 4, 5, 2, 3]  # 7, 7, 13, 14, 15 and 1/1 + 1/2 > 1/1
    # 6 stands in both lists, near the end: 3 + 3 against 1 + absent
    assert one_user(RankSum(depth=3), [1, 2, 6], [3, 4, 6])[0] == 1
    assert one_user(RankSum(depth=3, absent=9), [1, 2, 6], [3, 4, 6])[0] == 6


def test_rank_sum_of_the_source_looks_at_30_places() -> None:
    a, b = list(range(100, 140)), list(range(200, 240))
    b[30] = 100  # place 31 counts as absent, which is 31 too
    assert one_user(RankSum(), a, b, k=3) == [100, 200, 101]
    assert RankSum() == RankSum(depth=30)


def test_reciprocal_rank_prefers_agreement() -> None:
    a, b = [1, 2, 3], [4, 2, 5]
    fused = ReciprocalRank().combine([lists_of({0: a}), lists_of({0: b})], None, 10)
    assert rows_of(fused)[0] == [2, 1, 4, 3, 5]
    assert fused.scores[0, 0] == pytest.approx(1 / 62)
    assert fused.scores[0, 1] == pytest.approx(1 / 61 / 2)
    assert one_user(ReciprocalRank(), [1, 8, 2], [4, 9, 2])[0] == 2
    assert one_user(ReciprocalRank(k=0.01), [1, 8, 2], [4, 9, 2])[0] == 1


def test_half_and_half() -> None:
    static, sequential = list(range(10)), [0, 20, 1, 21, 22, 23, 24, 25, 26, 27]
    assert one_user(HalfAndHalf(), static, sequential) == [0, 1, 2, 3, 4, 20, 21, 22, 23, 24]
    assert one_user(HalfAndHalf(), sequential, static) == [0, 20, 1, 21, 22, 2, 3, 4, 5, 6]
    assert one_user(HalfAndHalf(places=5), static, sequential, k=5) == [0, 1, 2, 20, 21]
    assert one_user(HalfAndHalf(places=4), static, sequential, k=8) == [0, 1, 20, 21, 2, 3, 22, 23]
    assert one_user(HalfAndHalf(), [1, 2], [3, 4, 5, 6, 7, 8]) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert one_user(HalfAndHalf(), [1, 2, 3, 4, 5, 6, 7, 8], [1]) == [1, 2, 3, 4, 5, 6, 7, 8]


@pytest.mark.parametrize("name", LIST_METHODS)
def test_filled_places_are_no_opinion(name: str) -> None:
    method = LIST_METHODS[name]()
    a = lists_of({0: [1, 2, 8, 9], 1: [7, 8]}, filled={0: 2, 1: 2}, depth=4)
    b = lists_of({0: [3, 9, 8, 5], 1: [7, 6]}, filled={0: 2, 1: 2}, depth=4)
    made = method.combine([a, b], None, 6)
    assert set(rows_of(made)[0][:4]) == {1, 2, 3, 9}  # 9 is meant by the second, though filled in the first
    assert set(rows_of(made)[0][4:]) == {8, 5}
    assert made.filled[0].tolist() == [False] * 4 + [True] * 2
    assert rows_of(made)[1][0] == 7
    assert made.filled[1].tolist() == [True] * 3 + [False] * 3


@pytest.mark.parametrize("name", LIST_METHODS)
def test_users_of_all_members_get_lists(name: str) -> None:
    a = lists_of({-1: [1], 3: [1, 2], 5: [1, 2]})
    b = lists_of({4: [7, 8, 9], 5: [2, 1, 3], 9: []})
    made = LIST_METHODS[name]().combine([a, b], None, 4)
    assert made.users.tolist() == [3, 4, 5, 9]
    rows = rows_of(made)
    assert rows[3] == [1, 2]
    assert rows[4] == [7, 8, 9]
    assert sorted(rows[5]) == [1, 2, 3]
    assert rows[9] == []
    assert made.items.shape == (4, 4)
    nobody = LIST_METHODS[name]().combine([lists_of({}), lists_of({})], None, 4)
    assert nobody.items.shape == (0, 4)


@pytest.mark.parametrize("name", LIST_METHODS)
def test_a_second_place_in_one_list_gives_nothing(name: str) -> None:
    again = lists_of({0: [1, 2, 2, 2, 3]})
    made = rows_of(LIST_METHODS[name]().combine([again, lists_of({0: [1, 3]})], None, 5))[0]
    assert sorted(made) == [1, 2, 3]
    assert made[:2] == ([1, 2] if name == "half_and_half" else [1, 3])


def test_many_users_are_combined_in_blocks() -> None:
    rng = np.random.default_rng(0)
    members = [lists_of({user: rng.permutation(20)[:6].tolist() for user in range(5000)}) for _ in range(2)]
    whole = RankSum(depth=6).combine(members, None, 5)
    some = np.arange(4090, 4110)
    part = RankSum(depth=6).combine([member.of(some) for member in members], None, 5)
    assert np.array_equal(whole.of(some).items, part.items)
    with limited(1):
        assert np.array_equal(RankSum(depth=6).combine(members, None, 5).items, whole.items)


def test_what_cannot_be_combined_is_refused() -> None:
    one = lists_of({0: [1]})
    for method, members, weights, message in (
        (RankSum(), [], None, "no-members: an ensemble without members"),
        (RankSum(), [one], [1, 2], "bad-weights: 2 weights for 1 members"),
        (HardVote(), [one, one], [1, 2], "weights-refused: HardVote counts all members alike"),
        (HalfAndHalf(), [one], None, "member-count: HalfAndHalf has 1 members; it combines exactly 2"),
        (HalfAndHalf(), [one, one], [1, 2], "weights-refused: HalfAndHalf counts all members alike"),
    ):
        with pytest.raises(ConfigError, match=message):
            method.combine(members, weights, 5)
    with pytest.raises(UsageError, match="bad-k: a list of 0 items was asked for"):
        RankSum().combine([one], None, 0)
    with pytest.raises(ConfigError, match="bad-absent: absent is 30 where 30 places count"):
        RankSum(absent=30)
    assert rows_of(HardVote().combine([one, one], [2, 2], 5)) == {0: [1]}
