"""What is true of every ensemble of lists."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matinee.ensemble import METHODS, ScoreBlend
from matinee.ensemble.fusion import HalfAndHalf, RankSum, ReciprocalRank
from matinee.ensemble.method import PointsMethod
from matinee.ensemble.voting import HardVote, WeightedVote
from matinee.ranking.lists import Lists
from tests.ensemble.tables import listed_of, lists_of, rows_of
from tests.reference import ensembles as reference

ITEMS, USERS = 9, 3
checked = settings(max_examples=50, deadline=None)

ranked = st.lists(st.integers(0, ITEMS - 1), unique=True, max_size=7)


@st.composite
def members_of(draw, least: int = 1, most: int = 4) -> list[Lists]:
    rows = draw(st.lists(st.lists(ranked, min_size=USERS, max_size=USERS), min_size=least, max_size=most))
    filled = [{user: draw(st.integers(0, len(row))) for user, row in enumerate(one)} for one in rows]
    return [lists_of(dict(enumerate(one)), 7, flags) for one, flags in zip(rows, filled, strict=True)]


weight = st.sampled_from([Fraction(n, d) for n, d in ((0, 1), (1, 10), (1, 5), (3, 10), (1, 1), (2, 1), (3, 1))])
points_methods = st.one_of(
    st.builds(WeightedVote, depth=st.integers(1, 8)),
    st.builds(RankSum, depth=st.integers(1, 8), absent=st.sampled_from([None, 9, 12])),
    st.builds(ReciprocalRank, k=st.sampled_from([0.5, 60.0])),
)


def expected(method: PointsMethod, members: list[Lists], weights: list[Fraction], user: int, k: int):
    """The reference, told the method's points."""
    standing = None
    if isinstance(method, HardVote | WeightedVote):
        standing = [sum(other > one for other in set(weights)) for one in weights]
        standing = list(range(len(weights))) if isinstance(method, HardVote) else standing

    def points(rank: int) -> Fraction:
        if isinstance(method, RankSum):
            absent = method.depth + 1 if method.absent is None else method.absent
            return Fraction(absent - rank if rank <= method.depth else 0)
        if isinstance(method, ReciprocalRank):
            return 1 / (Fraction(method.k) + rank)
        return Fraction(rank <= method.depth)

    return reference.by_points([listed_of(member, user) for member in members], weights, points, k, standing)


@checked
@given(st.data(), members_of(), points_methods, st.integers(1, 10))
def test_points_are_the_obvious_ones(data, members: list[Lists], method: PointsMethod, k: int) -> None:
    weights = data.draw(st.lists(weight, min_size=len(members), max_size=len(members)).filter(any))
    made = method.combine(members, [float(one) for one in weights], k)
    for user in range(USERS):
        assert listed_of(made, user) == expected(method, members, weights, user, k)


@checked
@given(members_of(), st.integers(1, 8), st.integers(1, 10))
def test_hard_vote_is_the_obvious_one(members: list[Lists], depth: int, k: int) -> None:
    made = HardVote(depth=depth).combine(members, None, k)
    for user in range(USERS):
        assert listed_of(made, user) == expected(HardVote(depth=depth), members, [Fraction(1)] * len(members), user, k)


@checked
@given(members_of(2, 2), st.integers(2, 8), st.integers(1, 10))
def test_half_and_half_is_the_obvious_one(members: list[Lists], places: int, k: int) -> None:
    made = HalfAndHalf(places=places).combine(members, None, k)
    for user in range(USERS):
        wanted = reference.half_and_half(*(listed_of(member, user) for member in members), places, k)
        assert listed_of(made, user) == wanted


@checked
@given(st.lists(st.lists(ranked, min_size=1, max_size=1), min_size=1, max_size=4), st.integers(1, 7))
def test_rank_sum_orders_by_the_sum_of_ranks(rows: list[list[list[int]]], depth: int) -> None:
    """As the method is told: the fewest ranks first; ties may stand either way."""
    members = [lists_of({0: one[0]}, 7) for one in rows]
    made = rows_of(RankSum(depth=depth).combine(members, None, ITEMS))[0]
    told = [listed_of(member, 0) for member in members]
    wanted = reference.rank_sum(told, depth, depth + 1)

    def sums(items: list[int]) -> list[int]:
        places = [{item: rank for rank, (item, _) in enumerate(member[:depth], 1)} for member in told]
        return [sum(place.get(item, depth + 1) for place in places) for item in items]

    assert sums(made[: len(wanted)]) == sums(wanted)


@pytest.mark.parametrize("name", sorted(set(METHODS) - {"score_blend", "segments"}))
@checked
@given(data=st.data())
def test_equal_members_are_the_member(name: str, data) -> None:
    assert METHODS["score_blend"] is ScoreBlend
    member = data.draw(members_of(1, 1))[0]
    method = METHODS[name]()
    for count in (2,) if name == "half_and_half" else (1, 2, 3):
        made = method.combine([member] * count, None, 7)
        assert np.array_equal(made.items, member.items)
        assert np.array_equal(made.filled & (made.items >= 0), member.filled & (member.items >= 0))


@checked
@given(st.data(), members_of(2), points_methods)
def test_weight_0_is_absent_and_order_and_scale_do_not_matter(data, members: list[Lists], method: PointsMethod) -> None:
    weights = [float(one) for one in data.draw(
        st.lists(weight, min_size=len(members), max_size=len(members)).filter(any))]
    made = method.combine(members, weights, 8)
    heard = [at for at, one in enumerate(weights) if one > 0]
    order = data.draw(st.permutations(range(len(members))))
    for others, values in (
        ([members[at] for at in heard], [weights[at] for at in heard]),
        ([members[at] for at in order], [weights[at] for at in order]),
        (members, [one * 10 for one in weights]),
        (members, [one / 3 for one in weights]),
    ):
        again = method.combine(others, values, 8)
        assert np.array_equal(again.items, made.items)
        assert np.array_equal(again.filled, made.filled)
        assert np.allclose(again.scores, made.scores, atol=1e-6)


@checked
@given(st.data(), members_of(2))
def test_the_order_of_members_moves_hard_votes_only_within_ties(data, members: list[Lists]) -> None:
    order = data.draw(st.permutations(range(len(members))))
    one, other = (HardVote(depth=3).combine(each, None, 9) for each in (members, [members[at] for at in order]))
    assert np.array_equal(one.scores, other.scores)
    assert [set(row) for row in rows_of(one).values()] == [set(row) for row in rows_of(other).values()]


@checked
@given(members_of(2, 2), st.sampled_from([HardVote(depth=3), RankSum(depth=4), HalfAndHalf(places=4)]),
       st.integers(1, 8))
def test_lists_are_as_long_as_can_be_and_shorter_ones_are_their_beginning(members, method, k: int) -> None:
    long, short = rows_of(method.combine(members, None, 9)), rows_of(method.combine(members, None, k))
    for user in range(USERS):
        everything = {item for member in members for item, _ in listed_of(member, user)}
        assert set(long[user]) == everything
        assert short[user] == long[user][:k]
