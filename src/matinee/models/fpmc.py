"""FPMC: taste and the last item, each as an inner product, decide together what is next.

Rendle, Freudenthaler, Schmidt-Thieme, Factorizing Personalized Markov Chains for Next-Basket Recommendation, WWW 2010:

    score(i | u, l) = x_u . y_i + p_l . q_i + b_i
    min  -c ln sigma(score(i | u, l) - score(j | u, l))        pairs l, i of one user in a row, drawn j that u has not
    + l2 / 2 (|x_u|^2 + |y_i|^2 + |y_j|^2 + |p_l|^2 + |q_i|^2 + |q_j|^2 + b_i^2 + b_j^2) a step

A basket is one item. c is the confidence of the next item over the mean one.
Differs: a bias an item, of which the order of an empty history is made; the negative is the hardest of several draws,
as in `bpr`; an epoch takes each pair once where the paper draws with replacement; pairs may be some places apart
(`window`) and a query may be a mean over several items (`query_length`), without which a chain of first order forgets
all but one event. Users and items go in random blocks and a negative is of the block of its positive, so that threads
never meet and change no bit. New and grown histories: x_u takes five passes of the same steps, the items held fixed.

Cost: about 4 E draws D operations an epoch; 4 (U + 3 I) D bytes beside the log, twice that with validation.
Shines where the next item is asked for and tastes differ; it is a few numbers an item where `transitions` keeps counts.
A chain of first order by nature: without `window` and `query_length` it knows one event of a history and its user.
"""

from __future__ import annotations

from dataclasses import dataclass

from matinee.contract import Run
from matinee.data.dataset import Dataset
from matinee.scoring.markov import MarkovFactors
from matinee.scoring.markov_training import LearntChain, Shape, learn


@dataclass(frozen=True, kw_only=True)
class FPMC(LearntChain):
    def fit(self, train: Dataset, run: Run = Run()) -> MarkovFactors:
        """Raises DataError (`diverged`) where steps are too long."""
        return learn(self, Shape(name="fpmc", taste="inner", order="inner"), train, run)
