"""Histories cut into windows, and windows put into batches of nearly one length, so that little is padded.

A window is a stretch of n events of one user that are read; where the next item is asked for it has one more, and each
place is asked for the one after it. In a batch rows are padded on the right, where a model that looks back never sees
it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from matinee.contract import Run
from matinee.data.interactions import Interactions
from matinee.nn import processes

Cut = Literal["newest", "all"]
WORTH_TELLING = 0.1
"""Share of the events that nothing is learnt from."""
CHUNK = 16
"""Batches that are sorted by length together: the more, the less padding, and the less chance which users meet."""


@dataclass(frozen=True)
class Windows:
    """W stretches of a log, of which the events first[w], ..., stop[w] - 1 are read."""

    log: Interactions
    users: NDArray[np.int64]  # (W,)
    first: NDArray[np.int64]  # (W,) an event's place in the log
    stop: NDArray[np.int64]  # (W,)
    ahead: int
    """How many places later the target of a place is."""
    older: int = 0
    """Events before the newest window of a history, which nothing is learnt from."""

    def __len__(self) -> int:
        return len(self.users)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """(W,) events that are read."""
        return self.stop - self.first

    def tell_unread(self, run: Run) -> None:
        """Say so where that is a large share: whoever cuts histories short may not know how much is lost."""
        share = self.older / max(1, len(self.log))
        if share > WORTH_TELLING and run.journal is not None and processes.rank() == 0:
            run.journal({"event": "unread", "share": round(share, 4)})

    def count(self, size: int) -> int:
        """How many batches there are."""
        whole, rest = divmod(len(self), size * CHUNK)
        return whole * CHUNK + -(-rest // size)

    def batches(self, size: int, rng: np.random.Generator) -> list[NDArray[np.int64]]:
        """Every window once, in a new order: places (B,) of the windows of each batch, alike in length."""
        order = rng.permutation(len(self))
        lengths, chunk = self.lengths, size * CHUNK
        found: list[NDArray[np.int64]] = []
        for start in range(0, len(order), chunk):
            some = order[start : start + chunk]
            some = some[np.argsort(lengths[some], kind="stable")]
            found += [some[at : at + size] for at in range(0, len(some), size)]
        return [found[n] for n in rng.permutation(len(found))]

    def batch(self, rows: NDArray[np.int64]) -> Batch:
        first, lengths = self.first[rows], self.lengths[rows]
        places = np.arange(int(lengths.max(initial=0)))
        there = places < lengths[:, None]
        events = (first[:, None] + places)[there]
        items = np.zeros(there.shape, np.int64)
        items[there] = self.log.items[events]
        return Batch(self.users[rows], torch.from_numpy(items), torch.from_numpy(lengths),
                     torch.from_numpy(np.flatnonzero(there)), self.log.items[events + self.ahead].astype(np.int64),
                     self.log.values[events + self.ahead], np.repeat(np.arange(len(rows)), lengths))


@dataclass(frozen=True)
class Batch:
    """B windows, L the longest: N of their B x L places are real, row by row, and each has a target."""

    users: NDArray[np.int64]  # (B,)
    items: Tensor  # (B, L) int64, 0 where there is none
    lengths: Tensor  # (B,)
    real: Tensor  # (N,) places in the flat (B x L,)
    targets: NDArray[np.int64]  # (N,)
    weights: NDArray[np.float32]  # (N,) the confidence of each target
    owners: NDArray[np.int64]  # (N,) row of each place


def windows(
    log: Interactions, length: int, cut: Cut, ahead: int = 1, stretches: NDArray[np.int64] | None = None
) -> Windows:
    """Windows of at most `length` events to read. `newest`: one a user, the newest; `all`: from the newest back, every
    event but a user's first `ahead` is a target once, and what is read begins anew with each window.

    stretches  (S + 1,) in place of users, such as sessions: each has the events stretches[s], ..., stretches[s + 1] - 1
    """
    bounds = log.indptr if stretches is None else stretches
    read = np.maximum(np.diff(bounds) - ahead, 0)
    pieces = -(-read // length) if cut == "all" else np.minimum(read, 1)
    rows = np.repeat(np.arange(len(pieces)), pieces)
    nth = np.arange(len(rows)) - np.repeat(np.cumsum(pieces) - pieces, pieces)  # 0: the newest
    stop = bounds[rows + 1] - ahead - nth * length
    first = np.maximum(stop - length, bounds[rows])
    users = rows if stretches is None else np.searchsorted(log.indptr, first, side="right") - 1
    older = int((first - bounds[rows]).sum()) if cut == "newest" else 0
    return Windows(log, users, first, stop, ahead, older)


def dropout(values: Tensor, rate: float, rng: np.random.Generator | None) -> Tensor:
    """Each number is 0 with a chance of `rate`, rounded to 1/256, and the others grow by as much. None: untouched."""
    gone = round(rate * 256)
    if rng is None or not gone:
        return values
    drawn = torch.frombuffer(bytearray(rng.bytes(values.numel())), dtype=torch.uint8).view(values.shape)
    return values * ((drawn >= gone) * (256 / (256 - gone)))


def steps(found: list[NDArray[np.int64]], start: int) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """(number, batch) from number `start` on."""
    return ((number, found[number]) for number in range(start, len(found)))
