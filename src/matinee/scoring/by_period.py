"""Scores by the stretch of time that a history covers: what each item was worth in it, period by period."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matinee.contract import Queries, Scorer
from matinee.data.interactions import Interactions
from matinee.errors import ModelError
from matinee.scoring.checks import check_catalogue


@dataclass(frozen=True, eq=False)
class ByPeriod(Scorer):
    """score(u, i) = the sum of item i's worth from `before` periods before u's first event to `after` after the last.

    A history without a time, as an empty one, is answered as one that covers all periods; an event before the
    first or after the last period counts as one in it. 8 (P + 1) I bytes.
    """

    starts: NDArray[np.int64]  # (P,)  Unix seconds, ascending; a period ends where the next begins
    cumulative: NDArray[np.float64]  # (P + 1, I)  row p: the sum of the worth in the first p periods
    before: int
    after: int

    def __post_init__(self) -> None:
        n = len(self.starts)
        if not n or len(self.cumulative) != n + 1 or min(self.before, self.after) < 0:
            raise ModelError("bad-form", f"{len(self.cumulative)} sums for {n} periods, {self.before} before and "
                             f"{self.after} after", "fit the model again")
        if bool(np.any(np.diff(self.starts) <= 0)) or not np.isfinite(self.cumulative).all():
            raise ModelError("bad-form", "periods must ascend and their sums be finite", "fit the model again")

    @property
    def n_items(self) -> int:
        return int(self.cumulative.shape[1])

    def score(self, queries: Queries) -> NDArray[np.float32]:
        check_catalogue(self, queries)
        begin, end = self._span(queries.history)
        spans, which = np.unique(begin * len(self.cumulative) + end, return_inverse=True)
        begin, end = np.divmod(spans, len(self.cumulative))
        return (self.cumulative[end] - self.cumulative[begin]).astype(np.float32)[which]

    def _span(self, history: Interactions) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(B,) each: the first period that counts and the one after the last."""
        timed = history.select(history.times != 0)
        n, some = len(self.starts), timed.counts > 0
        begin, end = np.zeros(len(some), np.int64), np.full(len(some), n, np.int64)
        begin[some] = np.maximum(self._period(timed.times[timed.indptr[:-1][some]]) - self.before, 0)
        end[some] = np.minimum(self._period(timed.last_times()[some]) + self.after + 1, n)
        return begin, end

    def _period(self, times: NDArray[np.int64]) -> NDArray[np.int64]:
        at = np.searchsorted(self.starts, times, side="right") - 1
        return np.clip(at, 0, len(self.starts) - 1)
