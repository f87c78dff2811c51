"""Time-weighted item kNN: what was had long ago speaks less for what comes next.

Ding, Li, "Time weight collaborative filtering", CIKM 2005.

    score_i = sum over the history's items j, where j is one of i's N nearest, of c_j s_ij 0.5^(age_j / T)
    rated:    the same times j's rating, divided by (the same without it + damping)

s_ij is the asymmetric cosine of `item_knn`; the age is counted in days from the user's newest event, not from today.
T is

    global      half_life_days, or no ageing at all with None, which is that model bit for bit
    user_span   half_life_days for somebody active as long as the median user, in proportion for others
    cluster     learnt for each cluster of items: half_life_days times 1/16 to 16, or no ageing

Clusters are k-means of the items' singular vectors; their half-lives are those under which everybody's newest event
(of at most 2,000 people) is ranked best by his earlier ones, over similarities that have not seen it.
Differs from the paper: lists are ranked, so half-lives are learnt by rank and not by the error of a rating, with one
fit of the half-lives for all users; a damping, without which one similar item with five stars outranks all.
Cost: as item_knn; `cluster` adds a second such fit, a decomposition and 9 x clusters passes over 2,000 users
(18 CPU seconds more for 31,000 users on 6,800 items).
Shines for the next item where dates are real: +0.03 hit_rate@10 on MovieTweetings. In the middle of a history ageing
costs, and `transitions`, which knows order in its fit as well, is better at the end of one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
from annotated_types import Ge, Gt, Le
from numpy.typing import NDArray

from matinee.contract import Recommender, Run, Scorer
from matinee.data.dataset import Dataset
from matinee.data.interactions import Interactions
from matinee.numerics.half_lives import learnt_rates
from matinee.numerics.item_item import Rows
from matinee.numerics.kmeans import kmeans
from matinee.numerics.similarity import by_speaker, nearest
from matinee.numerics.svd import truncated
from matinee.numerics.threads import limited
from matinee.scoring.item_item import SparseItemItem
from matinee.scoring.rating_mean import RatingMean
from matinee.scoring.ratings import mean_rating
from matinee.scoring.weighted_history import WeightedHistory, places

DAY = 86_400
DIMENSIONS = 32
MOST_USERS = 2000
STEPS = (1.0, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 2.0, 4.0, 8.0, 16.0)
"""Of half_life_days, what a cluster may choose beside no ageing; the first is where all begin."""


@dataclass(frozen=True, kw_only=True)
class TimeWeightCF(Recommender):
    family: ClassVar[str] = "neighbours"

    half_life_days: Annotated[float, Gt(0), Le(100_000)] | None = 60.0
    """After so many days an event weighs half; None: none ages. Source of the defaults: `bench` in the yaml."""
    per: Literal["global", "user_span", "cluster"] = "global"
    """One half-life for all, in proportion to how long a user was active, or learnt for clusters of items."""
    clusters: Annotated[int, Ge(1), Le(1000)] = 20
    """So many, with `per: cluster`."""
    neighbours: Annotated[int, Ge(1), Le(10_000)] = 50
    """So many items most similar to an item speak for it."""
    shrink: Annotated[float, Ge(0), Le(1_000_000)] = 10.0
    """Added to the product of the norms, so that a similarity from few users counts less."""
    alpha: Annotated[float, Ge(0), Le(1)] = 0.85
    """Of the asymmetric cosine: at 1 how likely i is given j, at 0 how likely j given i, at 0.5 the cosine."""
    rated: bool = False
    """Foretell ratings by a mean of those in the history, instead of summing what speaks for an item."""
    damping: Annotated[float, Gt(0), Le(1_000_000)] = 1.0
    """With `rated`, added to what the ratings are divided by."""

    def fit(self, train: Dataset, run: Run = Run()) -> Scorer:
        """Raises DataError (`no-ratings`) where ratings are asked for and there are none."""
        log, days = train.log, self.half_life_days
        with limited(run.threads):
            form = SparseItemItem(*self._similarities(log))
            inner = RatingMean(form, self.damping, mean_rating(log)) if self.rated else form
            if days is None:
                return inner
            match self.per:
                case "cluster":
                    rates, clock = self._learnt(log, days, run), "days"
                case "user_span":
                    rates, clock = np.array([_median_span(log) / days]), "span"
                case "global":
                    rates, clock = np.array([1 / days]), "days"
        return WeightedHistory(inner, 1.0, 0, rates.astype(np.float32), clock)

    def _similarities(self, log: Interactions) -> Rows:
        neighbours = min(self.neighbours, log.n_items)
        return by_speaker(*nearest(log.matrix(), neighbours, self.shrink, "asymmetric_cosine", self.alpha))

    def _learnt(self, log: Interactions, days: float, run: Run) -> NDArray[np.float64]:
        """(I,) halvings a day, learnt from everybody's newest event."""
        rng = np.random.default_rng(run.seed)
        vectors = truncated(log.matrix(), DIMENSIONS, rng).items
        labels = kmeans(vectors, min(self.clusters, log.n_items), rng).labels
        newest = places(log) == 0
        earlier = log.select(~newest)
        users = np.flatnonzero(earlier.counts > 0)
        users = np.sort(rng.permutation(users)[:MOST_USERS])
        asked = log.items[log.indptr[1:][users] - 1]
        history = earlier.take(users)
        age = (np.repeat(history.last_times(), history.counts) - history.times) / DAY
        youngest = -history.with_values(-age.astype(np.float32)).matrix().data.astype(np.float64)  # event of each pair
        grid = np.append(1 / (np.array(STEPS) * days), 0.0)
        rates = learnt_rates(self._similarities(earlier), history.matrix(), youngest, asked, labels, grid,
                             lambda done, total: run.progress("half-lives", done, total))
        if run.journal is not None:
            for cluster, first in zip(*np.unique(labels, return_index=True), strict=True):
                run.journal({"cluster": int(cluster), "items": int((labels == cluster).sum()),
                             "half_life_days": 1 / float(rates[first]) if rates[first] else None})
        return rates


def _median_span(log: Interactions) -> float:
    """Days from oldest to newest event of the median user who has more than one moment."""
    active = log.counts > 0
    spans = log.last_times()[active] - log.times[log.indptr[:-1][active]]
    return float(np.median(spans[spans > 0])) / DAY if bool((spans > 0).any()) else 1.0
