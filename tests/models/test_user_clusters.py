"""User clusters: the popularity of the slow twin, and a number of clusters that validation finds once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from matinee.contract import Masks, Queries, Run, Scorer
from matinee.data.columns import Categories, Features
from matinee.data.interactions import Interactions
from matinee.errors import ConfigError, DataError, ModelError
from matinee.models.ease import EASE
from matinee.models.pure_svd import PureSVD
from matinee.models.user_clusters import CLUSTERS, UNASKED, UserKinds
from matinee.ranking.topk import top_k
from matinee.scoring import store
from matinee.scoring.clusters import UserClusters
from tests.models.test_item_knn import dataset
from tests.numerics.logs import random_log
from tests.reference import user_clusters as reference


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("changes", [{"temperature": 0.0}, {"temperature": 0.3}, {"smoothing": 50.0},
                                     {"of": PureSVD(dim=3)}])
def test_scores_are_those_of_the_slow_twin(weighted: bool, changes: dict[str, Any]) -> None:
    log = random_log(41, 60, 40, 500, weighted=weighted)
    made = UserKinds(clusters=5, dim=4, **changes)
    scorer = made.fit(dataset(log), Run(seed=3))
    of_log = scorer.space.vectors(Queries.of(log))
    for asked in (log, random_log(42, 8, 40, 70, weighted=weighted), Interactions.empty(2, 40)):
        want = reference.scores(log, of_log, scorer.space.vectors(Queries.of(asked)), scorer.centres, made.smoothing,
                                made.temperature)
        np.testing.assert_allclose(scorer.score(Queries.of(asked)), want, rtol=1e-4, atol=1e-6)


def genred(log: Interactions) -> Any:
    """Items 0 to 2 are 전쟁, 3 to 5 희극, item 6 half of each, item 7 nothing."""
    rows, names = [0, 1, 2, 3, 4, 5, 6, 6], ["전쟁"] * 3 + ["희극"] * 3 + ["희극", "전쟁"]
    genres = Categories.from_pairs(np.array(rows), names, 8)
    return replace(dataset(log), item_features=Features(8, {"genre": genres}))


def test_genres_tell_kinds_apart() -> None:
    users = np.repeat(np.arange(6), 2)
    log = Interactions.from_events(users, [0, 1, 1, 2, 0, 2, 3, 4, 4, 5, 3, 5], n_users=6, n_items=8)
    scorer = UserKinds(clusters=2, vectors="genre", temperature=0).fit(genred(log))
    vectors = scorer.space.vectors(Queries.of(Interactions.from_events([0, 0], [0, 6], n_users=1, n_items=8)))
    assert vectors.tolist() == [[0.75, 0.25]]
    scores = scorer.score(Queries.of(log))
    assert (scores[:3, :3].min(axis=1) > scores[:3, 3:6].max(axis=1)).all()
    assert (scores[3:, 3:6].min(axis=1) > scores[3:, :3].max(axis=1)).all()


def test_whoever_stands_nowhere_gets_what_all_like() -> None:
    log = random_log(43, 80, 30, 600, weighted=False)
    scorer = UserKinds(clusters=6, dim=4, smoothing=1e-6).fit(dataset(log))
    usual = log.item_counts() / (log.counts > 0).sum()
    np.testing.assert_allclose(scorer.score(Queries.of(Interactions.empty(1, 30)))[0], usual, atol=1e-5)


def test_ranking_is_score_and_top_k() -> None:
    log = random_log(44, 70, 50, 900, weighted=True)
    scorer = UserKinds(clusters=9).fit(dataset(log))
    queries, masks = Queries.of(log, np.arange(70)), Masks(log.indptr, log.items)
    want_items, want = top_k(scorer.score(queries), 8, masks)
    items, best = scorer.top_block(queries, 8, masks)
    assert np.array_equal(items, want_items)
    assert np.array_equal(best, want)


def test_validation_finds_the_number_and_a_later_fit_takes_it(tmp_path: Path) -> None:
    data = dataset(random_log(45, 300, 40, 2_000, weighted=False))
    told: list[Mapping[str, Any]] = []
    seen: list[str] = []

    def judge(scorer: Scorer) -> float:
        assert isinstance(scorer, UserClusters)
        return -abs(len(scorer.centres) - 60)

    run = Run(seed=2, validate=judge, journal=told.append, progress=lambda what, done, total: seen.append(what))
    scorer = UserKinds(dim=4).fit(data, run)
    assert scorer.found == {"stop_at": 50}
    assert [row["clusters"] for row in told] == list(CLUSTERS)
    assert told[2] == {"clusters": 50, "validation": -10}
    assert seen == ["user_clusters"] * len(CLUSTERS)
    again = UserKinds(dim=4).fit(data, Run(seed=2, stop_at=50))
    assert np.array_equal(again.centres, scorer.centres)
    assert again.found == scorer.found
    store.save(scorer, tmp_path / "model", about={})
    assert store.load(tmp_path / "model")[0].found == scorer.found


def test_of_equally_good_numbers_the_smallest_is_taken_and_a_number_given_is_not_tried() -> None:
    data = dataset(random_log(46, 60, 40, 500, weighted=False))
    assert UserKinds(dim=4).fit(data, Run(validate=lambda scorer: 1.0)).found == {"stop_at": CLUSTERS[0]}
    given = UserKinds(dim=4, clusters=7).fit(data, Run(validate=lambda scorer: 1.0, stop_at=9))
    assert (len(given.centres), dict(given.found)) == (7, {})
    alone = UserKinds(dim=4).fit(dataset(random_log(47, 400, 40, 2_000, weighted=False)))
    assert (len(alone.centres), dict(alone.found)) == (UNASKED, {})


def test_there_are_no_more_clusters_than_users() -> None:
    data = dataset(random_log(48, 12, 20, 80, weighted=False))
    assert len(UserKinds(dim=4, clusters=50).fit(data).centres) == np.count_nonzero(data.log.counts)


def test_a_log_where_nobody_stands_anywhere_is_refused() -> None:
    with pytest.raises(DataError, match="no-places: none of 3 users has a place in the space of user_clusters"):
        UserKinds().fit(dataset(Interactions.empty(3, 4)))
    with pytest.raises(DataError, match="no-feature: no categories called 'genre'"):
        UserKinds(vectors="genre").fit(dataset(random_log(49, 9, 8, 30, weighted=False)))
    with pytest.raises(ConfigError, match="no-vectors: a DenseItemItem puts histories nowhere"):
        UserKinds(of=EASE()).fit(dataset(random_log(49, 9, 8, 30, weighted=False)))


@pytest.mark.parametrize(("field", "value", "said"), [
    ("sizes", np.ones(1, np.float32), r"bad-form: 2 centres, 1 sizes, popularity \(2, 6\) of 6 items, temperature 0.1"),
    ("temperature", -1.0, r"bad-form: 2 centres, 2 sizes, popularity \(2, 6\) of 6 items, temperature -1.0"),
    ("popularity", np.full((2, 6), np.nan, np.float32), "bad-form: popularity 0 is nan"),
    ("centres", np.ones((2, 7), np.float32), "bad-form: a space of 2 dimensions for centres of 7"),
])
def test_a_form_that_does_not_fit_together_is_refused(field: str, value: Any, said: str) -> None:
    log = Interactions.from_events([0, 0, 1, 1], [0, 1, 2, 5], n_users=2, n_items=6)
    scorer = UserKinds(clusters=2, dim=2).fit(dataset(log))
    with pytest.raises(ModelError, match=said):
        type(scorer)(**{**vars(scorer), field: value}).score(Queries.of(log))
