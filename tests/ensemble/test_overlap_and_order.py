"""How alike members are, and which has to be made first."""

from __future__ import annotations

import numpy as np
import pytest

from matinee.ensemble.order import order
from matinee.ensemble.overlap import overlap
from matinee.errors import ModelError
from tests.ensemble.tables import lists_of


def test_overlap_is_the_share_of_common_items() -> None:
    a = lists_of({0: [1, 2, 3, 4], 1: [5, 6, 7, 8], 9: [1, 2]})
    b = lists_of({0: [2, 1, 9, 4], 1: [0, 1, 2, 3], 4: [1, 2]})
    assert overlap([a, b], 4).tolist() == [[1, 0.375], [0.375, 1]]  # (3 / 4 + 0) / 2
    assert overlap([a, b], 2)[0, 1] == 0.5
    assert overlap([a, b], 1)[0, 1] == 0


def test_overlap_of_short_lists_is_over_the_longer() -> None:
    a, b = lists_of({0: [1, 2], 1: []}, depth=5), lists_of({0: [2, 7, 8], 1: [1]}, depth=3)
    assert overlap([a, b])[0, 1] == pytest.approx(1 / 3)
    assert overlap([a, a])[0, 1] == 1


def test_overlap_of_members_without_a_common_user_is_unknown() -> None:
    matrix = overlap([lists_of({0: [1]}), lists_of({-1: [1], 1: [1]})])
    assert np.isnan(matrix[0, 1])
    assert matrix[1, 1] == 1


def test_members_come_first() -> None:
    entries = {"all": ["blend", "ease", "votes"], "votes": ["als", "ease"], "blend": ["ease", "als"]}
    assert order(entries, known=["ease", "als"]) == ["blend", "votes", "all"]
    assert order({"b": [], "a": []}) == ["b", "a"]


def test_a_cycle_is_named() -> None:
    with pytest.raises(ModelError, match="cycle: an ensemble is a member of itself: b -> c -> b"):
        order({"a": ["b"], "b": ["ease", "c"], "c": ["b"]}, known=["ease"])
    with pytest.raises(ModelError, match="cycle: an ensemble is a member of itself: a -> a"):
        order({"a": ["a"]})


def test_a_member_that_is_nowhere_is_named_with_its_chain() -> None:
    with pytest.raises(ModelError, match=r"no-member: there is no 'easy': a -> b -> easy; did you mean ease\?"):
        order({"a": ["b"], "b": ["easy"]}, known=["ease", "als"])
