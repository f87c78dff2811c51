"""What follows what, in a space of few dimensions, and for whom: FPMC, PRME, FME, TransRec."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from matinee.contract import FusedScorer, ItemVectorScorer, Masks, Queries
from matinee.data.interactions import Interactions
from matinee.errors import DataError, ModelError
from matinee.numerics import city_block, factors, markov
from matinee.numerics.draws import fingerprints
from matinee.numerics.products import product
from matinee.numerics.strata import urns
from matinee.numerics.topk import first_bad
from matinee.scoring.checks import check_catalogue
from matinee.scoring.weighted_history import LEAST, places

KINDS = {"none": markov.NONE, "inner": markov.INNER, "squares": markov.SQUARES, "sizes": markov.SIZES}
LEAST_STEPS = 100
"""Of somebody whose history is short."""

Table = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class MarkovFactors(FusedScorer, ItemVectorScorer):
    """score(u, i) = mean over the newest events l of  a f(x_u, y_i) + w g(z_l, q_i) + b_i

    f and g by `taste` and `order`: an inner product, minus the squared distance, minus the sum of sizes; z_l is p_l or,
    where there is no taste, p_l + t + x_u. (a, w) are `shares`, or (1, 0) where l is more than `tau` seconds before the
    question. An event weighs its confidence x decay^place. `gaps` adds to each l what it says as the item that comes
    after i: w g(z_i, q_l). What hangs on the query alone is left out, so squared distances are inner products too. Sums
    of sizes are taken from the mean of the z_l.

    Who asks with the very history that his row was fitted on gets the stored x_u. Whose history is another one, and
    whoever is new, takes `passes` passes (more where it is short) of the training's own steps over the whole of it,
    from the stored vector or from zeros, the items held fixed. 4 (U + 3 I) D bytes, and up to 12 I D more once asked.
    """

    users: Table  # (U, D)  x
    liked: Table | None  # (I, D)  y; None without taste
    before: Table | None  # (I, D)  p; None where it is `after`
    after: Table  # (I, D)  q
    biases: Table  # (I,)
    shift: Table  # (D,)  t
    fitted_on: NDArray[np.uint64]  # (U,)  fingerprints of the histories
    draw_weights: Table  # (I,)  in proportion to which negatives are drawn; 0: never
    taste: str
    order: str
    shares: tuple[float, float]
    tau: int | None
    unit: float
    """The confidence that counts as one."""
    lr: float
    l2: float
    draws: int
    passes: int
    length: int
    """Only so many newest events are asked with; 0: all."""
    decay: float
    gaps: bool
    chosen: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        dim, n = self.after.shape[1:], len(self.after)
        tables = {"liked": self.liked, "before": self.before, "after": self.after}
        given = {name: table for name, table in tables.items() if table is not None}
        if any(table.shape != (n, *dim) for table in given.values()) or len(dim) != 1 or not (
            self.users.shape[1:] == self.shift.shape == dim and self.fitted_on.shape == self.users.shape[:1]
            and self.biases.shape == self.draw_weights.shape == (n,)
        ):
            raise ModelError("bad-form", f"users of {self.users.shape}, items of "
                                         f"{[table.shape for table in given.values()]}, biases of {self.biases.shape} "
                                         "and what goes with them do not fit together", "fit the model again")
        if self.taste not in KINDS or self.order not in KINDS or (self.taste == "none") != (self.liked is None):
            raise ModelError("bad-form", f"taste {self.taste!r}, order {self.order!r}", "fit the model again")
        if not (self.unit > 0 and self.lr > 0 and self.l2 >= 0 and min(self.draws, self.passes) >= 1
                and self.length >= 0 and 0 < self.decay <= 1 and min(self.shares) >= 0 == len(self.shares) - 2):
            raise ModelError("bad-form", f"unit {self.unit}, lr {self.lr}, l2 {self.l2}, draws {self.draws}, passes "
                                         f"{self.passes}, length {self.length}, decay {self.decay} and shares "
                                         f"{self.shares} are no settings", "fit the model again")
        if bool((self.draw_weights < 0).any()):
            raise ModelError("bad-form", "a draw weight is negative", "fit the model again")
        rest = {"users": self.users, "biases": self.biases, "shift": self.shift, "draw_weights": self.draw_weights}
        for name, array in {**given, **rest}.items():
            if (at := first_bad(array.reshape(-1))) >= 0:
                raise ModelError("bad-form", f"entry {at} of {name} is {array.reshape(-1)[at]}", "fit the model again")

    @property
    def n_items(self) -> int:
        return len(self.after)

    def item_vectors(self) -> Table:
        return self.after if self.before is None else self.before

    @property
    def found(self) -> Mapping[str, Any]:  # type: ignore[override]
        return self.chosen

    def score(self, queries: Queries) -> Table:
        if self.order == "sizes":
            return city_block.scores(*self._points(queries), self.after, self.biases)
        return factors.scores(self._asked(queries), self._tiles, self.n_items)

    def top_block(self, queries: Queries, k: int, masks: Masks) -> tuple[NDArray[np.int32], Table]:
        if self.order == "sizes":
            return city_block.top(*self._points(queries), self.after, self.biases, k, masks)
        return factors.top(self._asked(queries), self._tiles, self.n_items, k, masks)

    def user_vectors(self, queries: Queries) -> Table:
        """x (B, D). Raises DataError for histories over another catalogue, or rows that the model does not have."""
        check_catalogue(self, queries)
        if len(queries) and queries.rows.max() >= len(self.users):
            raise DataError("misaligned", f"row {queries.rows.max()} of a model of {len(self.users)} users",
                            "ask with the data set that the model was fitted on")
        history = queries.history.matrix()
        marks = fingerprints(history.indptr, history.indices, history.data)
        out = np.zeros((len(queries), self.after.shape[1]), np.float32)
        known = np.flatnonzero(queries.rows >= 0)
        out[known] = self.users[queries.rows[known]]
        other = np.ones(len(queries), bool)
        other[known] = self.fitted_on[queries.rows[known]] != marks[known]
        at = np.flatnonzero(other)
        if len(at) and self.draw_weights.any():
            out[at] = self._folded(out[at], queries.history.take(at), history[at], marks[at])
        return out

    def _folded(self, users: Table, log: Interactions, seen: csr_array, seeds: NDArray[np.uint64]) -> Table:
        """`users` (b, D) after steps over their histories."""
        users[log.counts < 2] = 0
        pairs = pairs_of(log, self.shares, self.tau, self.unit)
        ends = np.append(0, np.cumsum(np.maximum(log.counts - 1, 0)))
        flat = users.reshape(-1)
        tables = markov.Tables(flat, self._flat(self.liked), self._flat(self._before), self._flat(self.after),
                               self._flat(self.biases), self._flat(self.shift))
        space = markov.Space(KINDS[self.taste], KINDS[self.order], self.taste == "none", np.float32(0), False)
        rule = markov.Rule(np.float32(self.lr), np.float32(self.l2), self.draws, self.passes, LEAST_STEPS)
        one = urns(self.draw_weights.astype(np.float64), 1, np.random.default_rng(0))
        markov.fold_in(pairs, ends, seeds, seen_of(seen), tables, one, space, rule)
        return flat.reshape(users.shape)

    def _flat(self, table: Table | None) -> Table:
        """As the kernels take it, which are compiled for what they may write."""
        return np.empty(0, np.float32) if table is None else np.require(table, requirements="W").reshape(-1)

    @property
    def _before(self) -> Table:
        return self.after if self.before is None else self.before

    def _events(self, queries: Queries) -> tuple[csr_array, Table, Table]:
        """The weights of the events that say something of what is next (B, I), and the sums of a and of w (B, 1)."""
        history = queries.history
        rows, place = history.users, places(history)
        weights = history.values * np.maximum(self.decay**place, LEAST) * (place < (self.length or len(place)))
        total = np.bincount(rows, weights, len(queries))
        weights /= np.maximum(total, 1e-30)[rows]
        near = np.ones(len(rows), bool) if self.tau is None else queries.at[rows] - history.times <= self.tau
        near_share = np.bincount(rows, weights * near, len(queries))
        of_taste = np.where(history.counts > 0, 1 - near_share * (1 - self.shares[0]), 1.0)
        said = (self.shares[1] * weights * near).astype(np.float32)
        kept = said > 0
        ends = np.append(0, np.cumsum(kept))[history.indptr]
        matrix = csr_array((said[kept], history.items[kept], ends), shape=(len(queries), self.n_items))
        return matrix, *(part.astype(np.float32)[:, None] for part in (of_taste, self.shares[1] * near_share))

    def _asked(self, queries: Queries) -> Table:
        """(B, W) what `_tiles` are multiplied with."""
        users = self.user_vectors(queries)
        events, of_taste, share = self._events(queries)
        parts = [np.ones((len(users), 1), np.float32)]
        if self.taste == "inner":
            parts.append(of_taste * users)
        elif self.taste == "squares":
            parts += [2 * of_taste * users, -of_taste]
        point = product(events, self._before)
        if self.order == "inner":
            parts += [point, product(events, self.after)] if self.gaps else [point]
        else:
            moved = share * (self.shift + users) if self.taste == "none" else np.float32(0)
            back = product(events, self.after) - moved if self.gaps else np.float32(0)
            parts += [2 * (point + moved + back), -share * (1 + self.gaps)]
        return np.ascontiguousarray(np.hstack(parts), np.float32)

    @cached_property
    def _tiles(self) -> Table:
        parts = [self.biases[:, None]]
        for kind, table in ((self.taste, self.liked), (self.order, self.after)):
            if table is not None:
                parts.append(table)
                parts += [_squares(table)] if kind == "squares" else []
        if self.gaps and self.order == "inner":
            parts.append(self._before)
        return factors.tiled(np.hstack(parts))

    def _points(self, queries: Queries) -> tuple[Table, Table]:
        """(B, D) the mean of the z, and (B,) how much distance from it counts."""
        users = self.user_vectors(queries)
        events, _, share = self._events(queries)
        point = product(events, self.after)  # with `gaps` the way there and the way back cancel out
        if not self.gaps:
            point += share * (self.shift + users)
        return point, share[:, 0] * np.float32(1 + self.gaps)


def _squares(table: Table) -> Table:
    squares: Table = np.square(table).sum(axis=1, keepdims=True)
    return squares


def seen_of(matrix: csr_array) -> markov.Seen:
    """Who has what (R, I), columns ascending."""
    return markov.Seen(matrix.indptr.astype(np.int64), matrix.indices)


def pairs_of(
    log: Interactions, shares: tuple[float, float], tau: int | None, unit: float,
    back: NDArray[np.int64] | None = None,
) -> markov.Pairs:
    """All events but each user's first, behind the one before them; `back` (P,) says which before, 1 is the last.

    A pair weighs the confidence of its later event / unit. Where it lies more than `tau` seconds after the earlier one
    taste alone counts.
    """
    later = later_events(log)
    earlier = later - (1 if back is None else back)
    parts = np.tile(np.array(shares, np.float32), (len(later), 1))
    if tau is not None:
        parts[log.times[later] - log.times[earlier] > tau] = 1, 0
    return markov.Pairs(log.users[later], log.items[earlier], log.items[later],
                        (log.values[later] / unit).astype(np.float32), parts)


def later_events(log: Interactions) -> NDArray[np.int64]:
    """(P,) all events but each user's first."""
    first = np.zeros(len(log) + 1, bool)
    first[log.indptr[:-1]] = True
    return np.flatnonzero(~first[:-1])
