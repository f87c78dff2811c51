"""The training of models of pairs as a second stage: hidden candidates of a user against others found for him.

A step takes some users with all of their hidden candidates, each against drawn ones of the rest, all alike; the losses
are those of `nn.drawn_pairs`. What the first stage says of a candidate is read beside its features. The history is what
the first stage knew as well, so nothing of a pair has to be left out of it. Users and items that no candidate teaches
have no vectors of their own.

How many epochs: those with the best NDCG@10 on a tenth of the users, whose candidates teach nothing; later fits of the
entry take that number, and all users.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from matinee.contract import Run, Scorer
from matinee.data.candidates import Candidates, to_learn_from
from matinee.data.dataset import Dataset
from matinee.errors import ConfigError
from matinee.features.fitted import asked
from matinee.nn.drawn_pairs import Asked, DrawnPairs, OfPairs, Pairs, trained
from matinee.nn.feature_fields import FieldTables
from matinee.scoring.feature_pairs import FeaturePairs
from matinee.scoring.first_stage import told
from matinee.scoring.ordered_pairs import OrderedPairs

K = 10
Form = TypeVar("Form", bound=FeaturePairs)


class CandidatePairs(DrawnPairs):
    """Every user who teaches once an epoch, in a new order."""

    def __init__(
        self, name: str, recipe: OfPairs, network: FieldTables, data: Dataset, run: Run, found: Candidates,
        rows: NDArray[np.int64],
    ) -> None:
        """rows: of `found`, that teach"""
        super().__init__(name, recipe, network, data, run)
        self.found, self.users, self.spreads = found, found.users[rows], spreads_of(found)
        self.steps_an_epoch = -(-len(rows) // recipe.batch_size)
        self.over = float(found.hidden[rows].sum()) / self.steps_an_epoch
        users, items = np.ones(data.n_users, np.bool_), np.ones(data.n_items, np.bool_)
        taught = found.items[rows]
        users[self.users], items[taught[taught >= 0]] = False, False
        network.leave_out(users, items)

    def asked(self, users: NDArray[np.int64], rng: np.random.Generator) -> Asked:
        rows = np.searchsorted(self.found.users, users)
        items, right = self.found.items[rows], self.found.hidden[rows]
        owners, own = np.nonzero(right)
        wrong = ~right & (items >= 0)
        others, counts = np.argsort(~wrong, axis=1, kind="stable"), wrong.sum(axis=1)[owners, None]
        drawn = (rng.random((len(owners), self.recipe.negatives)) * counts).astype(np.int64)
        places = np.concatenate([own[:, None], others[owners[:, None], drawn]], axis=1)
        at = rows[owners, None], places
        hidden = rng.random(len(users)) < self.recipe.id_dropout
        pairs = Pairs(users, owners.astype(np.int32), self.found.items[at], hidden,
                      told(self.found.scores[at], self.found.ranks[at], self.spreads))
        return Asked(pairs, np.broadcast_to(counts > 0, drawn.shape).copy(), np.ones(len(owners), np.float32))


def fit_pairs(
    name: str, recipe: OfPairs, net: FieldTables, train: Dataset, run: Run, kind: type[Form]
) -> Form | OrderedPairs:
    """Taught by what the recipe says. Raises ConfigError (`no-candidates`, `hard-ignored`), and what `nn.train.train`
    does."""
    if not recipe.learns_candidates:
        return trained(DrawnPairs(name, recipe, net, train, run), train, run, kind)
    if recipe.hard:
        raise ConfigError("hard-ignored", f"{name} is taught by candidates alone, all of which are hard",
                          "leave `hard` out, or let it be taught_by: log")
    found, rows, held = to_learn_from(train.candidates, name, hold=run.stop_at is None)
    task = CandidatePairs(name, recipe, net, train, run, found, rows)
    judged = run.with_(validate=_judge(found, held, train, task.spreads) if len(held) else None)
    inner = trained(task, train, judged, kind)
    return OrderedPairs(sources=(), depth=found.depth, repeats=train.facts.repeats, inner=inner,
                        spreads=task.spreads, names=found.sources)


def spreads_of(found: Candidates) -> NDArray[np.float32]:
    """(2, S) mean and standard deviation of the scores of candidates: they are the best of a catalogue, and far from
    its mean."""
    scores = found.scores[found.items >= 0].astype(np.float64)
    deviations = scores.std(axis=0)
    return np.stack([scores.mean(axis=0), np.where(deviations > 0, deviations, 1)]).astype(np.float32)


def _judge(
    found: Candidates, held: NDArray[np.int64], train: Dataset, spreads: NDArray[np.float32]
) -> Callable[[Scorer], float]:
    """NDCG@10 of the candidates of rows `held`, in the order of a scorer."""
    queries = asked(train, found.users[held])
    items, hidden = found.items[held], found.hidden[held]
    numbers = told(found.scores[held], found.ranks[held], spreads)
    worth = 1 / np.log2(np.arange(K) + 2)
    best = np.cumsum(worth)[np.minimum(hidden.sum(axis=1), K) - 1]

    def ndcg(scorer: Scorer) -> float:
        assert isinstance(scorer, FeaturePairs)
        order = np.argsort(-scorer.score_told(queries, items, numbers), axis=1, kind="stable")[:, :K]
        hits = np.take_along_axis(hidden, order, axis=1)
        return float((hits @ worth[: hits.shape[1]] / best).mean())

    return ndcg
