"""User kNN: what the users with the most similar histories had, each item by the votes it gets.

Resnick, Iacovou, Suchak, Bergstrom, Riedl, "GroupLens", CSCW 1994; for implicit data Sarwar, Karypis, Konstan, Riedl,
"Analysis of recommendation algorithms for e-commerce", EC 2000 ("most frequent item": `vote: binary`).

    x_ui = c_ui w_i                                                 w = 1, or how rare the item is (idf, bm25)
    sim(u, v) = x_u . x_v / (|x_u| |x_v|)   or   x_u . x_v / (|x_u|^2 + |x_v|^2 - x_u . x_v), for sets Jaccard's
                times n / (n + shrink), where u and v share n items
    score_i = n_i^-damping x sum over the N users v nearest to u of sim(u, v)^power c_vi
                                                                    vote: binary: of 1 for each v who has i

    idf   w_i = ln(1 + U / n_i), n_i of U users having i
    bm25  w_i = ln(1 + (U - n_i + 0.5) / (n_i + 0.5)) and c_ui saturates: 2.2 c / (c + 1.2)

Differs: nobody is left out at the edge of a neighbourhood because of his id: users who are equally near share the
places left. bm25 does not divide by the length of a history, as the cosine does that. No mean is taken off, as there
are no ratings but choices; popular items are damped instead, as any neighbours have them. Nobody is his own neighbour.
Confidences c count in similarities and in votes.
Cost: nothing to fit but 12 bytes an event kept, 20 once asked; a query meets every event of every item of its history,
all users' the sum over items of their users squared (31,360 users x 6,807 items: 10^10 steps, see docs/log.md); never
users by users.
Shines on long histories and as a member of an ensemble: it errs otherwise than linear models do. Slow on many users.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
from annotated_types import Ge, Le
from numpy.typing import NDArray

from matinee.contract import Recommender, Run
from matinee.data.dataset import Dataset
from matinee.scoring.neighbours import UserNeighbours


@dataclass(frozen=True, kw_only=True)
class UserKNN(Recommender):
    family: ClassVar[str] = "neighbours"

    neighbours: Annotated[int, Ge(1), Le(100_000)] = 300
    """So many users vote. Source of all defaults: `bench` in user_knn.yaml."""
    similarity: Literal["cosine", "jaccard"] = "cosine"
    """Of two histories."""
    weighting: Literal["none", "idf", "bm25"] = "idf"
    """How much more a rare item says of a taste than a common one."""
    shrink: Annotated[float, Ge(0), Le(1_000_000)] = 0.0
    """Similarities of histories that share few items count less: half where they share so many."""
    power: Annotated[float, Ge(0), Le(100)] = 3.0
    """A vote weighs similarity^power; more makes the nearest count more."""
    damping: Annotated[float, Ge(0), Le(2)] = 0.2
    """How much the popularity of an item is held against it: its votes are divided by users^damping."""
    vote: Literal["weighted", "binary"] = "weighted"
    """binary: each neighbour has one vote for each of his items; `power` and confidences then count for nothing."""
    normalise: bool = False
    """Divide scores by the weights of all votes, so that they are at most 1 and comparable between users."""

    def fit(self, train: Dataset, run: Run = Run()) -> UserNeighbours:
        matrix = train.log.matrix()
        having = np.bincount(matrix.indices, minlength=train.n_items)
        return UserNeighbours(
            matrix.indptr.astype(np.int64),
            matrix.indices,
            matrix.data,
            self._weights(having, int((np.diff(matrix.indptr) > 0).sum())),
            np.maximum(having, 1.0) ** -self.damping,
            saturate=self.weighting == "bm25",
            measure=self.similarity,
            shrink=self.shrink,
            neighbours=self.neighbours,
            power=self.power,
            plain=self.vote == "binary",
            normalise=self.normalise,
        )

    def _weights(self, having: NDArray[np.int64], users: int) -> NDArray[np.float64]:
        """(I,) by how many of the users have each item."""
        match self.weighting:
            case "none":
                return np.ones(len(having))
            case "idf":
                return np.log1p(users / np.maximum(having, 1))
            case "bm25":
                return np.log1p((users - having + 0.5) / (having + 0.5))
