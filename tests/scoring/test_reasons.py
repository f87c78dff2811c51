"""What each item of a history adds to a score: exact sums, for every form that can say, through every confidence."""

from __future__ import annotations

import numpy as np
import pytest

from matinee.contract import AdditiveScorer, Queries, Scorer
from matinee.data.interactions import Interactions
from matinee.errors import ModelError
from matinee.models.als import ALS
from matinee.scoring.blend import Blend
from matinee.scoring.constant import Constant
from matinee.scoring.history_factors import HistoryFactors
from matinee.scoring.item_item import DenseItemItem, SparseItemItem
from matinee.scoring.reasons import parts, reasons
from matinee.scoring.weighted import Weighted
from matinee.scoring.weighted_history import WeightedHistory
from tests.models.test_item_knn import dataset
from tests.numerics.logs import random_log

U, I = 40, 30
LOG = random_log(8, U, I, 500, weighted=True)
ALL = np.arange(I, dtype=np.int32)


def dense() -> DenseItemItem:
    return DenseItemItem(np.random.default_rng(1).normal(size=(I, I)).astype(np.float32))


def forms() -> dict[str, Scorer]:
    rng = np.random.default_rng(2)
    tables = [rng.normal(size=(I, 4)).astype(np.float32) for _ in range(2)]
    targets = np.sort(rng.permuted(np.tile(ALL, (I, 1)), axis=1)[:, :5], axis=1).reshape(-1)
    sparse = SparseItemItem(np.arange(0, 5 * I + 1, 5), targets, rng.normal(size=5 * I).astype(np.float32))
    return {
        "dense": dense(),
        "sparse": sparse,
        "history": HistoryFactors(*tables, rng.normal(size=I).astype(np.float32), 0.4),
        "fold-in": ALS(dim=5, epochs=3).fit(dataset(LOG)),
        "weighted": Weighted(dense(), "time", {}, {}),
        "newest": WeightedHistory(sparse, 0.8, 4, np.zeros(1, np.float32), "days"),
    }


def one(user: int) -> Queries:
    return Queries.of(LOG.take(np.array([user])))


@pytest.mark.parametrize("name", forms())
def test_parts_and_what_nobody_gets_sum_to_the_score(name: str) -> None:
    form = forms()[name]
    nobody = form.score(Queries.of(Interactions.empty(1, I)))[0]
    for user in range(U):
        said, added = parts(form, one(user), ALL)
        score = form.score(one(user))[0]
        np.testing.assert_allclose(nobody + added.sum(axis=0), score, atol=1e-4 * max(1, np.abs(score).max()))
        mine = np.unique(LOG.take(np.array([user])).items)
        assert set(said.tolist()) <= set(mine.tolist()) if name == "newest" else np.array_equal(said, mine)
        assert added.shape == (len(said), I)
        np.testing.assert_array_equal(parts(form, one(user), ALL[[7, 3]])[1], added[:, [7, 3]])


@pytest.mark.parametrize("name", ["dense", "sparse", "history"])
def test_a_part_is_what_the_item_alone_would_have_added(name: str) -> None:
    """Where items do not speak through each other: with a history's length held, its items are asked one by one."""
    form = forms()[name]
    assert isinstance(form, AdditiveScorer)
    said, added = form.parts(one(3), ALL)
    nobody = form.score(Queries.of(Interactions.empty(1, I)))[0]
    shrunk = len(said) ** -0.4 if name == "history" else 1.0
    history = one(3).history.matrix()
    for item, value, part in zip(said, history.data, added, strict=True):
        alone = Queries.of(Interactions.from_events([0], [item], values=[value], n_users=1, n_items=I))
        np.testing.assert_allclose(part, (form.score(alone)[0] - nobody) * shrunk, rtol=1e-4, atol=1e-5)


def test_reasons_are_the_loudest_and_their_shares_are_of_what_speaks_for_an_item() -> None:
    weights = np.zeros((I, I), np.float32)
    weights[[1, 2, 3, 4, 5], 20] = [1, 3, -8, 4, 3]
    weights[1, 21] = -1
    history = Queries.of(Interactions.from_events(np.zeros(5), [5, 4, 3, 2, 1], n_users=1, n_items=I))
    first, second = reasons(DenseItemItem(weights), history, np.array([20, 21], np.int32), 3)
    assert [reason.item for reason in first] == [4, 2, 5]  # 2 and 5 say the same: the smaller id first
    assert [reason.share for reason in first] == pytest.approx([4 / 11, 3 / 11, 3 / 11])
    assert second == []


def test_nobody_has_no_reasons() -> None:
    for form in forms().values():
        assert reasons(form, Queries.of(Interactions.empty(1, I)), ALL[:2], 3) == [[], []]


def test_a_form_that_cannot_say_is_refused_by_name() -> None:
    constant = Constant(np.zeros(I, np.float32))
    blend = Blend((constant, dense()), np.ones(2, np.float32), "z_score", "sum")
    for form, name in ((constant, "Constant"), (blend, "Blend"), (Weighted(constant, "time", {}, {}), "Constant")):
        with pytest.raises(ModelError, match=f"no-reasons: a score of the form {name} is no sum over the history"):
            parts(form, one(0), ALL)
