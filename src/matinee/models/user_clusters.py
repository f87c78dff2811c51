"""User clusters: what is popular among users of one's kind, the kinds found by k-means.

Ungar, Foster, "Clustering methods for collaborative filtering", AAAI workshop on recommender systems 1998; O'Connor,
Herlocker, "Clustering items for collaborative filtering", SIGIR workshop 1999, the other way round.

    z_u = u's singular vectors, shares of genres, or vector in the model `of`, at length 1       clusters: k-means
    p_ci = (n_ci + smoothing p_i) / (n_c + smoothing)      n_ci: confidences for i in cluster c, n_c: users in it,
    score_i = p_ci, c the nearest cluster                  p_i: the mean confidence for i over all users
        or  sum over c of p_ci exp(-|z_u - m_c|^2 / temperature) / (the same without p_ci)

Differs: a small cluster leans on what all like, by `smoothing`; with a temperature a history belongs to several. The
number of clusters is the one of CLUSTERS that is best on what an experiment holds out for validation, and is kept for
later fits. A history of which the space knows nothing gets what all like.
Cost: the space's, then U k D multiplications a round of k-means (at most 100 rounds, and each of CLUSTERS tried);
8 k I bytes to fit, 4 k I once fitted, twice that once asked.
Shines as an account of who the users are: a table of some hundred rows that ranks far better than popularity (recall
0.146 against 0.071 on MovieLens-1M); models that see every item of a history rank better still (EASE 0.179).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
from annotated_types import Ge, Gt, Le
from numpy.typing import NDArray

from matinee.contract import Recommender, Run, VectorScorer
from matinee.data.dataset import Dataset
from matinee.errors import DataError
from matinee.numerics.kmeans import kmeans
from matinee.numerics.threads import limited
from matinee.scoring.clusters import UserClusters
from matinee.scoring.spaces import fitted_space, genre_space, places_of_log, singular_space

CLUSTERS = (10, 20, 50, 100, 200, 400)
"""The numbers of clusters that validation chooses from."""
UNASKED = 100
"""So many where nothing validates."""


@dataclass(frozen=True, kw_only=True)
class UserKinds(Recommender):
    family: ClassVar[str] = "neighbours"
    validates: ClassVar[bool] = True

    clusters: Annotated[int, Ge(1), Le(100_000)] | None = None
    """How many; no more than there are users. null: the best of 10 to 400 by validation, 100 where there is none."""
    vectors: Literal["svd", "genre"] = "svd"
    """What users are alike in, where `of` is null: singular vectors of the log, or the genres of what they chose."""
    dim: Annotated[int, Ge(1), Le(4096)] = 32
    """D, of the singular vectors. Source of all defaults: `bench` in user_clusters.yaml."""
    of: Recommender | None = None
    """A model of factors or an autoencoder whose vectors are taken instead, by name or with its settings: {model: als,
    dim: 64}; all its epochs are run."""
    smoothing: Annotated[float, Gt(0), Le(1_000_000)] = 3.0
    """A cluster's popularity leans on that of all users as if so many more users of the usual kind were in it."""
    temperature: Annotated[float, Ge(0), Le(1_000)] = 0.1
    """How far a history belongs to other clusters than the nearest; 0: not at all."""

    def fit(self, train: Dataset, run: Run = Run()) -> UserClusters:
        """Raises DataError where nobody has a place in the space, or genres are asked of items without;
        ConfigError where the model `of` puts histories nowhere."""
        with limited(run.threads):
            space = self._space(train, run)
            points = places_of_log(space, train)  # (U, D)
            standing = np.flatnonzero(points.any(axis=1))
            if not len(standing):
                raise DataError("no-places", f"none of {train.n_users} users has a place in the space of user_clusters",
                                "take other `vectors`, or another model `of`")
            best, highest = None, -np.inf
            numbers = self._numbers(run)
            for done, number in enumerate(numbers, 1):
                scorer = self._fitted(train, run, space, points, standing, min(number, len(standing)))
                if len(numbers) == 1 or run.validate is None:
                    return scorer
                value = run.validate(scorer)
                if run.journal is not None:
                    run.journal({"clusters": number, "validation": value})
                run.progress("user_clusters", done, len(numbers))
                if best is None or value > highest:
                    best, highest = scorer, value
        assert best is not None
        return best

    def _space(self, train: Dataset, run: Run) -> VectorScorer:
        if self.of is not None:
            return fitted_space(self.of, train, run)
        return genre_space(train) if self.vectors == "genre" else singular_space(train, self.dim, run)

    def _numbers(self, run: Run) -> tuple[int, ...]:
        """Of clusters, to be tried."""
        told = self.clusters or run.stop_at
        if told:
            return (told,)
        return CLUSTERS if run.validate else (UNASKED,)

    def _fitted(
        self,
        train: Dataset,
        run: Run,
        space: VectorScorer,
        points: NDArray[np.float32],
        standing: NDArray[np.int64],
        number: int,
    ) -> UserClusters:
        rng = np.random.default_rng([run.seed, number])  # the same clusters whatever else is tried
        found = kmeans(points[standing], number, rng)
        matrix, n_items = train.log.matrix(), train.n_items
        labels = np.full(train.n_users, -1, np.int64)
        labels[standing] = found.labels
        owners = np.repeat(labels, np.diff(matrix.indptr))
        members = np.bincount(found.labels, minlength=number).astype(np.float64)  # (k,)
        inside = owners >= 0
        cells = owners[inside] * n_items + matrix.indices[inside]
        counts = np.bincount(cells, matrix.data[inside], number * n_items)
        active = int((np.diff(matrix.indptr) > 0).sum())
        usual = np.bincount(matrix.indices, matrix.data, n_items) / active
        smoothed = counts.reshape(number, n_items) + self.smoothing * usual  # (k, I)
        smoothed /= (members + self.smoothing)[:, None]
        return UserClusters(
            space,
            found.centres,
            (members / len(standing)).astype(np.float32),
            smoothed.astype(np.float32),
            self.temperature,
            chosen=self.clusters is None and (run.validate is not None or run.stop_at is not None),
        )
