"""FME: taste as an inner product, order as a distance between items.

A chain of first order embedded as distances is Chen, Moore, Turnbull, Joachims, Playlist Prediction via Metric
Embedding (LME), KDD 2012, with its popularity term; no one paper adds a user's taste to it as here:

    score(i | u, l) = x_u . y_i - |h_l - h_i|^2 + b_i
    min  -c ln sigma(score(i | u, l) - score(j | u, l))        pairs l, i of one user in a row, drawn j that u has not
    + l2 / 2 (squares of all numbers that a step touches)

c is the confidence of the next item over the mean one.
Differs from LME: pairs of items in place of a softmax over the catalogue, so that a step touches three items and not
all; the hardest of several draws comes near to what a softmax pushes down. Pairs may be some places apart (`window`),
and a query may be a mean over several items (`query_length`). Blocks of users and items as in `fpmc`: threads change no
bit. New and grown histories: x_u takes five passes of the same steps, the items held fixed.

Cost: about 5 E draws D operations an epoch; 4 (U + 2 I) D bytes beside the log, twice that with validation.
Shines where `fpmc` has too few events for two vectors of an item: a distance needs one, as what is near is near both
ways. For the same reason it does not know which of two items comes first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Gt, Le

from matinee.contract import Run
from matinee.data.dataset import Dataset
from matinee.scoring.markov import MarkovFactors
from matinee.scoring.markov_training import LearntChain, Shape, learn


@dataclass(frozen=True, kw_only=True)
class FME(LearntChain):
    lr: Annotated[float, Gt(0), Le(10)] = 0.03
    """Length of the first epoch's steps; it falls in a straight line."""

    def fit(self, train: Dataset, run: Run = Run()) -> MarkovFactors:
        """Raises DataError (`diverged`) where steps are too long."""
        return learn(self, Shape(name="fme", taste="inner", order="squares", start=0.5), train, run)
