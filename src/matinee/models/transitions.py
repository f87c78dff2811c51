"""Transitions: what others had shortly after what one has just had, each step counted less the further it is.

The Markov chain (Shani, Heckerman, Brafman, "An MDP-based recommender system", JMLR 2005, with its skips and its finite
mixture of the last items) with decays in place of a choice of one order.

    n_ab = sum over w = 1 ... window of 1/w x (how often b comes w places after a, + backward x w places before)
    T_ab = n_ab / (sum over b of n_ab + shrink)
    score_b = sum over the last `query_length` items a, newest first j = 0, 1 ..., of query_decay^j T_ab

Window 1 and a query of length 1 are the chain of first order. Events of one moment stand in the order of the log.
A confidence multiplies: a pair of events counts the product of their two, and an item of a query weighs its own.
Differs from the paper: no clustering of states and no smoothing by popularity, but shrinkage, as a rare item's
few followers would weigh as much as a known item's many.
Cost: the window x E additions and I^2 cheap steps (2.4 CPU seconds for 5.0 M events of 31,000 users on 6,800 items,
1.5 to rank for all of them); 20 bytes an event to fit, 8 x targets x I once fitted and twice that at peak.
Shines where the next item is asked for and order says something: on such data it is far above every model that is
blind to order, at seconds of work. In the middle of a history it is worse than EASE; blend the two.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge, Gt, Le

from matinee.contract import FusedScorer, Recommender, Run
from matinee.data.dataset import Dataset
from matinee.numerics.threads import limited
from matinee.numerics.transitions import transitions
from matinee.scoring.item_item import SparseItemItem
from matinee.scoring.weighted_history import newest_first


@dataclass(frozen=True, kw_only=True)
class Transitions(Recommender):
    family: ClassVar[str] = "sequence"

    window: Annotated[int, Ge(1), Le(1000)] = 20
    """How many places apart two events may be. Source of the defaults: `bench` in transitions.yaml."""
    shrink: Annotated[float, Ge(0), Le(1_000_000)] = 10.0
    """Added to the sum of a row, so that an item with few followers says less."""
    backward: Annotated[float, Ge(0), Le(1)] = 0.0
    """What a pair counts in the other direction: above 0 for what is missing in the middle of a history."""
    targets: Annotated[int, Ge(1), Le(1_000_000)] = 1000
    """So many likeliest followers of an item are kept: bounds the size."""
    query_decay: Annotated[float, Gt(0), Le(1)] = 0.7
    """An event that has n later ones is asked with at this to the power of n."""
    query_length: Annotated[int, Ge(1), Le(1_000_000)] | None = 30
    """Only so many newest events are asked with; None: all."""

    def fit(self, train: Dataset, run: Run = Run()) -> FusedScorer:
        ahead = 1 / np.arange(1, self.window + 1)
        back = self.backward * ahead if self.backward else ahead[:0]
        with limited(run.threads):
            form = SparseItemItem(*transitions(train.log, ahead, back, self.shrink, self.targets))
        return newest_first(form, self.query_decay, self.query_length)
