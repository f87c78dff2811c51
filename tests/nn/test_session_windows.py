"""Windows cut from sessions in place of histories."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
import pytest

from matinee.contract import Run
from matinee.data.sessions import session_indptr
from matinee.models.gru4rec import GRU4Rec
from matinee.models.narm import NARM
from matinee.nn.windows import windows
from tests.models.test_als import dataset
from tests.numerics.logs import random_log

LOG = random_log(8, 25, 30, 300, weighted=True)
HOURS = 2 / 3600


@pytest.mark.parametrize("cut", ["newest", "all"])
@pytest.mark.parametrize("length", [1, 3, 100])
def test_they_are_those_of_a_log_whose_users_are_sessions(cut: Literal["newest", "all"], length: int) -> None:
    sessions = session_indptr(LOG, HOURS)
    got, want = windows(LOG, length, cut, stretches=sessions), windows(replace(LOG, indptr=sessions), length, cut)
    assert len(got) == len(want) > LOG.n_users
    one, other = got.batch(np.arange(len(got))), want.batch(np.arange(len(want)))
    np.testing.assert_array_equal(one.items.numpy(), other.items.numpy())
    np.testing.assert_array_equal(one.targets, other.targets)
    first = sessions[other.users]  # the first event of each window's session
    np.testing.assert_array_equal(one.users, LOG.users[first])


def test_a_model_learns_from_sessions_where_it_is_told_to() -> None:
    plain = GRU4Rec(dim=8, epochs=1, batch_size=4, dropout=0.0)
    run, told = Run(seed=1, threads=1), replace(plain, session_hours=HOURS)
    sessions = replace(LOG, indptr=session_indptr(LOG, HOURS))
    np.testing.assert_array_equal(told.fit(dataset(LOG), run).output, plain.fit(dataset(sessions), run).output)
    assert not np.array_equal(told.fit(dataset(LOG), run).output, plain.fit(dataset(LOG), run).output)


@pytest.mark.parametrize("kind", [GRU4Rec, NARM])
def test_the_newest_session_is_asked_with_where_the_recipe_says_so(kind: type[GRU4Rec | NARM]) -> None:
    for sessions, hours, want in (("whole", HOURS, None), ("current", HOURS, HOURS), ("current", None, None)):
        recipe = kind(dim=8, epochs=1, batch_size=16, sessions=sessions, session_hours=hours)  # type: ignore[arg-type]
        assert recipe.fit(dataset(LOG), Run(seed=1, threads=1)).session_hours == want
