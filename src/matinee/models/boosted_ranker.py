"""A second stage: boosted trees put what other models found into order.

Burges, From RankNet to LambdaRank to LambdaMART, 2010; Ke et al., LightGBM, NeurIPS 2017.

    candidates of a user: the best `depth` of each first-stage model, all together
    score: the sum over trees of leaf(row), learnt by
        lambdarank   pairs of a hidden and another candidate, weighed by what a swap of the two does to NDCG
        binary       the logistic loss of each candidate alone

The rows are what the first stage says (scores and places) and the features that the entry names, also those of a user
and an item together. They are taught on the split's own protocol, applied once more to the events that may be learnt
from: first-stage models and features are fitted without what is hidden there, so a row looks in training as it will
when it is asked for. Where the first stage is fitted on its own answers instead, the trees learn to believe it.

How many trees: those with the best NDCG@10 on a tenth of the users, which the trees do not learn from; later fits of
the entry take that number, and all users. Users none of whose hidden items is a candidate teach nothing.

Cost: the first stage is fitted twice; N rows of F columns cost about N F `trees` / 5e7 s to learn from. Asked, the
first-stage models score everything, and the trees `depth` candidates or some more.
Shines where first-stage models see different things and features tell when to believe which. What none of them
found, no order brings back: look at the recall of the candidates first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from annotated_types import Ge, Gt, Le
from numpy.typing import NDArray

from matinee.contract import Recommender, Run
from matinee.data.candidates import Candidates, to_learn_from
from matinee.data.dataset import Dataset
from matinee.features.fitted import asked, packed
from matinee.features.pair_matrix import columns_of
from matinee.numerics.trees import Rows, grown
from matinee.scoring.boosted import BoostedCandidates, first_columns, table

BLOCK = 2048
"""Users whose rows are made at a time."""


@dataclass(frozen=True, kw_only=True)
class BoostedRanker(Recommender):
    family: ClassVar[str] = "features"
    honours_weights: ClassVar[bool] = False
    honours_features: ClassVar[bool] = True
    reads_pairs: ClassVar[bool] = True
    orders_candidates: ClassVar[bool] = True

    loss: Literal["lambdarank", "binary"] = "lambdarank"
    """Of pairs by what they do to NDCG, or of each candidate alone."""
    trees: Annotated[int, Ge(1), Le(10_000)] = 600
    """At most; see `patience`."""
    patience: Annotated[int, Ge(1), Le(10_000)] = 40
    """Trees without a better NDCG@10 of the held-out users before it ends."""
    lr: Annotated[float, Gt(0), Le(1)] = 0.05
    """What each tree adds is multiplied by this."""
    leaves: Annotated[int, Ge(2), Le(4096)] = 31
    """Of a tree, at most."""
    least: Annotated[int, Ge(1), Le(1_000_000)] = 100
    """Rows in a leaf."""
    columns: Annotated[float, Gt(0), Le(1)] = 0.8
    """Share of the columns that a tree may look at."""
    l2: Annotated[float, Ge(0), Le(1e9)] = 1.0
    """Shrinks what a leaf says."""
    negatives: Annotated[int, Ge(1), Le(10_000)] = 60
    """Candidates of a user that are not hidden, at random, to learn from; all where there are fewer."""
    truncation: Annotated[int, Ge(1), Le(1000)] = 20
    """`lambdarank`: pairs count one of whose two stands in so many first places."""

    def fit(self, train: Dataset, run: Run = Run()) -> BoostedCandidates:
        """Raises ConfigError where `train` has no candidates, none of them is hidden, or LightGBM is not installed."""
        found, learnable, held = to_learn_from(train.candidates, "boosted_ranker", hold=run.stop_at is None)
        rows = self._rows(found, learnable, train, run.seed)
        watched = self._rows(found, held, train, None) if len(held) else None
        names, named = columns_of(train.features, train.n_items)
        rounds = run.stop_at or self.trees

        def watch(at: int, ndcg: float | None) -> None:
            run.progress("boosted_ranker", at, rounds)
            if run.journal is not None and ndcg is not None and at % 10 == 0:
                run.journal({"trees": at, "held_out_ndcg@10": ndcg})

        columns = [*first_columns(found.sources), *names]
        of_names = [len(columns) - len(names) + at for at in named]
        trees, best = grown(self._settings(run), rows, watched, columns, of_names, rounds, self.patience, watch)
        text = np.frombuffer(trees.text.encode(), np.uint8).copy()
        chosen = {"stop_at": best, "gains": trees.gains(columns)}
        return BoostedCandidates(
            sources=(), depth=found.depth, repeats=train.facts.repeats, text=text, known=packed(train.features),
            features=tuple(train.features), names=found.sources, catalogue=train.n_items, chosen=chosen)

    def _rows(self, found: Candidates, at: NDArray[np.int64], train: Dataset, seed: int | None) -> Rows:
        """Of the users `at` (n,) of the candidates; with a seed, what is hidden and some of the rest."""
        tables, hidden, groups = [], [], []
        for start in range(0, len(at), BLOCK):
            block = at[start : start + BLOCK]
            items = found.items[block].copy()
            if seed is not None:
                items[~self._drawn(items, found.hidden[block], np.random.default_rng([seed, start]))] = -1
            queries = asked(train, found.users[block])
            tables.append(table(items, found.scores[block], found.ranks[block], train.features, queries))
            hidden.append(found.hidden[block][items >= 0])
            groups.append((items >= 0).sum(axis=1))
        return Rows(np.concatenate(tables), np.concatenate(hidden), np.concatenate(groups))

    def _drawn(
        self, items: NDArray[np.int32], hidden: NDArray[np.bool_], rng: np.random.Generator
    ) -> NDArray[np.bool_]:
        """(B, C) all that is hidden, and `negatives` of the rest."""
        keys = rng.random(items.shape, np.float32)
        keys[(items < 0) | hidden] = 2
        if items.shape[1] <= self.negatives:
            return items >= 0
        bound = np.partition(keys, self.negatives - 1, axis=1)[:, self.negatives - 1 : self.negatives]
        return hidden | ((keys <= bound) & (keys < 2))

    def _settings(self, run: Run) -> dict[str, Any]:
        return {"objective": self.loss, "learning_rate": self.lr, "num_leaves": self.leaves,
                "min_data_in_leaf": self.least, "feature_fraction": self.columns, "lambda_l2": self.l2,
                "lambdarank_truncation_level": self.truncation, "num_threads": run.threads, "seed": run.seed}
