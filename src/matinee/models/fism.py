"""FISM: an item is as good as the items of the history, other than itself, say in a space of few dimensions.

Kabbur, Ning, Karypis, FISM: factored item similarity models for top-N recommender systems, KDD 2013:

    r_ui = b_u + b_i + m^-alpha  (sum over the m items j of u's history, other than i, of c_j p_j) . q_i

    loss: sum over positives of c_ui (1 - r_ui)^2 + sum over sampled negatives of r_uj^2                   (rmse)
          sum over positives i and their sampled negatives j of c_ui (1 - (r_ui - r_uj))^2                 (auc)
          + l2 |.|^2 of each vector and bias, for each sample that it is part of

A positive is predicted without itself, or the model would learn that what is in a history is in the history. A
confidence weighs twice: what an event says in the sum, and what it costs to miss it. b_u moves no list and is dropped.

Differs: all of a user's positives and negatives are taken at once, and a step is Adam's on the sum over a batch of
users, not one of plain gradient descent for each sample: the same bits at any thread count, and 20 epochs do.
Negatives are drawn anew in each epoch. In `auc` the errors are squared as in the paper, not logistic as in BPR.
Cost: about 10 (1 + negatives) E D operations an epoch (0.6 CPU seconds for 670,000 events at the defaults); 32 I D +
8 B D bytes and, for a batch of B users with n entries, 20 (1 + negatives) n more; 8 I D once fitted.
Shines where the catalogue is too large for an items-by-items matrix and users are served from a history alone; EASE and
ALS need a fraction of the time and rank better. Blind to order. An item without events is learnt to be unlikely.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
from annotated_types import Ge, Gt, Le
from scipy.sparse import csr_array

from matinee.contract import Recommender, Run
from matinee.data.dataset import Dataset
from matinee.errors import DataError
from matinee.numerics import adam, fism
from matinee.numerics.threads import limited
from matinee.scoring.history_factors import HistoryFactors


@dataclass(frozen=True, kw_only=True)
class FISM(Recommender):
    family: ClassVar[str] = "factors"

    dim: Annotated[int, Ge(1), Le(4096)] = 64
    """D, the length of an item's two vectors. Source of all defaults: `bench` in fism.yaml."""
    loss: Literal["rmse", "auc"] = "rmse"
    """Squared errors of 1 and 0 one by one, or of the distance 1 between a positive and a negative."""
    alpha: Annotated[float, Ge(0), Le(1)] = 0.5
    """0 adds a history up, 1 takes its mean."""
    negatives: Annotated[int, Ge(1), Le(100)] = 10
    """Items drawn for each positive from all that the user did not have, alike likely."""
    epochs: Annotated[int, Ge(1), Le(10_000)] = 20
    """Passes over all users."""
    lr: Annotated[float, Gt(0), Le(10)] = 0.003
    """Learning rate of Adam."""
    l2: Annotated[float, Ge(0), Le(1e6)] = 0.01
    """Ridge on all that is learned, for each sample that it is part of."""
    batch_size: Annotated[int, Ge(1), Le(1_000_000)] = 128
    """Users in a step."""

    def fit(self, train: Dataset, run: Run = Run()) -> HistoryFactors:
        """Raises DataError (`diverged`) where the errors grow beyond what float32 holds."""
        matrix = train.log.matrix()
        active = np.flatnonzero(np.diff(matrix.indptr))
        rng = np.random.default_rng(run.seed)
        tables = self._start(matrix, rng)
        moments = [adam.Moments.of(table) for table in tables]
        steps = 0
        with limited(run.threads):
            for epoch in range(1, self.epochs + 1):
                order, key, loss = rng.permutation(active), int(rng.integers(2**63)), 0.0
                for start in range(0, len(order), self.batch_size):
                    batch = fism.drawn(matrix, order[start : start + self.batch_size], self.negatives, key)
                    lost, by = fism.gradients(tables, batch, exponent=self.alpha, pairwise=self.loss == "auc",
                                              l2=self.l2)
                    loss, steps = loss + lost, steps + 1
                    for table, gradient, past in zip(list(tables)[:3], by, moments, strict=False):
                        adam.step(table, gradient, past, lr=self.lr, times=steps)
                    adam.step(tables.user_bias, by.user_bias, moments[3], lr=self.lr, times=epoch, rows=batch.users)
                if not np.isfinite(loss):
                    raise DataError("diverged", f"fism: the loss is {loss} in epoch {epoch}",
                                    "lower lr or the confidence")
                if run.journal is not None:
                    run.journal({"epoch": epoch, "loss": loss})
                run.progress("fism", epoch, self.epochs)
        return HistoryFactors(tables.encode, tables.decode, tables.bias[:, 0].copy(), self.alpha)

    def _start(self, matrix: csr_array, rng: np.random.Generator) -> fism.Tables:
        n_users, n_items = matrix.shape
        encode, decode = rng.standard_normal((2, n_items, self.dim), np.float32) * np.float32(0.1 / np.sqrt(self.dim))
        encode[np.bincount(matrix.indices, minlength=n_items) == 0] = 0  # what nobody had says nothing
        return fism.Tables(encode, decode, np.zeros((n_items, 1), np.float32), np.zeros((n_users, 1), np.float32))
