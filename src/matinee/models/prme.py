"""PRME: two spaces of distances, one from a user to what he likes and one from an item to the next.

Feng, Li, Zeng, Cong, Chee, Yuan, Personalized Ranking Metric Embedding for Next New POI Recommendation, IJCAI 2015:

    score(i | u, l) = -alpha |x_u - y_i|^2 - (1 - alpha) |h_l - h_i|^2     where l was at most tau before
                    = -|x_u - y_i|^2                                       where it is longer ago
    min  -c ln sigma(score(i | u, l) - score(j | u, l))        pairs l, i of one user in a row, drawn j that u has not
    + l2 / 2 (squares of all numbers that a step touches)

c is the confidence of the next item over the mean one. At the time of a question l is as old as its event is.
Differs: no weight by the distance on the ground, which films have not; the negative is the hardest of several draws, as
in `bpr`; an epoch takes each pair once where the paper draws with replacement; pairs may be some places apart
(`window`) and a query may be a mean over several items (`query_length`). There is no bias, so how popular an item is
can but show in where it stands; one that nobody had stands below all. Blocks of users and items as in `fpmc`: threads
change no bit. New and grown histories: x_u takes five passes of the same steps, the items held fixed.

Cost: about 6 E draws D operations an epoch; 4 (U + 2 I) D bytes beside the log, twice that with validation.
Shines where gaps in time say that a new episode begins. A distance is the same both ways: it knows that two items are
had together in a row, and not which comes first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Gt, Le

from matinee.contract import Run
from matinee.data.dataset import Dataset
from matinee.scoring.markov import MarkovFactors
from matinee.scoring.markov_training import LearntChain, Shape, learn


@dataclass(frozen=True, kw_only=True)
class PRME(LearntChain):
    lr: Annotated[float, Gt(0), Le(10)] = 0.03
    """Length of the first epoch's steps; it falls in a straight line."""
    alpha: Annotated[float, Ge(0), Le(1)] = 0.5
    """What taste counts beside order, which counts the rest."""
    tau: Annotated[float, Gt(0), Le(1e6)] | None = 6.0
    """Hours after which the last item no longer counts; None: it always does."""

    def fit(self, train: Dataset, run: Run = Run()) -> MarkovFactors:
        """Raises DataError (`diverged`) where steps are too long."""
        tau = None if self.tau is None else round(3600 * self.tau)
        shape = Shape(name="prme", taste="squares", order="squares", biased=False,
                      shares=(self.alpha, 1 - self.alpha), tau=tau, start=1.0)
        return learn(self, shape, train, run)
