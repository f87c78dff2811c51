"""Latent neighbours: what those users had who stand nearest in the latent space of another model.

The idea that like users gather in a latent space; as user kNN on the factors of a decomposition it is that of Sarwar,
Karypis, Konstan, Riedl, "Application of dimensionality reduction in recommender system", WebKDD 2000.

    z_u = the space's vector of u's history, at length 1          the space: D singular vectors, or the model `of`
    score_i = n_i^-damping x sum over the N users v nearest to u of (z_u . z_v)^power c_vi

Differs: the votes are those of `user_knn`, damping and ties at the edge included; who stands opposite does not vote.
Anybody is put into the space by his history alone, so somebody new has neighbours too. Nobody is his own neighbour.
The model inside is fitted on the same log with the same confidences; one that would stop by validation runs through
all its epochs, which its recipe says.
Cost: the space's, then U D multiplications a query (all of 31,360 users at D = 128: 1.3 x 10^11); 12 bytes an event and
4 U D bytes kept, twice that and 64 U bytes a thread once asked; never users by users.
Shines where histories share few items, which user kNN needs; on MovieLens-1M the two are level, and each finds what
the other does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
from annotated_types import Ge, Le

from matinee.contract import Recommender, Run
from matinee.data.dataset import Dataset
from matinee.numerics.threads import limited
from matinee.scoring.neighbours import LatentNeighbours
from matinee.scoring.spaces import fitted_space, places_of_log, singular_space


@dataclass(frozen=True, kw_only=True)
class LatentKNN(Recommender):
    family: ClassVar[str] = "neighbours"

    of: Recommender | None = None
    """Whose space: a model of factors or an autoencoder by name, or with its settings: {model: multi_dae, epochs: 30};
    all its epochs are run. null: singular vectors of the log."""
    dim: Annotated[int, Ge(1), Le(4096)] = 128
    """D, the singular vectors, where `of` is null. Source of all defaults: `bench` in latent_neighbours.yaml."""
    neighbours: Annotated[int, Ge(1), Le(100_000)] = 300
    """So many users vote."""
    power: Annotated[float, Ge(0), Le(100)] = 3.0
    """A vote weighs cosine^power; more makes the nearest count more."""
    damping: Annotated[float, Ge(0), Le(2)] = 0.2
    """How much the popularity of an item is held against it: its votes are divided by users^damping."""
    vote: Literal["weighted", "binary"] = "weighted"
    """binary: each neighbour has one vote for each of his items; `power` and confidences then count for nothing."""
    normalise: bool = False
    """Divide scores by the weights of all votes."""

    def fit(self, train: Dataset, run: Run = Run()) -> LatentNeighbours:
        """Raises ConfigError (`no-vectors`) where the model `of` puts histories nowhere."""
        matrix = train.log.matrix()
        space = fitted_space(self.of, train, run) if self.of else singular_space(train, self.dim, run)
        with limited(run.threads):
            points = places_of_log(space, train)
        return LatentNeighbours(
            space,
            points,
            matrix.indptr.astype(np.int64),
            matrix.indices,
            matrix.data,
            np.maximum(np.bincount(matrix.indices, minlength=train.n_items), 1.0) ** -self.damping,
            neighbours=self.neighbours,
            power=self.power,
            plain=self.vote == "binary",
            normalise=self.normalise,
        )
