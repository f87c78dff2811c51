"""BPR: users' and items' factors, learnt from pairs of an item that a user has and one that he has not.

Rendle, Freudenthaler, Gantner, Schmidt-Thieme, BPR: Bayesian Personalized Ranking from Implicit Feedback, UAI 2009;
hard negatives as in Zhang, Chen, Wang, Yu, Optimizing Top-N CF via Dynamic Negative Item Sampling, SIGIR 2013; `warp`:
Weston, Bengio, Usunier, WSABIE: Scaling Up to Large Vocabulary Image Annotation, IJCAI 2011.

    score_ui = x_u . y_i + b_i
    bpr:   min  -ln sigma(score_ui - score_uj)               over pairs (u, i) of the log and drawn j that u has not
    warp:  min  phi(rank) max(0, 1 - score_ui + score_uj)    j the first of the draws that violates the margin;
           rank by how many it took, phi(k) = 1 + 1/2 + ... + 1/k
    each  + l2 / 2 (|x_u|^2 + |y_i|^2 + |y_j|^2 + b_i^2 + b_j^2) a step

Differs: an epoch passes over all pairs, each once, or as often on average as its confidence is above the mean one,
where the paper draws pairs with replacement: less noise, and users' vectors stay in cache. Users and items go in random
blocks, new ones each epoch; a negative is drawn from the block of its positive, so that threads never meet and change
no bit (Gemulla et al., KDD 2011). `lr` falls to 0 in a straight line. phi is divided by phi(I): one `lr` suits both
losses. Negatives are items that somebody had; one that nobody had has no factors and the smallest bias.

Cost: E x draws x D operations an epoch, about; 16 E + 4 (U + I) D bytes beside the log.
Shines where the top of the list is all that counts, by `dynamic` negatives; with `uniform` ones it is a slow way to
less than ALS has. Blind to order. Too few epochs, or steps too short, make it popularity.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
from annotated_types import Ge, Gt, Le
from numpy.typing import NDArray
from scipy.sparse import csr_array

from matinee.contract import Recommender, Run
from matinee.data.dataset import Dataset
from matinee.errors import DataError
from matinee.numerics import pairwise
from matinee.numerics.draws import fingerprints
from matinee.numerics.threads import limited
from matinee.numerics.topk import first_bad
from matinee.scoring.pairwise_factors import PairwiseFactors

MOST_BLOCKS, LEAST_ITEMS = 8, 128
"""Blocks of users and of items, and items in one: more blocks than cores even out what the cores have to do."""
PASSES = 10
"""Over the history of somebody new."""

Factors = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class BPR(Recommender):
    family: ClassVar[str] = "factors"

    dim: Annotated[int, Ge(1), Le(4096)] = 64
    """D, the length of a user's and of an item's vector."""
    epochs: Annotated[int, Ge(1), Le(10_000)] = 30
    """Passes over all pairs of the log."""
    lr: Annotated[float, Gt(0), Le(10)] = 0.15
    """Length of the first epoch's steps. Source of the default: `bench` in bpr.yaml."""
    l2: Annotated[float, Ge(0), Le(10)] = 0.02
    """Pulls every vector that a step touches towards 0. Source of the default: `bench` in bpr.yaml."""
    loss: Literal["bpr", "warp"] = "bpr"
    """`bpr`: every pair counts. `warp`: those alone that stand in the wrong order, the more the lower the item is."""
    sampling: Literal["uniform", "popularity", "dynamic"] = "dynamic"
    """Whence a negative: all items alike, by popularity, or of so many even `draws` the one that scores highest."""
    popularity_exponent: Annotated[float, Ge(0), Le(2)] = 0.75
    """`popularity` draws an item in proportion to its users to this power."""
    draws: Annotated[int, Ge(1), Le(10_000)] = 8
    """Draws for a `dynamic` negative; under `warp` the most draws for a violation, whatever the sampling."""
    init_scale: Annotated[float, Gt(0), Le(100)] = 0.1
    """About the length that vectors start with."""

    def fit(self, train: Dataset, run: Run = Run()) -> PairwiseFactors:
        """Raises DataError (`diverged`) where steps are too long."""
        pairs = train.log.matrix()
        marks = fingerprints(pairs.indptr, pairs.indices, pairs.data)
        unit = float(pairs.data.mean(dtype=np.float64)) if pairs.nnz else 1.0
        if not 0 < unit < np.inf:
            raise DataError("bad-confidence", f"the mean confidence is {unit}", "give confidences above 0")
        weights = self._draw_weights(pairs)
        users, items = self._started(pairs, weights, run.seed)
        with limited(run.threads):
            self._learn(pairwise.histories(pairs, unit), weights, users, items, run)
        touched = weights > 0
        items.biases[~touched] = items.biases[touched].min(initial=0)
        return PairwiseFactors(users, items.vectors.reshape(-1, self.dim), items.biases, marks, weights, unit, self.lr,
                               self.l2, self._draws, self.loss == "warp", PASSES)

    def _learn(
        self, histories: pairwise.Histories, weights: Factors, users: Factors, items: pairwise.Items, run: Run
    ) -> None:
        """Run all epochs, in place."""
        drawn = weights.astype(np.float64)
        n = min(MOST_BLOCKS, max(1, int(np.count_nonzero(weights)) // LEAST_ITEMS))
        for epoch in range(self.epochs):
            plan = pairwise.plan(n, np.random.default_rng([run.seed, epoch + 1]), len(users), drawn)
            lr = np.float32(self.lr * (1 - epoch / self.epochs))
            rule = pairwise.Rule(lr, np.float32(self.l2), self._draws, self.loss == "warp", 1, 0, teaches=True)
            loss, steps, skipped = pairwise.descend(plan, histories, users, items, rule)
            if any(first_bad(part.reshape(-1)) >= 0 for part in (users, items.vectors, items.biases)):
                raise DataError("diverged", f"bpr: factors are not finite after epoch {epoch + 1}",
                                "lower lr or raise l2")
            if run.journal is not None:
                run.journal({"epoch": epoch + 1, "loss": loss / max(1, steps - skipped),
                             "skipped": skipped / max(1, steps)})
            run.progress("bpr", epoch + 1, self.epochs)

    @property
    def _draws(self) -> int:
        return self.draws if self.loss == "warp" or self.sampling == "dynamic" else 1

    def _draw_weights(self, pairs: csr_array) -> Factors:
        """(I,) 0 for an item that nobody had."""
        users = np.bincount(pairs.indices, minlength=pairs.shape[1])
        exponent = self.popularity_exponent if self.sampling == "popularity" else 0.0
        return np.where(users > 0, np.maximum(users, 1.0) ** exponent, 0).astype(np.float32)

    def _started(self, pairs: csr_array, weights: Factors, seed: int) -> tuple[Factors, pairwise.Items]:
        rng, scale = np.random.default_rng([seed, 0]), np.float32(self.init_scale / np.sqrt(self.dim))
        users, items = (scale * rng.standard_normal((n, self.dim), np.float32) for n in pairs.shape)
        users[np.diff(pairs.indptr) == 0] = 0
        items[weights == 0] = 0
        return users, pairwise.Items(items.reshape(-1), np.zeros(len(items), np.float32), pairwise.phi(len(items)))
