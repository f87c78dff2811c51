"""Sessions: the runs of a history that were made with one intent, such as an evening's films.

Where the data says which session an event belongs to, that holds; elsewhere a session ends where the next event comes
more than some hours later. Between clicks an hour is usual, on MovieLens too (Halfaker et al., User session
identification based on strong regularities in inter-activity time, WWW 2015); but who watches lets a film's length pass
between two events. The default is longer than a film with its pauses and shorter than a night, and what PRME takes for
the end of a short term (Feng et al., IJCAI 2015).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from matinee.data.interactions import Interactions

GAP_HOURS = 6.0
DAY = 86_400


def session_starts(log: Interactions, gap_hours: float = GAP_HOURS) -> NDArray[np.bool_]:
    """(E,) true for the first event of each session; a user's first event is one.

    By the column `session` where the log has it: a session begins where the id is not that of the event before. Else
    where that event is more than `gap_hours` older; with unknown times a history is one session.
    """
    begins = np.zeros(len(log), bool)
    begins[log.indptr[:-1][log.counts > 0]] = True
    if "session" in log.columns:
        ids = log.columns["session"]
        begins[1:] |= ids[1:] != ids[:-1]
    else:
        begins[1:] |= np.diff(log.times) > gap_hours * 3600
    return begins


def session_indptr(log: Interactions, gap_hours: float = GAP_HOURS) -> NDArray[np.int64]:
    """(S + 1,) session s owns the events indptr[s]:indptr[s + 1]; sessions stand in the order of the log."""
    return np.append(np.flatnonzero(session_starts(log, gap_hours)), len(log)).astype(np.int64)


def newest_sessions(log: Interactions, gap_hours: float = GAP_HOURS) -> Interactions:
    """The same users with the events of their newest session alone."""
    indptr = session_indptr(log, gap_hours)
    newest = np.isin(indptr[1:], log.indptr[1:][log.counts > 0])
    return log.select(np.repeat(newest, np.diff(indptr)))


def one_day_dumps(log: Interactions) -> NDArray[np.bool_]:
    """(U,) whose several events all lie within one day: a list typed in at once, not a life of watching."""
    out = log.counts > 1
    starts, ends = log.indptr[:-1][out], log.indptr[1:][out] - 1
    out[out] = log.times[ends] - log.times[starts] < DAY
    return out
