"""Year popularity counts the views of the calendar years that a history spans, and of some before."""

from __future__ import annotations

import numpy as np
import pytest

from matinee.contract import Queries
from matinee.data.interactions import Interactions
from matinee.errors import DataError, ModelError
from matinee.models.year_popularity import YearPopularity
from matinee.scoring.by_period import ByPeriod
from tests.models.test_item_knn import dataset
from tests.numerics.logs import random_log
from tests.reference import rules as reference


def years_log(seed: int) -> Interactions:
    """Events from 1968 to 2030, many about New Year; one in twenty has no time, and none of user 4."""
    rng = np.random.default_rng(seed)
    log = random_log(seed, 60, 30, 600, weighted=False)
    times = rng.integers(-60_000_000, 1_900_000_000, len(log))
    eve = np.array([np.datetime64(f"{year}-01-01T00:00:00").astype(int) for year in rng.integers(1990, 2010, len(log))])
    times = np.where(rng.random(len(log)) < 0.5, eve + rng.integers(-86_400, 86_400, len(log)), times)
    times[(rng.random(len(log)) < 0.05) | (log.users == 4)] = 0
    return Interactions.from_events(log.users, log.items, times, n_users=60, n_items=30)


@pytest.mark.parametrize("before", [0, 1, 2, 500])
def test_it_is_its_slow_twin(before: int) -> None:
    log = years_log(2)
    scores = YearPopularity(years_before=before).fit(dataset(log)).score(Queries.of(log))
    np.testing.assert_array_equal(scores, reference.year_popularity(log, before))


def test_a_history_from_before_or_after_the_log_is_answered_from_its_first_or_last_year() -> None:
    day, year = 86_400, 365 * 86_400
    log = Interactions.from_events([0, 1, 2], [0, 1, 2], [40 * year, 41 * year, 42 * year], n_users=3, n_items=3)
    scorer = YearPopularity(years_before=0).fit(dataset(log))

    def ask(*times: int) -> list[float]:
        return scorer.score(Queries.of(Interactions.from_events([0] * len(times), [0] * len(times), times, n_users=1,
                                                                n_items=3)))[0].tolist()

    assert ask(10 * year) == [1, 0, 0]
    assert ask(60 * year) == [0, 0, 1]
    assert ask(40 * year + day, 60 * year) == [1, 1, 1]
    assert ask(41 * year, 0) == [0, 1, 0]


def test_a_log_without_times_is_refused() -> None:
    log = Interactions.from_events([0, 1], [0, 1], n_users=2, n_items=2)
    with pytest.raises(DataError, match="no-times: views by period are asked of a log without times; give the data"):
        YearPopularity().fit(dataset(log))


@pytest.mark.parametrize(("starts", "rows", "before", "said"), [
    ([0, 9], 2, 0, "bad-form: 2 sums for 2 periods, 0 before and 1 after"),
    ([], 1, 0, "bad-form: 1 sums for 0 periods"),
    ([0, 9], 3, -1, "bad-form: 3 sums for 2 periods, -1 before and 1 after"),
    ([9, 9], 3, 0, "bad-form: periods must ascend and their sums be finite"),
])
def test_a_form_that_does_not_fit_together_is_refused(starts: list[int], rows: int, before: int, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        ByPeriod(np.array(starts, np.int64), np.zeros((rows, 4)), before, 1)


def test_sums_that_are_not_finite_are_refused() -> None:
    with pytest.raises(ModelError, match="bad-form: periods must ascend and their sums be finite"):
        ByPeriod(np.array([0]), np.array([[0, 0], [1, np.inf]]), 0, 0)
