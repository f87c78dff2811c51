"""Tuning finds what was planted, says what it is worth, and does not invent anything."""

from __future__ import annotations

import numpy as np
import pytest

from matinee.ensemble import weights as tuning
from matinee.ensemble.fusion import HalfAndHalf, RankSum
from matinee.ensemble.score_blend import ScoreBlend
from matinee.ensemble.voting import HardVote, WeightedVote
from matinee.ensemble.weights import tuned_blend, tuned_lists
from matinee.errors import ConfigError
from matinee.evaluation.accuracy import per_user
from matinee.ranking.lists import Lists
from matinee.ranking.recommend import recommend
from matinee.scoring.blend import Blend
from matinee.split.parts import Truth
from tests.ensemble.scorers import Table, asker

USERS, ITEMS = 300, 60


def truth_of(seed: int, unknown: int = 0) -> Truth:
    """Three hidden items of each user, none of them item 0; `unknown` users more."""
    rng = np.random.default_rng(seed)
    items = np.concatenate([np.sort(rng.permutation(np.arange(1, ITEMS))[:3]) for _ in range(USERS + unknown)])
    users = np.concatenate([np.full(unknown, -1), np.arange(USERS)])
    return Truth(users, np.arange(0, 3 * len(users) + 1, 3), items.astype(np.int32), np.zeros(len(items), np.int8))


def noisy(truth: Truth, seed: int, noise: float) -> Table:
    """Hidden items score 1, others 0, and noise."""
    known = truth.users >= 0
    scores = np.random.default_rng(seed).normal(size=(USERS, ITEMS)) * noise
    rows = np.repeat(truth.users, truth.counts)
    scores[rows[rows >= 0], truth.items[np.repeat(known, truth.counts)]] += 1
    return Table(scores.astype(np.float32))


def lists_by(table: Table, k: int = 30) -> Lists:
    return recommend(table, asker(USERS, ITEMS), np.arange(USERS), k, repeats=False)


def test_list_weights_are_found_and_measured() -> None:
    truth = truth_of(0, unknown=5)
    members = [lists_by(noisy(truth, 1, 0.8)), lists_by(noisy(truth, 2, 0.8)), lists_by(noisy(truth, 3, 50.0))]
    found = tuned_lists(RankSum(), members, truth, "recall@5", seed=0)
    equal = per_user(RankSum().combine(members, None, 5), truth, ["recall@5"])["recall@5"].mean()
    assert found.weights[2] < 0.2 * min(found.weights[:2])
    assert found.value > equal + 0.05
    assert sum(found.weights) == pytest.approx(1, abs=0.002)
    measured = per_user(RankSum().combine(members, found.weights, 5), truth, ["recall@5"])["recall@5"].mean()
    assert found.value == pytest.approx(measured, abs=1e-12)
    assert found == tuned_lists(RankSum(), members, truth, "recall@5", seed=0)


def test_equal_weights_stay_where_nothing_beats_them() -> None:
    truth = truth_of(0)
    members = [lists_by(noisy(truth, 1, 0.0))] * 2
    found = tuned_lists(WeightedVote(), members, truth, "recall@5", seed=3)
    assert (found.weights, found.value) == ((0.5, 0.5), 1.0)
    assert tuned_lists(WeightedVote(), members[:1], truth, "recall@5", seed=3).weights == (1.0,)


def test_large_valid_parts_are_searched_on_a_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    truth = truth_of(0)
    members = [lists_by(noisy(truth, 1, 0.8)), lists_by(noisy(truth, 3, 50.0))]
    monkeypatch.setattr(tuning, "SAMPLE_USERS", 50)
    sizes = set()
    combine = RankSum.combine

    def watched(self, lists, weights, k):
        sizes.add(len(lists[0]))
        return combine(self, lists, weights, k)

    monkeypatch.setattr(RankSum, "combine", watched)
    found = tuned_lists(RankSum(), members, truth, "recall@5", seed=0)
    assert sizes == {50, USERS}
    assert found.value == pytest.approx(
        per_user(combine(RankSum(), members, found.weights, 5), truth, ["recall@5"])["recall@5"].mean())


@pytest.mark.parametrize("recipe", [ScoreBlend(), ScoreBlend(normalise="softmax", combine="product")])
def test_blend_weights_are_found_and_measured(recipe: ScoreBlend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tuning, "MOST_USERS", 128)
    truth = truth_of(0)
    members, ask, users = [noisy(truth, 1, 0.6), noisy(truth, 3, 2.0)], asker(USERS, ITEMS), np.arange(USERS)
    found = tuned_blend(recipe, members, ask, users, truth, "ndcg@5", repeats=False, seed=0)
    assert found.weights[0] > found.weights[1]
    blend = Blend(tuple(members), np.array(found.weights, np.float32), recipe.normalise, recipe.combine)
    lists = recommend(blend, ask, users, 5, repeats=False)
    assert 0 not in lists.items
    assert found.value == pytest.approx(per_user(lists, truth, ["ndcg@5"])["ndcg@5"].mean())
    assert found == tuned_blend(recipe, members, ask, users, truth, "ndcg@5", repeats=False, seed=0)


def test_the_search_finds_a_mixture_between_the_obvious_ones() -> None:
    """Neither equal weights nor one member alone: as good as the best of a fine grid of blends."""
    truth = truth_of(5)
    members, ask, users = [noisy(truth, 1, 0.5), noisy(truth, 3, 1.0)], asker(USERS, ITEMS), np.arange(USERS)

    def measured(share: float) -> float:
        blend = Blend(tuple(members), np.array([share, 1 - share], np.float32), "none", "sum")
        return per_user(recommend(blend, ask, users, 5, repeats=True), truth, ["recall@5"])["recall@5"].mean()

    found = tuned_blend(ScoreBlend(normalise="none"), members, ask, users, truth, "recall@5", repeats=True, seed=0)
    grid = [measured(share) for share in np.linspace(0.05, 0.95, 19)]
    assert found.value >= max(grid) - 0.002
    assert found.value > max(measured(0.5), measured(1.0), measured(0.0)) + 0.01


def test_the_search_goes_on_around_the_best() -> None:
    target = np.array([0.62, 0.31, 0.0, 0.07])
    found = tuning._search(lambda mixtures: [-abs(np.array(one) - target).sum() for one in mixtures], 4, seed=0)
    assert abs(np.array(found) - target).sum() < 0.1


def test_the_search_masks_what_was_seen() -> None:
    """A member that would put a seen item first is not blamed for it."""
    truth = truth_of(0)
    members, ask = [noisy(truth, 1, 0.0), noisy(truth, 3, 0.4)], asker(USERS, ITEMS)
    members[0].scores[:, 0] = 9
    found = tuned_blend(ScoreBlend(normalise="rank"), members, ask, np.arange(USERS), truth, "recall@3", repeats=False,
                        seed=0)
    assert found.value == 1


def test_what_cannot_be_tuned_is_refused() -> None:
    truth = truth_of(0)
    members = [lists_by(noisy(truth, 1, 0.0))] * 2
    for method in (HardVote(), HalfAndHalf()):
        with pytest.raises(ConfigError, match=f"weights-refused: {type(method).__name__} takes no weights to tune"):
            tuned_lists(method, members, truth, "recall@5", seed=0)
    with pytest.raises(ConfigError, match="not-accuracy: coverage@5"):
        tuned_lists(RankSum(), members, truth, "coverage@5", seed=0)
