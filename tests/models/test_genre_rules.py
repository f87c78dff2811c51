"""Genre popularity and genre quotas: each agrees with its slow twin, and neither falls far behind popularity."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from matinee.contract import Queries, Recommender
from matinee.data.columns import Categories, Features, Numbers
from matinee.data.dataset import Dataset, Facts
from matinee.data.ids import Vocabulary
from matinee.data.interactions import Interactions
from matinee.data.load import load
from matinee.errors import ConfigError, DataError, ModelError
from matinee.experiment.session import stages
from matinee.models.genre_popularity import GenrePopularity
from matinee.models.genre_quota import GenreQuota
from matinee.models.popularity import Popularity
from matinee.scoring.genre_rule import GenreQuotas
from tests.numerics.logs import random_log
from tests.reference import rules as reference

NAMES = ["드라마", "코미디", "액션", "Film-Noir", "Горор", "스릴러"]


def random_genres(seed: int, n_items: int) -> reference.Genres:
    """Up to four genres an item; some items have none."""
    rng = np.random.default_rng(seed)
    return [[NAMES[g] for g in rng.permutation(len(NAMES))[: rng.integers(0, 5)]] for _ in range(n_items)]


def dataset(log: Interactions, genres: reference.Genres | None, *, repeats: bool = False) -> Dataset:
    n = log.n_items
    rows = np.repeat(np.arange(n), [len(mine) for mine in genres or [[]] * n])
    labels = [name for mine in genres or [] for name in mine]
    columns = {} if genres is None else {"genre": Categories.from_pairs(rows, labels, n)}
    return Dataset(log, Vocabulary.of(f"u{u:03}" for u in range(log.n_users)),
                   Vocabulary.of(f"영화{i:03}" for i in range(n)), Features(n, columns), Features(log.n_users),
                   Facts(repeats=repeats))


def orders(recipe: Recommender, data: Dataset) -> NDArray[np.int64]:
    scores = recipe.fit(data).score(Queries.of(data.log))
    return np.argsort(-scores, axis=1, kind="stable")


@pytest.mark.parametrize("weighting", ["normalised", "counts", "tf_idf"])
@pytest.mark.parametrize("weighted", [False, True])
def test_genre_popularity_is_its_slow_twin(weighting: str, weighted: bool) -> None:
    log, genres = random_log(3, 80, 40, 900, weighted=weighted), random_genres(4, 40)
    for n in (1, 2, 3, 9):
        got = orders(GenrePopularity(genres=n, weighting=weighting), dataset(log, genres))
        assert got.tolist() == reference.genre_popularity(log, genres, weighting, n)


@pytest.mark.parametrize("weighting", ["normalised", "counts", "tf_idf"])
@pytest.mark.parametrize("repeats", [False, True])
def test_genre_quota_is_its_slow_twin(weighting: str, repeats: bool) -> None:
    log, genres = random_log(5, 80, 40, 900, weighted=True), random_genres(6, 40)
    for quotas in ((3, 2, 2, 2, 1), (1,), (10,), (1, 1, 1, 1, 1, 1, 1, 1), (2, 30)):
        got = orders(GenreQuota(quotas=quotas, weighting=weighting), dataset(log, genres, repeats=repeats))
        assert got.tolist() == reference.genre_quota(log, genres, weighting, quotas, repeats=repeats)


def test_quotas_are_filled_in_order_and_what_a_genre_lacks_goes_to_the_next() -> None:
    genres = [["가"], ["가"], ["가", "나"], ["나"], ["나"], ["나"], ["다"], [], ["가"]]
    popular = [9, 8, 7, 6, 5, 4, 3, 2]  # item 8 is what the user has seen; two of "가" are left, four of "나"
    events = [(user, item) for item, count in enumerate(popular) for user in range(1, count + 1)]
    users, items = zip(*events, (0, 8), (0, 4), strict=True)
    log = Interactions.from_events(users, items, n_users=10, n_items=9)
    got = orders(GenreQuota(quotas=(4, 1)), dataset(log, genres))[0].tolist()
    #  "가" holds 0, 1, 2 and lacks one: "나" gives 1 + 1; then "나" gives 5 of 4 + 1, and popularity the rest
    assert got == [0, 1, 2, 3, 5, 6, 7, 4, 8]


def test_of_two_equally_popular_items_the_one_chosen_last_fills_a_quota() -> None:
    log = Interactions.from_events([0, 1, 2], [0, 1, 2], [5, 6, 7], n_users=3, n_items=3)
    assert orders(GenreQuota(quotas=(1,)), dataset(log, [["가"], ["가"], ["가"]]))[0].tolist() == [2, 1, 0]


def test_who_has_seen_nothing_with_a_genre_gets_the_most_popular() -> None:
    log, genres = random_log(7, 60, 30, 500, weighted=False), random_genres(8, 30)
    genres[3] = []
    data = dataset(log, genres)
    popular = Popularity().fit(data).item_scores
    for recipe in (GenrePopularity(), GenreQuota()):
        scorer = recipe.fit(data)
        for history in (Interactions.empty(1, 30), Interactions.from_events([0], [3], n_users=1, n_items=30)):
            ranked = popular[np.argsort(-scorer.score(Queries.of(history))[0])]
            left = ranked if recipe == GenrePopularity() or not len(history) else ranked[:-1]
            assert (np.diff(left) <= 0).all()


@pytest.mark.parametrize("recipe", [GenrePopularity(), GenreQuota()])
def test_items_without_genres_are_refused_by_name(recipe: Recommender) -> None:
    log = random_log(9, 20, 10, 60, weighted=False)
    with pytest.raises(DataError, match="no-genres: a rule by genre is asked of items without a column 'genre'; give"):
        recipe.fit(dataset(log, None))
    strange = replace(dataset(log, None), item_features=Features(10, {"genre": Numbers(np.zeros(10))}))
    with pytest.raises(DataError, match="no-feature: no categories called 'genre'"):
        recipe.fit(strange)


def test_items_of_which_none_has_a_genre_leave_popularity() -> None:
    log = random_log(9, 20, 10, 60, weighted=False)
    for recipe in (GenrePopularity(), GenreQuota()):
        scores = recipe.fit(dataset(log, [[]] * 10)).score(Queries.of(Interactions.empty(1, 10)))
        assert int(scores.argmax()) == int(log.item_counts().argmax())


@pytest.mark.parametrize("recipe", [GenrePopularity(), GenrePopularity(weighting="counts"), GenreQuota()])
def test_a_rule_by_genre_finds_at_least_half_of_what_popularity_finds(recipe: Recommender) -> None:
    stage = stages(load("embedded:movietweetings"))["valid"]

    def recall(of: Recommender) -> float:
        return stage.measure(stage.recommend(of.fit(stage.fit), 10), ["recall@10"])[0].value

    assert recall(recipe) >= 0.5 * recall(Popularity())


@pytest.mark.parametrize(("change", "said"), [
    ({"indptr": np.array([0, 2, 1])}, "bad-form: 2 genres with 2 weights do not fit 2 items"),
    ({"indptr": np.array([0, 1])}, "bad-form: 2 genres with 2 weights do not fit 2 items"),
    ({"worth": np.ones(3)}, "bad-form: 2 genres with 3 weights do not fit 2 items"),
    ({"codes": np.array([0, -1], np.int32)}, "bad-form: there is no genre -1"),
    ({"popularity": np.array([1, np.nan], np.float32)}, "an item's popularity is below 0 or not finite"),
    ({"popularity": np.array([1, -1], np.float32)}, "an item's popularity is below 0 or not finite"),
    ({"quotas": ()}, "bad-form: quotas must be at least 1 each; got ()"),
    ({"quotas": (2, 0)}, r"bad-form: quotas must be at least 1 each; got \(2, 0\)"),
])
def test_a_form_that_does_not_fit_together_is_refused(change: dict[str, object], said: str) -> None:
    sound = GenreQuotas(np.array([0, 1, 2]), np.zeros(2, np.int32), np.ones(2), np.ones(2, np.float32), (1,), False)
    with pytest.raises(ModelError, match=said):
        replace(sound, **change)


@pytest.mark.parametrize("quotas", [(), (0, 1), (1001,), (1.5,)])
def test_quotas_that_mean_nothing_are_refused(quotas: tuple[float, ...]) -> None:
    from matinee.config import recipe

    with pytest.raises(ConfigError, match="quotas"):
        recipe("genre_quota", {"quotas": list(quotas)})
