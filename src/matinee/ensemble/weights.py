"""Weights tuned on valid: the mixture of members with the best first metric, found by a seeded search.

Equal weights go first and are kept unless something beats them; then single members, all but one, and
random mixtures; then rounds around the best so far, one member at a time and at random. Weights add up to 1 and
are rounded before they are tried, so what is reported is what was measured. Large valid parts are searched on
a seeded sample of users; the figure that comes back is that of all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matinee.contract import Scorer
from matinee.ensemble.method import ListMethod
from matinee.ensemble.score_blend import ScoreBlend
from matinee.errors import ConfigError
from matinee.evaluation.accuracy import per_user
from matinee.evaluation.names import parse
from matinee.evaluation.segments import narrow
from matinee.evaluation.uncertainty import mean
from matinee.numerics.mixture import mixed_top
from matinee.ranking.filters import FittedFilter
from matinee.ranking.lists import Lists
from matinee.ranking.recommend import CELLS, MOST_USERS, Ask, masks_of, recommend
from matinee.scoring.blend import Blend, term
from matinee.split.parts import Truth

ROUNDS = 4
DRAWS = 16
"""Random mixtures in each round."""
SAMPLE_USERS = 10_000
SAMPLE_DEPTH = 30
"""Places of each list that a search looks at, or as many as the metric does."""
SAMPLE_CELLS = 1 << 24
"""Users x items that a blend is searched on, at most."""

Mixture = tuple[float, ...]
Values = Callable[[list[Mixture]], list[float]]


@dataclass(frozen=True)
class Tuned:
    weights: Mixture
    """One a member, adding up to 1."""
    value: float
    """Mean of the metric over all users of the truth."""


def tuned_lists(method: ListMethod, members: Sequence[Lists], truth: Truth, metric: str, *, seed: int) -> Tuned:
    """Weights for a list method. Raises ConfigError for one that takes none, and for a metric that is no accuracy."""
    if not method.takes_weights:
        raise ConfigError("weights-refused", f"{type(method).__name__} takes no weights to tune", "leave them out")
    k = parse(metric).k
    part = _sample(truth, SAMPLE_USERS, seed)
    users = part.users[part.users >= 0]
    short = [member.top(max(k, SAMPLE_DEPTH)).of(users) for member in members]

    def values(mixtures: list[Mixture]) -> list[float]:
        return [_mean(method.combine(short, mixture, k), part, metric) for mixture in mixtures]

    weights = _search(values, len(members), seed)
    return Tuned(weights, _mean(method.combine(members, weights, k), truth, metric))


def tuned_blend(
    recipe: ScoreBlend,
    members: Sequence[Scorer],
    ask: Ask,
    users: NDArray[np.int64],
    truth: Truth,
    metric: str,
    *,
    repeats: bool,
    filters: Sequence[FittedFilter] = (),
    seed: int,
) -> Tuned:
    """Weights for a blend of scorers, each scored once; the rest as in `recommend`.

    Peak memory: 4 bytes a member and SAMPLE_CELLS.
    """
    k, n_items = parse(metric).k, members[0].n_items
    part = _sample(truth, max(1, SAMPLE_CELLS // n_items), seed)
    some = part.users[part.users >= 0]
    size = max(1, min(MOST_USERS, CELLS // n_items))
    asked = ask(some)
    terms = np.empty((len(members), len(some), n_items), np.float32)
    for start in range(0, len(some), size):
        queries = asked.take(np.arange(start, min(start + size, len(some))))
        for member, out in zip(members, terms, strict=True):
            out[start : start + size] = term(member.score(queries), recipe.normalise, recipe.combine)
    masks = masks_of(asked, repeats, filters)

    def values(mixtures: list[Mixture]) -> list[float]:
        found = (mixed_top(terms, np.array(mixture, np.float32), k, masks) for mixture in mixtures)
        return [_mean(Lists(some, *lists, np.zeros(lists[0].shape, bool)), part, metric) for lists in found]

    weights = _search(values, len(members), seed)
    blend = Blend(tuple(members), np.array(weights, np.float32), recipe.normalise, recipe.combine)
    return Tuned(weights, _mean(recommend(blend, ask, users, k, repeats=repeats, filters=filters), truth, metric))


def _search(values: Values, members: int, seed: int) -> Mixture:
    """The mixture with the largest value; of equal ones the first that was tried."""
    rng = np.random.default_rng(seed)
    one = np.eye(members)
    mixtures = _rounded([np.ones(members), *one, *(1 - one if members > 2 else ()),
                         *rng.dirichlet(np.ones(members), DRAWS)])
    tried: dict[Mixture, float] = {}
    for _ in range(ROUNDS):
        new = [mixture for mixture in mixtures if mixture not in tried]
        if not new:
            break
        tried.update(zip(new, values(new), strict=True))
        best = np.array(max(tried, key=lambda mixture: tried[mixture]))
        moved = [best * np.where(one[m] > 0, factor, 1) for m in range(members) for factor in (0, 0.5, 0.8, 1.25, 2)]
        mixtures = _rounded([*moved, *rng.dirichlet(best * 20 + 0.2, DRAWS)])
    return max(tried, key=lambda mixture: tried[mixture])


def _rounded(mixtures: Sequence[NDArray[np.float64]]) -> list[Mixture]:
    """Scaled to a sum of 1, with three digits, each once; without those that are all 0."""
    scaled = [np.round(mixture / mixture.sum(), 3) for mixture in mixtures if mixture.sum() > 0]
    return list(dict.fromkeys(tuple(mixture.tolist()) for mixture in scaled))


def _sample(truth: Truth, most: int, seed: int) -> Truth:
    """The same truth for at most so many of its users."""
    if len(truth) <= most:
        return truth
    chosen = np.zeros(len(truth), bool)
    chosen[np.random.default_rng(seed).choice(len(truth), most, replace=False)] = True
    return narrow(truth, np.repeat(chosen, truth.counts))[0]


def _mean(lists: Lists, truth: Truth, metric: str) -> float:
    return mean(per_user(lists, truth, [metric])[metric])
