"""Members that were not made for each other, and weights that are none."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from matinee.data.ids import Vocabulary
from matinee.data.interactions import Interactions
from matinee.ensemble import METHODS, ListMethod
from matinee.ensemble.external import read_lists
from matinee.ensemble.fusion import RankSum
from matinee.errors import ConfigError, DataError
from tests.ensemble.tables import lists_of, rows_of


def test_I9_members_are_joined_by_id_and_what_does_not_fit_is_counted(tmp_path: Path) -> None:
    users, items = Vocabulary.of(["a", "b", "c"]), Vocabulary.of(["1", "10", "2", "9"])
    mine = lists_of({0: [0, 1, 2], 1: [2, 3]})  # a: 1, 10, 2; b: 2, 9
    path = tmp_path / "theirs.csv"
    path.write_text("user,item,score\nc,9,-1e6\nzoe,1,5\na,10,3e6\na,77,2e6\na,9,1\nb,9,0\n")
    seen = Interactions.from_events([1], [3], n_users=3, n_items=4)  # b has had 9
    theirs, counts = read_lists(path, users, items, seen=seen)
    assert counts == {"rows": 6, "unknown_users": 1, "unknown_items": 1, "rows_of_unknown": 2, "repeated_rows": 0,
                      "seen_rows": 1, "rows_past_depth": 0}
    made = RankSum(depth=3).combine([mine, theirs], None, 3)
    named = {users[user]: [items[item] for item in row] for user, row in rows_of(made).items()}
    assert named == {"a": ["10", "1", "9"], "b": ["2", "9"], "c": ["9"]}  # the union of users and items
    path.write_text("user,item,score\na,10,NaN\n")
    with pytest.raises(DataError, match=r"theirs\.csv:2:6: bad-number: score is 'NaN'") as refused:
        read_lists(path, users, items)
    assert refused.value.exit_code == 3


@pytest.mark.parametrize("weights", [[0, 0], [1, -1], [1, math.nan], [math.inf, 1]])
def test_I10_weights_that_are_none_are_refused(weights: list[float]) -> None:
    members = [lists_of({0: [1, 2]}), lists_of({0: [2, 3]})]
    needed = {"segments": {"by": "history_length", "thresholds": (5,)}}
    for name, method in METHODS.items():
        if issubclass(method, ListMethod):
            with pytest.raises(ConfigError, match="bad-weights: ") as refused:
                method(**needed.get(name, {})).combine(members, weights, 2)
            assert refused.value.exit_code == 2
    huge, equal = (RankSum().combine(members, each, 3) for each in ([1e308, 1e308], None))
    assert np.array_equal(huge.items, equal.items)
