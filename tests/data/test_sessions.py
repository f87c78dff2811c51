"""Sessions by the data's ids and by gaps, against a slow walk over each history."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matinee.data.interactions import Interactions
from matinee.data.sessions import GAP_HOURS, newest_sessions, one_day_dumps, session_indptr, session_starts

HOUR = 3600


@st.composite
def logs(draw: st.DrawFn) -> Interactions:
    """Gaps of up to three days, many about the default; with ids half of the time, which users may share."""
    n_users = draw(st.integers(1, 4))
    n = draw(st.integers(0, 15))
    users = draw(st.lists(st.integers(0, n_users - 1), min_size=n, max_size=n))
    hours = draw(st.lists(st.one_of(st.integers(0, 72), st.sampled_from([6, 12, 18])), min_size=n, max_size=n))
    ids = draw(st.none() | st.lists(st.integers(0, 2), min_size=n, max_size=n))
    columns = None if ids is None else {"session": np.array(ids, np.int64)}
    return Interactions.from_events(users, range(n), np.array(hours, np.int64) * HOUR, n_users=n_users,
                                    n_items=max(1, n), columns=columns)


def slow(log: Interactions, gap_hours: float) -> list[list[list[int]]]:
    """Of each user, of each session, the items."""
    out = []
    for user in range(log.n_users):
        own, before = list[list[int]](), None
        for event in range(log.indptr[user], log.indptr[user + 1]):
            if "session" in log.columns:
                new = before is None or log.columns["session"][event] != log.columns["session"][before]
            else:
                new = before is None or int(log.times[event]) - int(log.times[before]) > gap_hours * HOUR
            if new:
                own.append([])
            own[-1].append(int(log.items[event]))
            before = event
        out.append(own)
    return out


@settings(deadline=None)
@given(logs(), st.sampled_from([0.5, GAP_HOURS, 24.0]))
def test_sessions_are_those_of_a_slow_walk(log: Interactions, gap_hours: float) -> None:
    indptr, want = session_indptr(log, gap_hours), slow(log, gap_hours)
    got = [log.items[start:stop].tolist() for start, stop in pairwise(indptr.tolist())]
    assert got == [session for own in want for session in own]
    assert session_starts(log, gap_hours).sum() == len(got)
    newest = newest_sessions(log, gap_hours)
    assert [newest.take(np.array([user])).items.tolist() for user in range(log.n_users)] == [
        own[-1] if own else [] for own in want]


@settings(deadline=None)
@given(logs())
def test_a_longer_gap_joins_sessions_and_never_parts_them(log: Interactions) -> None:
    short, long = session_starts(log, 1), session_starts(log, 24)
    assert not (long & ~short).any()


@settings(deadline=None)
@given(logs(), st.permutations(range(4)))
def test_a_users_sessions_do_not_hang_on_the_others(log: Interactions, order: list[int]) -> None:
    for user in (u for u in order if u < log.n_users):
        alone = log.take(np.array([user]))
        mine = slice(log.indptr[user], log.indptr[user + 1])
        assert session_starts(alone).tolist() == session_starts(log)[mine].tolist()


@settings(deadline=None)
@given(logs())
def test_dumps_are_users_with_several_events_in_less_than_a_day(log: Interactions) -> None:
    want = []
    for user in range(log.n_users):
        times = log.take(np.array([user])).times.tolist()
        want.append(len(times) > 1 and max(times) - min(times) < 24 * HOUR)
    assert one_day_dumps(log).tolist() == want


@pytest.mark.parametrize(("hours", "sessions"), [(5, 1), (6, 1), (6.01, 2)])
def test_an_evening_is_one_session_and_two_evenings_are_two(hours: float, sessions: int) -> None:
    log = Interactions.from_events([0, 0], [0, 1], [0, int(hours * HOUR)], n_users=1, n_items=2)
    assert len(session_indptr(log)) - 1 == sessions
