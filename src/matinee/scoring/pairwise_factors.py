"""Users' factors learnt from pairs of items, times the items' factors, with a bias an item."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from matinee.contract import FusedScorer, ItemVectorScorer, Masks, Queries, VectorScorer
from matinee.errors import DataError, ModelError
from matinee.numerics import factors, pairwise
from matinee.numerics.draws import Urn, fingerprints, urn
from matinee.numerics.topk import first_bad
from matinee.scoring.checks import check_catalogue

LEAST_STEPS = 400
"""Of somebody whose history is short: ten passes over five items would leave him near zeros."""


@dataclass(frozen=True, eq=False)
class PairwiseFactors(FusedScorer, VectorScorer, ItemVectorScorer):
    """score(u, i) = x_u . y_i + b_i.

    Who asks with the very history that his row was fitted on, confidences included, gets the stored x_u. Whose history
    is another one, and whoever is new, takes `passes` passes (more where it is short) of the training's own steps over
    the whole of it, from the stored vector or from zeros, the items held fixed; the draws are seeded by the history.
    No history is no step at all, hence zeros and the order of the biases. 4 (U + 2 I) D bytes.
    """

    user_factors: NDArray[np.float32]  # (U, D)
    item_factors: NDArray[np.float32]  # (I, D)
    item_biases: NDArray[np.float32]  # (I,)
    fitted_on: NDArray[np.uint64]  # (U,)  fingerprints of the histories
    draw_weights: NDArray[np.float32]  # (I,)  in proportion to which negatives are drawn; 0: never
    unit: float
    """The confidence that counts as one step a pass."""
    lr: float
    l2: float
    candidates: int
    warp: bool
    passes: int

    def __post_init__(self) -> None:
        shapes = self.user_factors.shape, self.item_factors.shape
        (n_users, dim), (n_items, same) = (shape if len(shape) == 2 else (-1, -1) for shape in shapes)
        if dim != same or self.fitted_on.shape != (n_users,) or not (
            self.item_biases.shape == self.draw_weights.shape == (n_items,)
        ):
            raise ModelError("bad-form", f"factors of shapes {shapes[0]} and {shapes[1]}, {self.item_biases.shape} "
                                         f"biases, {self.draw_weights.shape} weights and {self.fitted_on.shape} "
                                         "fingerprints do not fit together", "fit the model again")
        if not (self.unit > 0 and self.lr > 0 and self.l2 >= 0 and self.candidates >= 1 and self.passes >= 1):
            raise ModelError("bad-form", f"unit {self.unit}, lr {self.lr}, l2 {self.l2}, candidates {self.candidates} "
                                         f"and passes {self.passes} are no settings", "fit the model again")
        if bool((self.draw_weights < 0).any()):
            raise ModelError("bad-form", "a draw weight is negative", "fit the model again")
        for name in ("user_factors", "item_factors", "item_biases", "draw_weights"):
            flat = getattr(self, name).reshape(-1)
            if (at := first_bad(flat)) >= 0:
                raise ModelError("bad-form", f"entry {at} of {name} is {flat[at]}", "fit the model again")

    @property
    def n_items(self) -> int:
        return len(self.item_factors)

    def item_vectors(self) -> NDArray[np.float32]:
        return self.item_factors

    def score(self, queries: Queries) -> NDArray[np.float32]:
        return factors.scores(self._with_one(queries), self._tiles, self.n_items)

    def top_block(self, queries: Queries, k: int, masks: Masks) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        return factors.top(self._with_one(queries), self._tiles, self.n_items, k, masks)

    def vectors(self, queries: Queries) -> NDArray[np.float32]:
        """(B, D). Raises DataError for histories over another catalogue, or rows that the model does not have."""
        check_catalogue(self, queries)
        if len(queries) and queries.rows.max() >= len(self.user_factors):
            raise DataError("misaligned", f"row {queries.rows.max()} of a model of {len(self.user_factors)} users",
                            "ask with the data set that the model was fitted on")
        history = queries.history.matrix()
        marks = fingerprints(history.indptr, history.indices, history.data)
        out = np.zeros((len(queries), self.item_factors.shape[1]), np.float32)
        known = np.flatnonzero(queries.rows >= 0)
        rows = queries.rows[known]
        out[known] = self.user_factors[rows]
        other = np.ones(len(queries), bool)
        other[known] = self.fitted_on[rows] != marks[known]
        at = np.flatnonzero(other)
        if len(at) and len(self._urn.items):
            moved, some = out[at], history[at]
            moved[np.diff(some.indptr) == 0] = 0
            asked = pairwise.histories(some, self.unit)
            pairwise.fold_in(asked, moved, self._items, self._urn, self._rule, marks[at])
            out[at] = moved
        return out

    def _with_one(self, queries: Queries) -> NDArray[np.float32]:
        """(B, D + 1): the 1 takes the bias along."""
        vectors = self.vectors(queries)
        return np.hstack([vectors, np.ones((len(vectors), 1), np.float32)])

    @cached_property
    def _tiles(self) -> NDArray[np.float32]:
        return factors.tiled(np.hstack([self.item_factors, self.item_biases[:, None]]))

    @cached_property
    def _items(self) -> pairwise.Items:
        vectors, biases = (np.require(part, requirements="W") for part in (self.item_factors, self.item_biases))
        return pairwise.Items(vectors.reshape(-1), biases, pairwise.phi(self.n_items))  # the kernel that learns writes

    @cached_property
    def _urn(self) -> Urn:
        drawable = np.flatnonzero(self.draw_weights)
        return urn(drawable, self.draw_weights[drawable].astype(np.float64))

    @cached_property
    def _rule(self) -> pairwise.Rule:
        return pairwise.Rule(np.float32(self.lr), np.float32(self.l2), self.candidates, self.warp, self.passes,
                             LEAST_STEPS, teaches=False)
