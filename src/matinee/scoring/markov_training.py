"""How FPMC, PRME, FME and TransRec are trained: the settings that all have, and their one loop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
from annotated_types import Ge, Gt, Le
from numpy.typing import NDArray

from matinee.contract import Recommender, Run
from matinee.data.dataset import Dataset
from matinee.data.interactions import Interactions
from matinee.errors import DataError
from matinee.numerics import markov, strata
from matinee.numerics.draws import fingerprints
from matinee.numerics.threads import limited
from matinee.numerics.topk import first_bad
from matinee.scoring.markov import KINDS, MarkovFactors, later_events, pairs_of, seen_of

PASSES = 5
"""Over the history of somebody new, or one that grew."""


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What one of the models is."""

    name: str
    taste: str
    """How a user and an item are measured: `none`, `inner`, `squares`."""
    order: str
    """How an item and the next one are: `inner`, `squares`, `sizes`."""
    biased: bool = True
    bounded: bool = False
    shares: tuple[float, float] = (1.0, 1.0)
    """What taste and order count."""
    tau: int | None = None
    """Seconds between two events after which taste alone counts."""
    start: float = 0.1
    """About the length that vectors start with."""


@dataclass(frozen=True, kw_only=True)
class LearntChain(Recommender):
    family: ClassVar[str] = "sequence"
    validates: ClassVar[bool] = True

    dim: Annotated[int, Ge(1), Le(4096)] = 64
    """D, the length of each vector. Source of all defaults: `bench` in the YAML file."""
    epochs: Annotated[int, Ge(1), Le(10_000)] = 25
    """Passes over all pairs, at most; `lr` falls to 0 over them, whenever training stops."""
    patience: Annotated[int, Ge(1), Le(10_000)] = 10
    """Training stops after so many validations without a better one, and the best one is what it yields."""
    lr: Annotated[float, Gt(0), Le(10)] = 0.05
    """Length of the first epoch's steps; it falls in a straight line."""
    l2: Annotated[float, Ge(0), Le(10)] = 0.01
    """Pulls every number that a step touches towards 0."""
    draws: Annotated[int, Ge(1), Le(10_000)] = 8
    """Items drawn a step, none of them the user's; the one that scores highest is its negative."""
    popularity_exponent: Annotated[float, Ge(0), Le(2)] = 0.0
    """An item is drawn in proportion to its users to this power; 0: all alike."""
    window: Annotated[int, Ge(1), Le(1000)] = 1
    """1 pairs an item with the very next one; more: with one of so many that follow, k places on in proportion to 1/k,
    drawn anew in each epoch."""
    query_length: Annotated[int, Ge(1), Le(1_000_000)] | None = 2
    """Scores are a mean over so many newest events; None: over all."""
    query_decay: Annotated[float, Gt(0), Le(1)] = 0.7
    """In that mean an event that has n later ones weighs this to the power of n."""
    gaps: bool = False
    """For what is missing in a history: an item scores by what it follows, and by what follows it as well."""


def learn(recipe: LearntChain, shape: Shape, train: Dataset, run: Run) -> MarkovFactors:
    """The fitted form; the best epoch's where `run` validates. Raises DataError where steps are too long."""
    if len(train.log) and not 0 < float(train.log.values.mean(dtype=np.float64)) < np.inf:
        raise DataError("bad-confidence", f"the mean confidence is {train.log.values.mean(dtype=np.float64)}",
                        "give confidences above 0")
    with limited(run.threads):
        return _Training(recipe, shape, train.log, run).whole()


class _Training:
    best: tuple[float, int, markov.Tables] | None = None

    def __init__(self, recipe: LearntChain, shape: Shape, log: Interactions, run: Run) -> None:
        self.recipe, self.shape, self.log, self.run = recipe, shape, log, run
        matrix = log.matrix()
        users = np.bincount(matrix.indices, minlength=log.n_items)
        weights = np.where(users > 0, np.maximum(users, 1.0) ** recipe.popularity_exponent, 0)
        self.draw_weights = weights.astype(np.float32)
        self.marks = fingerprints(matrix.indptr, matrix.indices, matrix.data)
        self.seen = seen_of(matrix)
        later = later_events(log)
        self.room = later - log.indptr[log.users[later]]
        self.unit = float(log.values[later].mean(dtype=np.float64)) if len(later) else 1.0
        self.space = markov.Space(KINDS[shape.taste], KINDS[shape.order], shape.taste == "none",
                                  np.float32(shape.biased), shape.bounded)
        self.tables = self._started()

    def _started(self) -> markov.Tables:
        rng, dim = np.random.default_rng([self.run.seed, 0]), self.recipe.dim
        scale = np.float32(self.shape.start / np.sqrt(dim))
        n_users, n_items = self.log.n_users, self.log.n_items

        def table(n: int, alive: NDArray[np.bool_]) -> NDArray[np.float32]:
            made = scale * rng.standard_normal((n, dim), np.float32)
            made[~alive] = 0
            return made.reshape(-1)

        had = self.draw_weights > 0
        tasted = self.shape.taste != "none"
        users = table(n_users, self.log.counts > 1) if tasted else np.zeros(n_users * dim, np.float32)
        liked = table(n_items, had) if tasted else np.empty(0, np.float32)
        after = table(n_items, had)
        before = table(n_items, had) if self.shape.order == "inner" else after
        return markov.Tables(users, liked, before, after, np.zeros(n_items, np.float32), np.zeros(dim, np.float32))

    def whole(self) -> MarkovFactors:
        last = min(self.run.stop_at or self.recipe.epochs, self.recipe.epochs)
        since = 0
        for epoch in range(1, last + 1):
            facts = self._epoch(epoch)
            since += 1
            if self.run.validate is not None:
                value = float(self.run.validate(self._form(self.tables)))
                if not np.isfinite(value):
                    raise DataError("bad-validation", f"{self.shape.name}: epoch {epoch} is worth {value}",
                                    "have the validation give one finite number, higher is better")
                facts["validation"] = value
                if self.best is None or value > self.best[0]:
                    self.best, since = (value, epoch, _copied(self.tables)), 0
            if self.run.journal is not None:
                self.run.journal(facts)
            self.run.progress(self.shape.name, epoch, last)
            if self.run.validate is not None and since >= self.recipe.patience:
                break
        if self.best is not None:
            return self._form(self.best[2], {"stop_at": self.best[1]})
        return self._form(self.tables, {"stop_at": last} if self.run.stop_at is not None else {})

    def _epoch(self, epoch: int) -> dict[str, Any]:
        recipe, rng = self.recipe, np.random.default_rng([self.run.seed, epoch])
        pairs = pairs_of(self.log, self.shape.shares, self.shape.tau, self.unit, self._back(rng))
        n = strata.blocks_for(int(np.count_nonzero(self.draw_weights)))
        urns = strata.urns(self.draw_weights.astype(np.float64), n, rng)
        cells = strata.cells(pairs.users, pairs.before, pairs.after, self.log.n_users, urns, rng)
        lr = recipe.lr * (1 - (epoch - 1) / recipe.epochs)
        rule = markov.Rule(np.float32(lr), np.float32(recipe.l2), recipe.draws, 1, 0)
        loss, skipped = markov.descend(pairs, cells, self.seen, self.tables, urns, self.space, rule)
        if any(first_bad(table) >= 0 for table in self.tables):
            raise DataError("diverged", f"{self.shape.name}: vectors are not finite after epoch {epoch}",
                            "lower lr or raise l2")
        steps = len(pairs.users)
        return {"epoch": epoch, "loss": loss / max(1, steps - skipped), "skipped": skipped / max(1, steps)}

    def _back(self, rng: np.random.Generator) -> NDArray[np.int64] | None:
        """(P,) how many places before each later event its earlier one stands, k in proportion to 1/k."""
        if self.recipe.window == 1:
            return None
        sums = np.cumsum(1 / np.arange(1, self.recipe.window + 1))
        most = np.minimum(self.room, self.recipe.window)
        drawn: NDArray[np.int64] = np.searchsorted(sums, rng.random(len(most)) * sums[most - 1], side="right") + 1
        np.minimum(drawn, most, out=drawn)  # a product may be rounded up to the last sum
        return drawn

    def _form(self, tables: markov.Tables, chosen: dict[str, Any] | None = None) -> MarkovFactors:
        shape, recipe = self.shape, self.recipe
        square = (-1, recipe.dim)
        biases = tables.biases.copy()
        biases[self.draw_weights == 0] = self._lowest(tables)
        return MarkovFactors(
            tables.users.reshape(square), tables.liked.reshape(square) if shape.taste != "none" else None,
            tables.before.reshape(square) if shape.order == "inner" else None, tables.after.reshape(square), biases,
            tables.shift, self.marks, self.draw_weights, shape.taste, shape.order, shape.shares, shape.tau, self.unit,
            recipe.lr, recipe.l2, recipe.draws, PASSES, recipe.query_length or 0, recipe.query_decay, recipe.gaps,
            chosen or {},
        )

    def _lowest(self, tables: markov.Tables) -> float:
        """The bias of an item that nobody had: it stands at 0, where distances would have it near everybody."""
        had = self.draw_weights > 0
        least = float(tables.biases[had].min(initial=0))
        for kind, table in ((self.shape.taste, tables.liked), (self.shape.order, tables.after)):
            lengths = np.linalg.norm(table.reshape(-1, self.recipe.dim), ord=1 if kind == "sizes" else 2, axis=1)
            furthest = 2 * float(lengths.max(initial=0))
            least -= {"squares": furthest**2, "sizes": furthest}.get(kind, 0.0) * (1 + self.recipe.gaps)
        return least


def _copied(tables: markov.Tables) -> markov.Tables:
    """Of its own, `before` one with `after` where it is."""
    after = tables.after.copy()
    before = after if tables.before is tables.after else tables.before.copy()
    return markov.Tables(tables.users.copy(), tables.liked.copy(), before, after, tables.biases.copy(),
                         tables.shift.copy())
