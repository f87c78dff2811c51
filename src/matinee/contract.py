"""The whole model contract: a recipe that can be fitted, and the scorer it yields. Read this first.

A `Recommender` is a recipe: frozen, keyword-only hyper-parameters, nothing learned. `fit` returns a
`Scorer`, which is always fitted. A scorer scores *histories*, not user ids: a user of the training log,
somebody new and somebody who has just watched one more film are asked for by the same call. A model
only scores; masking, top-K, ties, ids, filters and batching live once, in `ranking/`.

Letters: B users in a block, I items, C candidates, K list length, E events.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from matinee.data.columns import Features
from matinee.data.dataset import Dataset
from matinee.data.interactions import Interactions


@dataclass(frozen=True, slots=True, eq=False)
class Queries:
    """B questions: what should somebody with this history get, at this moment?"""

    rows: NDArray[np.int64]  # (B,)  row in the log the model was fitted on; -1 for somebody new to it
    history: Interactions  # B users: what each did up to now, oldest first, values = confidence
    at: NDArray[np.int64]  # (B,)  the moment of the question, Unix seconds: the newest event unless told
    attributes: Features  # B rows: what is known of each user

    @classmethod
    def of(
        cls,
        history: Interactions,
        rows: NDArray[np.int64] | None = None,
        at: NDArray[np.int64] | None = None,
        attributes: Features | None = None,
    ) -> Queries:
        """Queries from histories alone: new users, asked right after their newest event, of whom nothing is known."""
        n = history.n_users
        return cls(
            np.full(n, -1, np.int64) if rows is None else np.asarray(rows, np.int64),
            history,
            history.last_times() if at is None else np.asarray(at, np.int64),
            Features(n) if attributes is None else attributes,
        )

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, block: NDArray[np.int64]) -> Queries:
        """The queries at these positions (b,), in that order."""
        return Queries(self.rows[block], self.history.take(block), self.at[block], self.attributes.take(block))


@dataclass(frozen=True, slots=True, eq=False)
class Masks:
    """What may not be in a block of lists: items already seen, and items a filter blocks."""

    indptr: NDArray[np.int64]  # (B + 1,)
    items: NDArray[np.int32]  # seen by user b: items[indptr[b]:indptr[b + 1]], in any order, repeats allowed
    blocked: NDArray[np.bool_] | None = None  # (B, I) true where a filter forbids the item

    @classmethod
    def none(cls, n: int) -> Masks:
        return cls(np.zeros(n + 1, np.int64), np.empty(0, np.int32))


class Scorer(ABC):
    """What was learned. A form in `scoring/` is a frozen dataclass: arrays and JSON-able settings, no more.

    Any method may be called from several threads at once.
    """

    found: Mapping[str, Any] = {}
    """What was chosen by validation, such as `{"stop_at": 37}`; empty for models that choose nothing."""

    serves_empty: bool = False
    """Does it rank for an empty history, by what is known of the user? Else ranking gives the most popular items."""

    @property
    @abstractmethod
    def n_items(self) -> int: ...

    @abstractmethod
    def score(self, queries: Queries) -> NDArray[np.float32]:
        """(B, I) higher is better; finite; seen items NOT masked; the same bits whoever else is in the block."""


class FusedScorer(Scorer):
    """A scorer that can rank while it scores, without writing (B, I) to memory."""

    block: ClassVar[int] = 2048
    """So many users at a time it is best asked for."""

    @abstractmethod
    def top_block(self, queries: Queries, k: int, masks: Masks) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """(B, K) items and scores, exactly what `top_k(score(queries), k, masks)` gives; -1 and -inf pad a short list.

        Order: score descending, then item ascending, which is the order of external ids.
        """


class VectorScorer(Scorer):
    """A scorer that puts a history at a point of a latent space: what neighbours and clusters are looked for in."""

    @abstractmethod
    def vectors(self, queries: Queries) -> NDArray[np.float32]:
        """(B, D) one vector a history, the same bits whoever else is in the block; zeros for an empty one."""


class ItemVectorScorer(Scorer):
    """A scorer that has a vector for each item, at which another model may begin."""

    @abstractmethod
    def item_vectors(self) -> NDArray[np.float32]:
        """(I, D) what an item of a history is to the model; a row of zeros says nothing."""


class AdditiveScorer(Scorer):
    """A scorer whose score is a sum over the history, so that it can say which items a recommendation is due to."""

    @abstractmethod
    def parts(self, query: Queries, items: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
        """One history's distinct items (n,), and what each of them adds to the scores of `items` (K,) -> (n, K).

        Together with what nobody's history scores they sum to `score`, within rounding.
        """


class PairScorer(Scorer):
    """A scorer too slow for the whole catalogue: it re-ranks candidates."""

    @abstractmethod
    def score_pairs(self, queries: Queries, candidates: NDArray[np.int32]) -> NDArray[np.float32]:
        """candidates (B, C) -> (B, C); each score depends on its own pair alone. -1 is no candidate and scores -inf."""


class SecondStage(PairScorer):
    """A scorer that orders what first-stage models found. Fitted beside those that learnt without the events whose
    finding it was taught by; asked beside those that know them."""

    @abstractmethod
    def over(self, sources: tuple[Scorer, ...], train: Dataset) -> SecondStage:
        """The order as it was learnt, over these first-stage models, which were fitted on `train`. What it reads
        of users and items is of `train` where it can be learnt anew, and else as it was when the order was learnt."""


def _silent(what: str, done: int, total: int) -> None:
    """No progress display."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """Where and how to compute; never a hyper-parameter."""

    seed: int = 0
    """Every random draw comes from local generators made of this."""
    threads: int = field(default_factory=lambda: os.cpu_count() or 1)
    device: str = "cpu"
    progress: Callable[[str, int, int], None] = _silent
    """progress(what, done, total), called now and then."""
    journal: Callable[[Mapping[str, Any]], None] | None = None
    """Takes one step's metrics, JSON-able: `{"epoch": 3, "loss": 0.41}`."""
    checkpoint: Path | None = None
    """A folder for what it takes to go on after a stop; None where nothing is kept."""
    validate: Callable[[Scorer], float] | None = None
    """Hand it a provisional scorer, get one number, higher is better. The model never sees a hidden event."""
    stop_at: int | None = None
    """What an earlier fit of the same entry found, epochs or clusters; then there is no `validate`."""

    def with_(self, **changes: Any) -> Run:
        return replace(self, **changes)


@dataclass(frozen=True, kw_only=True)
class Recommender(ABC):
    """A recipe. Subclasses are frozen, keyword-only dataclasses, one a file in `models/`."""

    family: ClassVar[str]
    """Groups the docs: `baseline`, `rules`, `neighbours`, `linear`, `factors`, `autoencoder`, `sequence` ..."""
    personal: ClassVar[bool] = True
    """Does the list depend on the history?"""
    by_time_alone: ClassVar[bool] = False
    """Does a personal list depend on when the history happened, and not at all on what is in it?"""
    honours_weights: ClassVar[bool] = True
    """Does a confidence change the scores? Where not, an experiment that asks for one is refused by name."""
    weighs_history: ClassVar[bool] = True
    """Does a confidence count in the history that is asked with? An autoencoder weighs its loss alone."""
    honours_features: ClassVar[bool] = False
    """Does it learn from the features that its entry names, and that `fit` finds in `train.features`?"""
    reads_pairs: ClassVar[bool] = False
    """Does it learn from features of a user and an item together, as well as from those of either?"""
    orders_candidates: ClassVar[bool] = False
    """Is it a second stage and nothing else? See `learns_candidates`."""
    reranks: ClassVar[bool] = False
    """Does `fit` return a `PairScorer` that may as well be asked for what first-stage models found, and for no more?"""
    validates: ClassVar[bool] = False
    """Does `fit` choose when to stop, or how many clusters to make, by `Run.validate`?"""

    def named_vectors(self) -> tuple[str, ...]:
        """What `fit` looks for in `train.item_vectors`: files, or entries of other runs (RUN/ID). An experiment finds
        them and puts them there."""
        return ()

    @property
    def learns_candidates(self) -> bool:
        """Does it learn from `train.candidates` how to put into order what first-stage models found? Then `fit` returns
        a `SecondStage`."""
        return self.orders_candidates

    @property
    def wants_candidates(self) -> bool:
        """Of a model that re-ranks: does it learn from what its first stage finds for the users of the training log?
        `train.candidates` has it then, none of it hidden."""
        return False

    @abstractmethod
    def fit(self, train: Dataset, run: Run = Run()) -> Scorer:
        """Learn from `train` and nothing else. The same recipe, data and seed give the same scorer."""
