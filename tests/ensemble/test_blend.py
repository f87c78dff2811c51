"""Scores made comparable and mixed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from matinee.contract import Scorer
from matinee.ensemble.score_blend import ScoreBlend
from matinee.errors import ConfigError, DataError, ModelError
from matinee.ranking.recommend import recommend
from matinee.scoring import store
from matinee.scoring.blend import COMBINATIONS, NORMALISATIONS, Blend
from matinee.scoring.constant import Constant
from tests.ensemble.scorers import Mute, Table, asker

USERS, ITEMS = 70, 40
PAIRS = [(n, c) for n in NORMALISATIONS for c in COMBINATIONS if c == "sum" or n in ("rank", "softmax")]


def table(seed: int, scale: float = 1.0) -> Table:
    """Scores with ties."""
    rng = np.random.default_rng(seed)
    return Table((rng.normal(size=(USERS, ITEMS)).round(1) * scale).astype(np.float32))


def blend(members: list[Scorer], weights: list[float], normalise: str = "z_score", combine: str = "sum") -> Blend:
    return Blend(tuple(members), np.array(weights, np.float32), normalise, combine)


def slow(scores: np.ndarray, normalise: str) -> np.ndarray:
    """One row, by the formula."""
    scores = scores.astype(np.float64)
    if normalise == "z_score":
        return (scores - scores.mean()) / scores.std()
    if normalise == "rank":
        below = (scores[:, None] > scores).sum(axis=1)
        alike = (scores[:, None] == scores).sum(axis=1)
        return (below + (alike + 1) / 2) / len(scores)
    return np.exp(scores) / np.exp(scores).sum() if normalise == "softmax" else scores


@pytest.mark.parametrize(("normalise", "combine"), PAIRS)
def test_a_blend_is_its_formula(normalise: str, combine: str) -> None:
    a, b = table(1), table(2, 3.0)
    queries = asker(USERS, ITEMS)(np.arange(USERS))
    made = blend([a, b], [1, 3], normalise, combine).score(queries)
    assert made.dtype == np.float32
    for row in range(USERS):
        x, y = slow(a.scores[row], normalise), slow(b.scores[row], normalise)
        wanted = 0.25 * x + 0.75 * y if combine == "sum" else np.log(x**0.25 * y**0.75)
        assert np.allclose(made[row], wanted, atol=1e-5)


@pytest.mark.parametrize(("normalise", "combine"), PAIRS)
def test_order_scale_and_company_do_not_matter(normalise: str, combine: str) -> None:
    a, b, c = table(1), table(2), table(3)
    ask = asker(USERS, ITEMS)
    everybody = ask(np.arange(USERS))
    made = blend([a, b, c], [1, 2, 0.5], normalise, combine).score(everybody)
    again = blend([c, b, a], [0.5, 2, 1], normalise, combine).score(everybody)
    assert np.allclose(made, again, atol=1e-6)
    assert np.array_equal(blend([a, b, c], [2, 4, 1], normalise, combine).score(everybody), made)
    assert np.array_equal(blend([a, b, Mute(ITEMS), c], [1, 2, 0, 0.5], normalise, combine).score(everybody), made)
    for some in ([5], [60, 3, 3, 12], list(range(69, -1, -1))):
        rows = np.array(some)
        assert np.array_equal(blend([a, b, c], [1, 2, 0.5], normalise, combine).score(ask(rows)), made[rows])


@pytest.mark.parametrize(("normalise", "combine"), PAIRS)
def test_one_member_is_itself_and_equal_members_rank_alike(normalise: str, combine: str) -> None:
    a = table(4)
    queries = asker(USERS, ITEMS)(np.arange(USERS))
    for weights in ([1.0, 0.0], [7.0, 0.0]):
        assert np.array_equal(blend([a, Mute(ITEMS)], weights, normalise, combine).score(queries), a.scores)
    twice = blend([a, a], [1, 2], normalise, combine).score(queries)
    assert np.array_equal(np.argsort(-twice, kind="stable"), np.argsort(-a.scores, kind="stable"))


def test_a_flat_member_says_nothing() -> None:
    a, flat = table(1), Table(np.full((USERS, ITEMS), 0.1, np.float32))
    queries = asker(USERS, ITEMS)(np.arange(USERS))
    mixed = blend([a, flat], [1, 1]).score(queries)
    assert np.isfinite(mixed).all()
    assert np.array_equal(np.argsort(-mixed, kind="stable"), np.argsort(-a.scores, kind="stable"))


def test_far_scores_stay_finite() -> None:
    a, b = table(1, 1e4), table(2, 1e4)
    queries = asker(USERS, ITEMS)(np.arange(USERS))
    for normalise, combine in PAIRS:
        assert np.isfinite(blend([a, b], [1, 1], normalise, combine).score(queries)).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("normalise", NORMALISATIONS)
def test_a_member_that_scores_no_number_is_refused_and_not_hidden(normalise: str, bad: float) -> None:
    broken = table(1)
    broken.scores[7, 11] = bad
    with pytest.raises(DataError, match=r"(nan|infinite)-score: blend scores item 11 of user 7 with"):
        recommend(blend([table(2), broken], [1, 1], normalise), asker(USERS, ITEMS), np.arange(USERS), 5,
                  repeats=False, name="blend")


def test_blends_of_blends_are_stored_whole(tmp_path: Path) -> None:
    inner = blend([Constant(np.arange(5, dtype=np.float32)), Constant(np.array([1, 0, 5, 2, 2], np.float32))], [1, 2])
    outer = blend([inner, Constant(np.array([3, 1, 2, 0, 0], np.float32))], [1, 1], "rank", "product")
    store.save(outer, tmp_path / "blend", about={})
    read, _ = store.load(tmp_path / "blend")
    queries = asker(3, 5)(np.arange(3))
    assert np.array_equal(read.score(queries), outer.score(queries))


@pytest.mark.parametrize(("weights", "normalise", "combine", "message"), [
    ([1.0], "rank", "sum", "weights .* for 2 members"),
    ([0.0, 0.0], "rank", "sum", "give one finite weight of 0 or more a member, not all 0"),
    ([1.0, -1.0], "rank", "sum", "weights .* for 2 members"),
    ([1.0, np.nan], "rank", "sum", "weights .* for 2 members"),
    ([1.0, 1.0], "minmax", "sum", "a blend by 'minmax' and 'sum'"),
    ([1.0, 1.0], "z_score", "product", "a product of scores by 'z_score', which may be negative"),
])
def test_a_blend_that_means_nothing_is_refused(weights, normalise: str, combine: str, message: str) -> None:
    with pytest.raises(ModelError, match=f"bad-blend: .*{message}"):
        blend([table(1), table(2)], weights, normalise, combine)


def test_members_of_other_catalogues_are_refused() -> None:
    with pytest.raises(ModelError, match=r"bad-blend: members of \[40, 39\] items"):
        blend([table(1), Mute(39)], [1, 1])


def test_the_recipe_refuses_a_product_of_what_may_be_negative() -> None:
    with pytest.raises(ConfigError, match="bad-blend: a product of scores by 'none', which may be negative"):
        ScoreBlend(normalise="none", combine="product")
