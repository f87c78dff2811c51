"""Models of pairs that learn from candidates: what a step is made of, what is read, and what comes of it when asked."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from math import log2
from typing import Any

import numpy as np
import pytest

import matinee
from matinee.config import CandidateSettings
from matinee.contract import Recommender, Run, Scorer
from matinee.data.candidates import Candidates, to_learn_from
from matinee.data.dataset import Dataset
from matinee.errors import ConfigError, ModelError
from matinee.experiment.two_stage import candidates, inner_stage, second_stage
from matinee.features.fitted import asked, with_features
from matinee.models.auto_int import AutoInt
from matinee.models.deep_fm import DeepFM
from matinee.models.item_knn import ItemKNN
from matinee.models.popularity import Popularity
from matinee.models.wide_deep import WideDeep
from matinee.nn.candidate_pairs import CandidatePairs, spreads_of
from matinee.nn.deep_pairs import DeepPairNet
from matinee.nn.drawn_pairs import OfPairs
from matinee.nn.feature_fields import ITEM_ID, FieldTables, sides_of
from matinee.scoring.first_stage import found_by, told
from matinee.scoring.ordered_pairs import OrderedPairs
from matinee.scoring.user_fields import ID
from matinee.split.gap_and_tail import GapAndTail

SETTINGS = CandidateSettings(sources=("item_knn", "popularity"), depth=15)
FIRST: list[Recommender] = [ItemKNN(), Popularity()]
FEATURES = ["item_count", "user_count", "genre", "genre_affinity"]
DEEP: dict[str, Any] = {"taught_by": "candidates", "dim": 4, "hidden": (8,), "epochs": 3, "batch_size": 16}
RECIPES: dict[str, OfPairs] = {
    "deep_fm": DeepFM(**DEEP), "wide_deep": WideDeep(**DEEP),
    "auto_int": AutoInt(taught_by="candidates", dim=4, layers=1, heads=1, head_dim=4, epochs=3),
}
RUN = Run(seed=2, threads=1)


def silent(what: str, done: int, total: int) -> None:
    pass


@cache
def taught_on() -> Dataset:
    """With candidates that were found without what is hidden among them."""
    inner = inner_stage(GapAndTail(), "toy", data())
    found = candidates([one.fit(inner.fit) for one in FIRST], inner, SETTINGS, 0, silent)
    return replace(with_features(inner.fit, FEATURES), candidates=found)


@cache
def data() -> Dataset:
    return matinee.load("synthetic:300x90:3")


def found() -> Candidates:
    assert taught_on().candidates is not None
    return taught_on().candidates  # type: ignore[return-value]


def net(kind: str) -> FieldTables:
    recipe, train = RECIPES[kind], taught_on()
    if isinstance(recipe, AutoInt):
        return recipe.net(train, 3)
    assert isinstance(recipe, DeepFM | WideDeep)
    return DeepPairNet(recipe, sides_of(recipe, train, kind), train, 3, meet=kind == "deep_fm")


def task(kind: str, rows: np.ndarray[Any, Any]) -> CandidatePairs:
    return CandidatePairs(kind, RECIPES[kind], net(kind), taught_on(), RUN, found(), rows)


def test_a_pair_is_a_hidden_candidate_against_others_of_the_same_user_that_are_not_hidden() -> None:
    _, rows, _ = to_learn_from(found(), "deep_fm", hold=False)
    users = found().users[rows[:40]]
    step = task("deep_fm", rows).asked(users, np.random.default_rng(1))
    right = {(at, int(item)) for at, row in enumerate(rows[:40])
             for item in found().items[row][found().hidden[row]]}
    assert set(zip(step.pairs.owners.tolist(), step.pairs.items[:, 0].tolist(), strict=True)) == right
    assert len(step.pairs.items) == len(right)
    drawn: set[int] = set()
    for owner, items, ok in zip(step.pairs.owners, step.pairs.items[:, 1:], step.allowed, strict=True):
        row = rows[owner]
        others = found().items[row][(found().items[row] >= 0) & ~found().hidden[row]]
        assert ok.all()
        assert set(items.tolist()) <= set(others.tolist())
        drawn |= set(items.tolist())
    assert len(drawn) > 20
    assert (step.weights == 1).all()


def test_what_the_first_stage_says_is_read_with_each_pair() -> None:
    _, rows, _ = to_learn_from(found(), "deep_fm", hold=False)
    step = task("deep_fm", rows).asked(found().users[rows[:9]], np.random.default_rng(1))
    assert step.pairs.told is not None
    whole = found().scores[found().items >= 0].astype(np.float64)
    for owner, items, numbers in zip(step.pairs.owners, step.pairs.items, step.pairs.told, strict=True):
        row = rows[owner]
        for item, mine in zip(items, numbers, strict=True):
            at = found().items[row].tolist().index(item)
            want = [(found().scores[row, at, s] - whole[:, s].mean()) / whole[:, s].std() for s in range(2)]
            places = found().ranks[row, at]
            want += [1 / log2(1 + place) if place else 0.0 for place in places.tolist()]
            np.testing.assert_allclose(mine, want, rtol=1e-4, atol=1e-5)


def test_a_user_without_other_candidates_teaches_nothing() -> None:
    _, rows, _ = to_learn_from(found(), "deep_fm", hold=False)
    row = rows[0]
    items, hidden = found().items.copy(), found().hidden.copy()
    items[row][~hidden[row]] = -1
    only = np.concatenate([items[row][hidden[row]], np.full((~hidden[row]).sum(), -1, np.int32)])
    items[row], hidden[row] = only, only >= 0
    one = task("deep_fm", rows)
    one.found = replace(found(), items=items, hidden=hidden)
    step = one.asked(found().users[[row]], np.random.default_rng(1))
    assert not step.allowed.any()


@pytest.mark.parametrize("kind", RECIPES)
def test_it_is_asked_for_the_very_scores_that_it_learns_by(kind: str) -> None:
    """Of whole histories: what is hidden does not stand in them."""
    _, rows, _ = to_learn_from(found(), kind, hold=False)
    made = task(kind, rows)
    for one in made.net.parameters():
        one.data += 0.1
    step = made.asked(found().users[rows[:12]], np.random.default_rng(1))
    step.pairs.hidden[:] = False
    made.net.rate = 0.0  # type: ignore[assignment]
    learnt = made.net.scores(step.pairs, np.random.default_rng(2)).detach().numpy()
    fitted = made.net.scorer()
    for owner, items, numbers, want in zip(step.pairs.owners, step.pairs.items, step.pairs.told, learnt, strict=True):  # type: ignore[arg-type]
        got = fitted.score_told(asked(taught_on(), step.pairs.users[[owner]]), items[None], numbers[None])  # type: ignore[attr-defined]
        np.testing.assert_allclose(got[0], want, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("kind", RECIPES)
def test_lists_are_the_candidates_in_the_networks_order_and_the_rest_below(kind: str) -> None:
    inner, knowing = inner_stage(GapAndTail(), "toy", data()), tuple(one.fit(data()) for one in FIRST)
    scorer = second_stage(found(), inner, data(), knowing=knowing,
                          teach=lambda train: RECIPES[kind].fit(with_features(train, FEATURES), RUN))
    assert isinstance(scorer, OrderedPairs)
    queries = asked(data(), np.arange(0, 300, 20))
    items, scores, ranks, first = found_by(knowing, queries, 15, repeats=False)
    values = scorer.inner.score_told(queries, items, told(scores, ranks, spreads_of(found())))  # type: ignore[attr-defined]
    got = scorer.score(queries)
    for at, mine in enumerate(items):
        there = mine >= 0
        np.testing.assert_array_equal(got[at, mine[there]], values[at, there])
        rest = np.setdiff1d(np.arange(scorer.n_items), mine[there])
        assert got[at, rest].max() < values[at, there].min()
        assert (np.diff(got[at, rest[np.argsort(first[at, rest], kind="stable")]]) >= 0).all()


def test_it_stops_by_users_who_teach_nothing_and_later_fits_take_all() -> None:
    learnt: list[dict[str, Any]] = []
    fitted = RECIPES["deep_fm"].fit(taught_on(), RUN.with_(journal=lambda facts: learnt.append(dict(facts))))
    measured = {fact["epoch"]: fact["validation"] for fact in learnt if "validation" in fact}
    best = fitted.found["stop_at"]
    assert best == max(measured, key=lambda epoch: (measured[epoch], -epoch))
    _, _, held = to_learn_from(found(), "deep_fm", hold=True)
    hidden = found().hidden.copy()
    hidden[held] = False
    without = replace(taught_on(), candidates=replace(found(), hidden=hidden))
    again, whole = (RECIPES["deep_fm"].fit(train, RUN.with_(stop_at=best)) for train in (without, taught_on()))
    assert np.array_equal(again.inner.item_factors, fitted.inner.item_factors)  # type: ignore[attr-defined]
    assert not np.array_equal(whole.inner.item_factors, fitted.inner.item_factors)  # type: ignore[attr-defined]


def test_the_held_out_users_are_judged_by_ndcg_of_their_candidates() -> None:
    measured: list[float] = []
    fitted = replace(RECIPES["deep_fm"], epochs=1).fit(taught_on(), RUN.with_(
        journal=lambda facts: measured.append(facts["validation"]) if "validation" in facts else None))
    _, _, held = to_learn_from(found(), "deep_fm", hold=True)
    numbers = told(found().scores[held], found().ranks[held], spreads_of(found()))
    queries = asked(taught_on(), found().users[held])
    values = fitted.inner.score_told(queries, found().items[held], numbers)  # type: ignore[attr-defined]
    each = []
    for mine, hidden in zip(values, found().hidden[held], strict=True):
        order = sorted(range(len(mine)), key=lambda at: -mine[at])[:10]
        most = sum(1 / log2(2 + place) for place in range(min(10, hidden.sum())))
        each.append(sum(1 / log2(2 + place) for place, at in enumerate(order) if hidden[at]) / most)
    assert measured == pytest.approx([sum(each) / len(each)])


def test_without_candidates_there_is_nothing_to_learn_from() -> None:
    with pytest.raises(ConfigError, match="wide_deep orders what other models find"):
        RECIPES["wide_deep"].fit(data(), RUN)


def test_it_cannot_be_asked_without_what_a_first_stage_says() -> None:
    fitted: Scorer = RECIPES["wide_deep"].fit(taught_on(), RUN)
    with pytest.raises(ModelError, match="4 numbers of a first stage and got 0"):
        fitted.inner.score(asked(data(), np.arange(2)))  # type: ignore[attr-defined]


def test_who_teaches_nothing_has_no_vector_of_his_own() -> None:
    fitted = RECIPES["deep_fm"].fit(taught_on(), RUN.with_(stop_at=2))
    _, rows, _ = to_learn_from(found(), "deep_fm", hold=False)
    users = np.isin(np.arange(taught_on().n_users), found().users[rows])
    table = fitted.inner.tables[ID]  # type: ignore[attr-defined]
    assert 0 < users.sum() < len(users)
    assert (table[users] != 0).any(axis=1).all()
    assert not table[~users].any()
    items = np.isin(np.arange(taught_on().n_items), found().items[rows])
    untaught = net("deep_fm")
    CandidatePairs("deep_fm", RECIPES["deep_fm"], untaught, taught_on(), RUN, found(), rows)
    (of_items,) = (one.detach().numpy() for inputs, one in zip(untaught.sides.items, untaught.item_tables, strict=True)
                   if inputs.name == ITEM_ID)
    assert 0 < items.sum() < len(items)
    assert (of_items[items] != 0).any(axis=1).all()
    assert not of_items[~items].any()


def test_a_share_of_hard_ones_says_nothing_of_candidates() -> None:
    with pytest.raises(ConfigError, match="all of which are hard"):
        replace(RECIPES["wide_deep"], hard=0.5).fit(taught_on(), RUN)
