"""The one data container: a user-grouped, time-ordered event log whose layout is CSR.

Matrix models ask for `.matrix()`; sequence models slice `.items` with `.indptr`. No second copy, no
format flag. Letters in every shape comment: U users, I items, E events, B users in a block.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array

from matinee.errors import DataError


@dataclass(frozen=True, slots=True, eq=False)
class Interactions:
    indptr: NDArray[np.int64]  # (U + 1,)  user u owns events indptr[u]:indptr[u + 1]
    items: NDArray[np.int32]  # (E,)
    values: NDArray[np.float32]  # (E,)  confidence weights; 1.0 where nothing is known
    times: NDArray[np.int64]  # (E,)  Unix seconds; 0 where unknown
    n_items: int
    columns: Mapping[str, NDArray[np.generic]] = field(default_factory=dict)
    """(E,) each: `rating`, `watch_seconds`, `total_seconds`, `session`, where the source has them."""

    def __post_init__(self) -> None:
        events = len(self.items)
        if len(self.indptr) == 0 or self.indptr[0] != 0 or self.indptr[-1] != events:
            raise DataError("bad-log", f"indptr must run from 0 to {events}")
        if events and not 0 <= self.items.min() <= self.items.max() < self.n_items:
            raise DataError(
                "bad-log", f"item ids must lie in [0, {self.n_items}); got [{self.items.min()}, {self.items.max()}]"
            )
        every: dict[str, NDArray[Any]] = {"values": self.values, "times": self.times, **self.columns}
        for name, array in every.items():
            if len(array) != events:
                raise DataError("bad-log", f"{name} has {len(array)} entries for {events} events")
            array.setflags(write=False)  # a model that edits its input fails loudly
        self.indptr.setflags(write=False)
        self.items.setflags(write=False)

    @classmethod
    def from_events(
        cls,
        users: ArrayLike,
        items: ArrayLike,
        times: ArrayLike | None = None,
        values: ArrayLike | None = None,
        *,
        n_users: int,
        n_items: int,
        columns: Mapping[str, NDArray[np.generic]] | None = None,
    ) -> Interactions:
        """From dense ids in any order: sorted by (user, time), ties in the order given."""
        users = np.asarray(users, np.int64)
        events = len(users)
        if events and not 0 <= users.min() <= users.max() < n_users:
            raise DataError("bad-log", f"user ids must lie in [0, {n_users}); got [{users.min()}, {users.max()}]")
        times = np.zeros(events, np.int64) if times is None else np.asarray(times, np.int64)
        values = np.ones(events, np.float32) if values is None else np.asarray(values, np.float32)
        indptr = np.zeros(n_users + 1, np.int64)
        np.cumsum(np.bincount(users, minlength=n_users), out=indptr[1:])
        order = _order(users, times)
        return cls(
            indptr,
            np.asarray(items, np.int32)[order],
            values[order],
            times[order],
            n_items,
            {name: np.asarray(column)[order] for name, column in (columns or {}).items()},
        )

    @classmethod
    def empty(cls, n_users: int, n_items: int) -> Interactions:
        """A log of `n_users` users who have done nothing."""
        return cls.from_events([], [], n_users=n_users, n_items=n_items)

    @property
    def n_users(self) -> int:
        return len(self.indptr) - 1

    @property
    def counts(self) -> NDArray[np.int64]:
        """(U,) events of each user."""
        return np.diff(self.indptr)

    @property
    def users(self) -> NDArray[np.int64]:
        """(E,) the user of each event; built anew at each call."""
        return np.repeat(np.arange(self.n_users), self.counts)

    def __len__(self) -> int:
        return len(self.items)

    def matrix(self) -> csr_array:
        """(U, I) float32, columns sorted, int32 indices, one entry a pair: the largest confidence among its events.

        A pair that occurs often counts once; a confidence made from the counts says otherwise. Always a copy.
        """
        shape = (self.n_users, self.n_items)
        narrow = np.int32 if len(self) < 2**31 else np.int64  # scipy widens the indices to the type of indptr
        out = csr_array((self.values.copy(), self.items.copy(), self.indptr.astype(narrow)), shape=shape)
        out.sort_indices()
        users = self.users
        first = np.ones(len(self), bool)
        first[1:] = (users[1:] != users[:-1]) | (out.indices[1:] != out.indices[:-1])
        if bool(first.all()):
            return out
        indptr = np.zeros(self.n_users + 1, narrow)
        np.cumsum(np.bincount(users[first], minlength=self.n_users), out=indptr[1:])
        largest = np.maximum.reduceat(out.data, np.flatnonzero(first))
        return csr_array((largest, out.indices[first], indptr), shape=shape)

    def item_counts(self) -> NDArray[np.int64]:
        """(I,) distinct users of each item."""
        return np.bincount(self.matrix().indices, minlength=self.n_items).astype(np.int64)

    def take(self, users: NDArray[np.int64]) -> Interactions:
        """The same log for `users` (B,), in that order. Repeats allowed; -1 is somebody who has done nothing."""
        users = np.asarray(users, np.int64)
        known = np.maximum(users, 0)
        counts = np.where(users < 0, 0, self.counts[known] if self.n_users else 0)
        indptr = np.zeros(len(users) + 1, np.int64)
        np.cumsum(counts, out=indptr[1:])
        starts = self.indptr[known] if self.n_users else np.zeros(len(users), np.int64)
        events = np.arange(indptr[-1]) + np.repeat(starts - indptr[:-1], counts)
        return self._pick(indptr, events)

    def select(self, events: NDArray[np.bool_]) -> Interactions:
        """The same users with only the events where the mask (E,) is true, order kept."""
        kept = np.zeros(len(self) + 1, np.int64)
        np.cumsum(events, out=kept[1:])
        return self._pick(kept[self.indptr], np.flatnonzero(events))

    def with_values(self, values: NDArray[np.float32]) -> Interactions:
        """The same log with other confidence weights (E,)."""
        return replace(self, values=np.ascontiguousarray(values, np.float32))

    def last_times(self) -> NDArray[np.int64]:
        """(U,) each user's newest time, 0 for a user without events."""
        out = np.zeros(self.n_users, np.int64)
        active = self.counts > 0
        out[active] = self.times[self.indptr[1:][active] - 1]
        return out

    def hash(self) -> str:
        """SHA-256 of everything in the log."""
        digest = hashlib.sha256(f"{self.n_users} {self.n_items}".encode())
        arrays = {"indptr": self.indptr, "items": self.items, "values": self.values, "times": self.times}
        for name, array in {**arrays, **dict(sorted(self.columns.items()))}.items():
            digest.update(name.encode())
            digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()

    def _pick(self, indptr: NDArray[np.int64], events: NDArray[np.int64]) -> Interactions:
        columns = {name: column[events] for name, column in self.columns.items()}
        return Interactions(indptr, self.items[events], self.values[events], self.times[events], self.n_items, columns)


def _order(users: NDArray[np.int64], times: NDArray[np.int64]) -> NDArray[np.int64] | slice:
    """Stable order by (user, time); no sort at all where a file is already in that order."""
    grouped = bool(np.all(users[1:] >= users[:-1]))
    order = slice(None) if grouped else _radix_order(users)
    later = times[order]
    back = np.flatnonzero(later[1:] < later[:-1])  # allowed only where the next user begins
    ordered = users[order]
    if bool(np.all(ordered[back] != ordered[back + 1])):
        return order
    return _radix_order(users, _radix_order(times - times.min()))


def _radix_order(keys: NDArray[np.int64], order: NDArray[np.int64] | None = None) -> NDArray[np.int64]:
    """The order that sorts non-negative keys (E,), ties as in `order`. Linear: radix sort, 16 bits at a time."""
    shift, largest = 0, int(keys.max(initial=0))
    while True:
        digits = ((keys if order is None else keys[order]) >> shift).astype(np.uint16)
        step = np.argsort(digits, kind="stable")
        order = step if order is None else order[step]
        shift += 16
        if not largest >> shift:
            return order
