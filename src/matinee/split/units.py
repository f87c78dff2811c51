"""What is hidden or kept as a whole: an event, or a (user, item) pair where an item is recommended once.

Where an item may be recommended again, every event is a unit of its own. Where it may not, all events of
a pair are one unit, which stands at the pair's newest event, so that a pair kept twice in the log is
never half hidden. Letters: E events, M units, U users.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matinee.data.dataset import Dataset
from matinee.data.interactions import Interactions


@dataclass(frozen=True, eq=False)
class Units:
    leader: NDArray[np.int64]  # (E,)  the event that stands for this one
    events: NDArray[np.int64]  # (M,)  positions in the log, ascending: user after user, each user's oldest first
    sizes: NDArray[np.int64]  # (U,)  units of each user

    @classmethod
    def of(cls, dataset: Dataset) -> Units:
        log = dataset.log
        every = np.arange(len(log))
        leader = every if dataset.facts.repeats else newest_of_pair(log)
        alone = leader == every
        return cls(leader, np.flatnonzero(alone), count_each(alone, log.indptr))

    def __len__(self) -> int:
        return len(self.events)

    @property
    def users(self) -> NDArray[np.int64]:
        """(M,) the user of each unit; built anew at each call."""
        return np.repeat(np.arange(len(self.sizes)), self.sizes)

    def counts(self, left: NDArray[np.bool_]) -> NDArray[np.int64]:
        """(U,) how many of these units (M,) each user has."""
        return count_each(left, np.concatenate([[0], np.cumsum(self.sizes)]))

    def newest(self, left: NDArray[np.bool_], want: NDArray[np.int64]) -> NDArray[np.bool_]:
        """(M,) true for the last `want[u]` (U,) of these units of each user; there must be as many."""
        return self._marked(np.flatnonzero(left), np.cumsum(self.counts(left)) - want, want)

    def first(
        self, order: NDArray[np.int64], among: NDArray[np.bool_], want: NDArray[np.int64]
    ) -> NDArray[np.bool_]:
        """(M,) true for the first `want[u]` (U,) of each user in `order` (M,), which goes user after user."""
        counts = self.counts(among)
        return self._marked(order[among[order]], np.cumsum(counts) - counts, want)

    def _marked(
        self, line: NDArray[np.int64], starts: NDArray[np.int64], lengths: NDArray[np.int64]
    ) -> NDArray[np.bool_]:
        """(M,) true for line[starts[u]:starts[u] + lengths[u]] of every user u."""
        before = np.cumsum(lengths) - lengths
        marked = np.zeros(len(self), bool)
        marked[line[np.arange(lengths.sum()) + np.repeat(starts - before, lengths)]] = True
        return marked

    def spread(self, units: NDArray[np.int8]) -> NDArray[np.int8]:
        """Hidden parts of units (M,) -> of events (E,)."""
        if len(self.events) == len(self.leader):
            return units
        of_events = np.empty(len(self.leader), np.int8)
        of_events[self.events] = units
        return of_events[self.leader]


def newest_of_pair(log: Interactions) -> NDArray[np.int64]:
    """(E,) the last event of each event's (user, item) pair."""
    return _of_pair(log, last=True)


def oldest_of_pair(log: Interactions) -> NDArray[np.int64]:
    """(E,) the first event of each event's (user, item) pair."""
    return _of_pair(log, last=False)


def _of_pair(log: Interactions, *, last: bool) -> NDArray[np.int64]:
    pairs = log.users * log.n_items + log.items
    ordered = np.sort(pairs)
    if not bool(np.any(ordered[1:] == ordered[:-1])):  # the usual case, and many times as fast
        return np.arange(len(log))
    order = np.argsort(pairs, kind="stable")
    new = np.ones(len(log), bool)
    new[1:] = pairs[order[1:]] != pairs[order[:-1]]
    starts = np.flatnonzero(new)
    ends = np.append(starts[1:], len(log)) - 1
    leader = np.empty(len(log), np.int64)
    leader[order] = np.repeat(order[ends if last else starts], ends - starts + 1)
    return leader


def count_each(mask: NDArray[np.bool_], indptr: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many are true in each slice mask[indptr[u]:indptr[u + 1]]."""
    return np.diff(np.searchsorted(np.flatnonzero(mask), indptr))
