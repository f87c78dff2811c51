"""User profiles against dictionaries, and what they are for: films that nobody has touched."""

from __future__ import annotations

import numpy as np
import pytest

from matinee.contract import Queries, Run
from matinee.data.columns import Categories, Features, Numbers, Texts
from matinee.data.dataset import Dataset
from matinee.data.ids import Vocabulary
from matinee.data.interactions import Interactions
from matinee.errors import DataError
from matinee.models.user_profile import USUAL, UserProfile
from matinee.testing import planted
from tests.reference import profile as slow

TOY = planted()
NOTHING = dict.fromkeys(USUAL, 0.0)

FILMS = [
    ("살인의 추억", "봉준호", "스릴러", 2003),
    ("괴물", "봉준호", "스릴러", 2006),
    ("마더", "봉준호", "드라마", 2009),
    ("엽기적인 그녀", "곽재용", "코미디", 2001),
    ("클래식", "곽재용", "멜로", 2003),
    ("설국열차", "봉준호", "SF", 2013),  # nobody has seen this one and the next
    ("사이보그 그녀", "곽재용", "SF", 2013),
]


def films(**columns):
    titles, directors, genres, years = zip(*FILMS, strict=True)
    n = len(FILMS)
    known = {"title": Texts(titles), "director": Categories.from_pairs(np.arange(n), list(directors), n),
             "genre": Categories.from_pairs(np.arange(n), list(genres), n), "year": Numbers(np.array(years, float))}
    known = {name: column for name, column in {**known, **columns}.items() if column is not None}
    log = Interactions.from_events([0, 0, 1, 1, 2, 2], [0, 1, 3, 4, 1, 2], [1, 2, 1, 2, 1, 2], n_users=3, n_items=n)
    return Dataset(log, Vocabulary.of("가나다"), Vocabulary.of(map(str, range(n))), Features(n, known), Features(3))


def by_hand(data, recipe):
    """Without the column of the log."""
    items = data.item_features
    labels = {name: [items.categories(name).labels(row) for row in range(items.n)] for name in ("genre", "director")}
    labels["title"] = [title.split() for title in items.texts("title").values]
    labels["era"] = [[] if np.isnan(year) else [year // 10] for year in items.numbers("year").values]
    weights = {name: getattr(recipe, name) for name in labels}
    vectors = slow.side_by_side({name: slow.block(of_items) for name, of_items in labels.items()}, weights)
    views = np.log1p(data.log.item_counts())
    length = np.sqrt(sum(weight**2 for weight in weights.values()))
    scores = []
    for history, confidences in zip(*[np.split(array, data.log.indptr[1:-1]) for array in
                                      (data.log.items, data.log.values)], strict=True):
        cosines = slow.scores(vectors, history.tolist(), confidences.tolist(), [0.0] * items.n)
        lengths = [np.sqrt(sum(x**2 for x in vector.values())) for vector in vectors]
        scores.append(np.array(cosines) * lengths / length + recipe.popularity * views / views.max())
    return np.array(scores)


def test_scores_are_those_of_the_slow_twin():
    recipe = UserProfile(genre=1.0, director=0.5, writer=0.0, era=0.25, title=2.0, interactions=0.0, popularity=0.3)
    data = films(year=Numbers(np.array([2003, 2006, 2009, 2001, np.nan, 2013, 2013.0])))
    data = data.with_log(data.log.with_values(np.array([1, 2, 1, 1, 3, 1], np.float32)))
    queries = Queries.of(data.log)
    np.testing.assert_allclose(recipe.fit(data).score(queries), by_hand(data, recipe), atol=1e-6)


def test_a_film_that_nobody_has_touched_is_found_by_its_director():
    scores = UserProfile().fit(films()).score(Queries.of(films().log))
    assert scores[0, 5] > scores[0, 6]  # two of 봉준호 seen: 설국열차 before 사이보그 그녀
    assert scores[1, 6] > scores[1, 5]  # two of 곽재용
    assert min(scores[0, 5], scores[1, 6]) > 0


def test_a_film_of_a_known_genre_is_found_without_directors():
    data = films(director=None, year=None, title=None,
                 genre=Categories.from_pairs(np.arange(7), ["A", "A", "A", "B", "B", "A", "B"], 7))
    scores = UserProfile().fit(data).score(Queries.of(data.log))
    assert scores[0, 5] > scores[0, 6] == 0
    assert scores[1, 6] > scores[1, 5] == 0


def test_the_column_of_the_log_is_as_near_as_the_users_are():
    """With all directions of the log the dense part of two items is the cosine of their columns."""
    scorer = UserProfile(**NOTHING, dim=40, popularity=0.0).fit(TOY.data)
    X = TOY.data.log.matrix().toarray().astype(float)
    wanted = X.T @ X / np.outer(np.linalg.norm(X, axis=0), np.linalg.norm(X, axis=0))
    whole = UserProfile(**NOTHING, dim=48, popularity=0.0).fit(TOY.data)
    np.testing.assert_allclose(whole.dense @ whole.dense.T, wanted, atol=1e-4)
    assert scorer.dense.shape == (48, 40)


def test_popularity_adds_to_the_most_popular_item_what_it_says():
    plain, more = (UserProfile(popularity=by).fit(TOY.data) for by in (0.0, 0.7))
    counts = TOY.data.log.item_counts()
    np.testing.assert_allclose(more.bonus, 0.7 * np.log1p(counts) / np.log1p(counts.max()), rtol=1e-6)
    assert not plain.bonus.any()


def test_with_a_half_life_the_newest_film_counts_most():
    log = Interactions.from_events([0, 0], [0, 3], [0, 86_400 * 30], n_users=1, n_items=7)
    even, fresh = (UserProfile(half_life_days=days).fit(films()).score(Queries.of(log))[0] for days in (None, 1.0))
    assert even[4] - even[2] < fresh[4] - fresh[2]  # 곽재용 was the newer one


def test_a_block_that_is_asked_for_needs_its_column_and_one_that_is_not_does_not():
    data = films(director=None)
    assert np.isfinite(UserProfile().fit(data).score(Queries.of(data.log))).all()
    with pytest.raises(DataError, match=r"no-feature: user_profile is to weigh director by 0\.2, and no item .*`side`"):
        UserProfile(director=0.2).fit(data)
    assert UserProfile(director=0.0).fit(data).n_items == 7


def test_with_nothing_to_compare_by_the_fit_is_refused():
    data = films(director=None, genre=None, year=None, title=None)
    with pytest.raises(DataError, match=r"no-blocks: .*nothing to compare items by.*`side`, or weigh `interactions`"):
        UserProfile(interactions=0.0).fit(data)
    assert UserProfile().fit(data).n_features == 0


def test_a_model_without_the_log_draws_nothing():
    one, two = (UserProfile(interactions=0.0).fit(TOY.data, Run(seed=seed)) for seed in (1, 2))
    np.testing.assert_array_equal(one.score(TOY.queries()), two.score(TOY.queries()))
