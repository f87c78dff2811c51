"""The users of a log who are nearest to a history, by what they share or by latent place, and what these had."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from matinee.contract import FusedScorer, Masks, Queries, VectorScorer
from matinee.errors import ModelError
from matinee.numerics import factors, overlap, proximity
from matinee.numerics.voting import Log, Rules
from matinee.scoring.checks import check_catalogue
from matinee.scoring.spaces import places

SATURATION = 1.2
"""k1 of BM25, as usual since Robertson et al. (TREC-3, 1994)."""
MEASURES = ("cosine", "jaccard")


@dataclass(frozen=True, eq=False)
class UserNeighbours(FusedScorer):
    """score(u, i) = item_worth_i x sum over the N users v nearest to the history of share_v sim(u, v)^power c_vi.

    sim is the cosine of x_ui = f(c_ui) item_weights_i, or x.y / (x.x + y.y - x.y); f(c) = c, or with `saturate`
    f(c) = c (k1 + 1) / (c + k1). Whoever has a row in the log is not his own neighbour, however his history has grown
    since. share is 1 but for those who are equally near at the edge: they share the places left. 20 bytes an event.
    """

    indptr: NDArray[np.int64]  # (U + 1,)
    items: NDArray[np.int32]  # (n,)  ascending within a row
    values: NDArray[np.float32]  # (n,)  confidences
    item_weights: NDArray[np.float64]  # (I,)  in similarities
    item_worth: NDArray[np.float64]  # (I,)  in votes
    saturate: bool
    measure: str
    """One of MEASURES."""
    shrink: float
    """Similarities times c / (c + shrink), c items being shared."""
    neighbours: int
    power: float
    plain: bool
    """All neighbours and all their items count 1."""
    normalise: bool
    """Divide by the sum of the votes' weights."""

    def __post_init__(self) -> None:
        check_log(self.indptr, self.items, self.values, self.n_items)
        if self.measure not in MEASURES or self.neighbours < 1 or self.shrink < 0 or self.power < 0:
            what = f"{self.neighbours} neighbours by {self.measure!r}, shrink {self.shrink}, power {self.power}"
            raise ModelError("bad-form", what, "fit the model again")
        for weights in (self.item_weights, self.item_worth):
            if len(weights) != self.n_items or not bool((weights > 0).all()):
                raise ModelError("bad-form", "an item's weight is missing or not positive", "fit the model again")

    @property
    def n_items(self) -> int:
        return len(self.item_weights)

    def score(self, queries: Queries) -> NDArray[np.float32]:
        return overlap.scores(self._asked(queries), self._holders, self._measure, self._log, self._rules)

    def top_block(self, queries: Queries, k: int, masks: Masks) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        return overlap.top(self._asked(queries), self._holders, self._measure, self._log, self._rules, k, masks)

    def _asked(self, queries: Queries) -> overlap.Asked:
        check_catalogue(self, queries)
        check_rows(queries, len(self.indptr) - 1)
        history = queries.history.matrix()
        return overlap.Asked(queries.rows, history.indptr.astype(np.int64, copy=False),
                             history.indices.astype(np.int32, copy=False), self._told(history.data))

    def _told(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """f of the confidences."""
        return values * np.float32(SATURATION + 1) / (values + np.float32(SATURATION)) if self.saturate else values

    @cached_property
    def _holders(self) -> overlap.Holders:
        shape = (len(self.indptr) - 1, self.n_items)
        return overlap.holders(csr_array((self._told(self.values), self.items, self.indptr), shape=shape),
                               self.item_weights)

    @cached_property
    def _log(self) -> Log:
        return log_of(self.indptr, self.items, self.values, self.item_worth)

    @property
    def _measure(self) -> overlap.Measure:
        return overlap.Measure(self.measure == "jaccard", float(self.shrink))

    @property
    def _rules(self) -> Rules:
        return Rules(self.neighbours, 0.0 if self.plain else float(self.power), self.plain, self.normalise)


@dataclass(frozen=True, eq=False)
class LatentNeighbours(FusedScorer):
    """score(u, i) = item_worth_i x sum over the N users v who stand nearest of share_v cos(z_u, z_v)^power c_vi.

    z comes of the space inside, from the history alone. For the rest as `UserNeighbours`. 12 bytes an event, 8 U D
    bytes once asked, and 64 U bytes a thread.
    """

    space: VectorScorer
    points: NDArray[np.float32]  # (U, D)  of length 1, or 0
    indptr: NDArray[np.int64]  # (U + 1,)
    items: NDArray[np.int32]  # (n,)  ascending within a row
    values: NDArray[np.float32]  # (n,)  confidences
    item_worth: NDArray[np.float64]  # (I,)
    neighbours: int
    power: float
    plain: bool
    normalise: bool

    def __post_init__(self) -> None:
        check_log(self.indptr, self.items, self.values, self.n_items)
        if len(self.item_worth) != self.n_items or not bool((self.item_worth > 0).all()):
            raise ModelError("bad-form", "an item's weight is missing or not positive", "fit the model again")
        if len(self.points) != len(self.indptr) - 1 or self.neighbours < 1 or self.power < 0:
            what = f"{len(self.points)} points for {len(self.indptr) - 1} users, {self.neighbours} neighbours"
            raise ModelError("bad-form", f"{what}, power {self.power}", "fit the model again")

    @property
    def n_items(self) -> int:
        return self.space.n_items

    def score(self, queries: Queries) -> NDArray[np.float32]:
        return proximity.scores(*self._asked(queries), self._tiles, self._log, self._rules)

    def top_block(self, queries: Queries, k: int, masks: Masks) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        return proximity.top(*self._asked(queries), self._tiles, self._log, self._rules, k, masks)

    def _asked(self, queries: Queries) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        check_catalogue(self, queries)
        check_rows(queries, len(self.points))
        found = places(self.space, queries)
        if found.shape[1] != self.points.shape[1]:
            raise ModelError("bad-form", f"a space of {found.shape[1]} dimensions for points of {self.points.shape[1]}",
                             "fit the model again")
        return queries.rows, found

    @cached_property
    def _tiles(self) -> NDArray[np.float32]:
        return factors.tiled(self.points)

    @cached_property
    def _log(self) -> Log:
        return log_of(self.indptr, self.items, self.values, self.item_worth)

    @property
    def _rules(self) -> Rules:
        return Rules(self.neighbours, 0.0 if self.plain else float(self.power), self.plain, self.normalise)


def check_log(
    indptr: NDArray[np.int64], items: NDArray[np.int32], values: NDArray[np.float32], n_items: int
) -> None:
    """Raises ModelError where these are no matrix of positive entries with so many columns."""
    n = len(items)
    if not len(indptr) or indptr[0] != 0 or indptr[-1] != n or len(values) != n or bool(np.any(np.diff(indptr) < 0)):
        raise ModelError("bad-form", f"{n} items and {len(values)} values do not fit their indptr",
                         "fit the model again")
    if n and not 0 <= items.min() <= items.max() < n_items:
        raise ModelError("bad-form", f"items must lie in [0, {n_items}); got [{items.min()}, {items.max()}]",
                         "fit the model again")
    if not bool((values > 0).all() and np.isfinite(values).all()):
        raise ModelError("bad-form", "a confidence is not positive", "fit the model again")


def check_rows(queries: Queries, n_users: int) -> None:
    """Raises ModelError where a row lies outside of the log: kernels do not look before they index."""
    if len(queries) and queries.rows.max() >= n_users:
        raise ModelError("other-users", f"row {queries.rows.max()} of a log of {n_users} users",
                         "ask with the data set that the model was fitted on")


def log_of(
    indptr: NDArray[np.int64], items: NDArray[np.int32], values: NDArray[np.float32], worth: NDArray[np.float64]
) -> Log:
    """What the voters had; where all confidences are 1 they are left out, as they need not be read."""
    return Log(indptr, items, np.empty(0, np.float32) if bool(np.all(values == 1)) else values, worth)
