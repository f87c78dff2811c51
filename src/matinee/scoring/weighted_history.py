"""A scorer whose query alone leans on the newest events: by their place in the history, by their age, or both.

The model inside is fitted on whole histories. What it is asked with is reweighted here, which the training log is not:
for the next item that is worth more than any other setting of an item-item model.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from matinee.contract import FusedScorer, Queries
from matinee.data.interactions import Interactions
from matinee.errors import ModelError
from matinee.scoring.checks import check_catalogue
from matinee.scoring.reweighted import Reweighted

CLOCKS = ("days", "span")
LEAST = 2.0**-60
"""No event weighs less, so that none vanishes and no product gets too small for float32."""
_DAY = 86_400


@dataclass(frozen=True, eq=False)
class WeightedHistory(Reweighted):
    """Each event's value is multiplied by decay^place x 0.5^(age x rate); a pair counts once, at its largest weight.

    The place is 0 for a user's newest event; events of one moment stand in the order of the log. The age is counted
    from the user's newest event, not from the moment of the question: by `clock` in days, or as a share of the time
    between the user's oldest and newest event.
    """

    decay: float
    """In (0, 1]; 1 leaves places alone."""
    length: int
    """Only so many newest events are asked with; 0: all."""
    rates: NDArray[np.float32]  # (1,) for all items or (I,): halvings in one unit of `clock`; 0 does not age
    clock: str
    """One of CLOCKS."""

    def __post_init__(self) -> None:
        if not (0 < self.decay <= 1 and self.length >= 0 and self.clock in CLOCKS):
            raise ModelError("bad-form", f"decay {self.decay}, length {self.length}, clock {self.clock!r}",
                             f"a decay in (0, 1], a length of 0 or more, a clock of {' or '.join(CLOCKS)}")
        if self.rates.shape not in ((1,), (self.n_items,)) or not bool((self.rates >= 0).all()):
            raise ModelError("bad-form", f"{self.rates.shape} rates, the least {self.rates.min(initial=0)}, for "
                                         f"{self.n_items} items", "give one rate of 0 or more, or one an item")

    def weighted(self, queries: Queries) -> Queries:
        check_catalogue(self, queries)
        history = queries.history
        if self.length:
            history = history.select(places(history) < self.length)
        weights = self.decay ** places(history) * np.exp2(-self._halvings(history, queries.history))
        values = history.values * np.maximum(weights, LEAST)
        return replace(queries, history=history.with_values(values.astype(np.float32)))

    def _halvings(self, history: Interactions, whole: Interactions) -> NDArray[np.float64]:
        """(E,) age x rate of each event of `history`, which is the newer part of `whole`."""
        if not self.rates.any():
            return np.zeros(len(history))
        age = (np.repeat(whole.last_times(), history.counts) - history.times).astype(np.float64)
        if self.clock == "days":
            age /= _DAY
        else:
            oldest = np.zeros(whole.n_users, np.int64)
            active = whole.counts > 0
            oldest[active] = whole.times[whole.indptr[:-1][active]]
            age /= np.repeat(np.maximum(whole.last_times() - oldest, 1), history.counts)
        return age * (self.rates if len(self.rates) == 1 else self.rates[history.items])


def newest_first(inner: FusedScorer, decay: float, length: int | None) -> FusedScorer:
    """`inner` asked with its history decayed by place; `inner` itself where that changes nothing."""
    if decay == 1 and length is None:
        return inner
    return WeightedHistory(inner, decay, length or 0, np.zeros(1, np.float32), "days")


def places(history: Interactions) -> NDArray[np.int64]:
    """(E,) how many later events the user has."""
    return np.repeat(history.indptr[1:], history.counts) - 1 - np.arange(len(history))
