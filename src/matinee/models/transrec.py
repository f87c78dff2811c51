"""TransRec: items are points, and a user is the way that he goes from one to the next.

He, Kang, McAuley, Translation-based Recommendation, RecSys 2017:

    score(i | u, l) = b_i - d(g_l + t + t_u, g_i)         d: the squared distance, or the sum of sizes (L1); |g| <= 1
    min  -c ln sigma(score(i | u, l) - score(j | u, l))   pairs l, i of one user in a row, drawn j that u has not
    + l2 / 2 (|g_l|^2 + |g_i|^2 + |g_j|^2 + |t|^2 + |t_u|^2 + b_i^2 + b_j^2) a step

t is everybody's way, t_u what is a user's own; after each step the three items are put back into the unit ball, without
which distances grow for ever. c is the confidence of the next item over the mean one.
Differs: t and t_u start from 0; the negative is the hardest of several draws, as in `bpr`; an epoch takes each pair
once where the paper draws with replacement; pairs may be some places apart (`window`) and a query may be a mean over
several items (`query_length`): under l1 the distance is that from the mean of the points. Blocks of users and items as
in `fpmc`: threads change no bit; each cell moves a t of its own, and they are averaged after each round. New and grown
histories: t_u takes five passes of the same steps, the items held fixed. With `gaps` the way there and the way back
cancel out, and an item is sought half-way between its neighbours.

Cost: about 2 E draws D operations an epoch; 4 (U + I) D bytes beside the log, twice that with validation. l1 ranks by a
kernel of its own, at about three times the cost of a product.
Shines on short, sparse histories, as one vector an item has to learn both roles. In a ball of radius 1 no two scores
are further apart than 4 and their biases: on dense logs `fpmc` has more to say.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Le

from matinee.contract import Run
from matinee.data.dataset import Dataset
from matinee.scoring.markov import MarkovFactors
from matinee.scoring.markov_training import LearntChain, Shape, learn


@dataclass(frozen=True, kw_only=True)
class TransRec(LearntChain):
    query_length: Annotated[int, Ge(1), Le(1_000_000)] | None = 1
    """Scores are a mean over so many newest events; None: over all."""
    distance: Literal["l2_squared", "l1"] = "l2_squared"
    """The squared Euclidean distance, or the sum of sizes."""

    def fit(self, train: Dataset, run: Run = Run()) -> MarkovFactors:
        """Raises DataError (`diverged`) where steps are too long."""
        order = "squares" if self.distance == "l2_squared" else "sizes"
        return learn(self, Shape(name="transrec", taste="none", order=order, bounded=True, start=0.5), train, run)
