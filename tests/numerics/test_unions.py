"""The union of several lists, against sets."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from matinee.numerics.unions import union
from tests.reference import two_stage as reference

ITEMS = 12
lists_of_one = st.lists(st.integers(0, ITEMS - 1), max_size=5, unique=True)


@settings(deadline=None)
@given(st.lists(st.tuples(lists_of_one, lists_of_one, lists_of_one), min_size=1, max_size=6))
def test_a_union_has_each_item_once_and_says_where_it_stood(users: list[tuple[list[int], ...]]) -> None:
    padded = np.array([[one + [-1] * (5 - len(one)) for one in user] for user in users], np.int32).transpose(1, 0, 2)
    items, ranks = union(np.ascontiguousarray(padded), ITEMS)
    assert items.shape == (len(users), 15)
    for user, row, places in zip(users, items, ranks, strict=True):
        want = reference.union(user)
        n = len(want)
        assert row[:n].tolist() == list(want)
        assert places[:n].tolist() == list(want.values())
        assert (row[n:] == -1).all()
        assert not places[n:].any()
