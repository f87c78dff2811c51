"""Popularity counts users, not events, and ages from the newest event of the log."""

from __future__ import annotations

import numpy as np
import pytest

from matinee.contract import Queries
from matinee.data.columns import Features
from matinee.data.dataset import Dataset
from matinee.data.ids import Vocabulary
from matinee.data.interactions import Interactions
from matinee.errors import DataError
from matinee.models.popularity import Popularity

DAY = 86_400


def dataset(events: list[tuple[int, int, float]], n_users: int = 4, n_items: int = 4) -> Dataset:
    """events: (user, item, day)."""
    users, items, days = (np.array(column) for column in zip(*events, strict=True))
    log = Interactions.from_events(users, items, (days * DAY).astype(np.int64), n_users=n_users, n_items=n_items)
    return Dataset(log, Vocabulary.of(f"사용자{n}" for n in range(n_users)), Vocabulary.of("가나다라마바"[:n_items]),
                   Features(n_items), Features(n_users))


def scores(data: Dataset, **settings: float) -> list[float]:
    scorer = Popularity(**settings).fit(data)
    return scorer.score(Queries.of(data.log.take(np.array([0]))))[0].tolist()


def test_a_user_who_comes_back_counts_once() -> None:
    data = dataset([(0, 0, 1), (0, 0, 2), (0, 0, 3), (1, 1, 1), (2, 1, 1), (3, 2, 9)])
    assert scores(data) == [1, 2, 1, 0]


def test_a_window_counts_the_days_before_the_newest_event_of_the_log() -> None:
    data = dataset([(0, 0, 70), (1, 0, 91), (2, 1, 90), (3, 2, 100), (0, 1, 99)])
    assert scores(data, window_days=10) == [1, 1, 1, 0]
    assert scores(data, window_days=10.5) == [1, 2, 1, 0]


def test_a_half_life_halves_the_newest_event_of_each_user() -> None:
    data = dataset([(0, 0, 80), (0, 0, 90), (1, 0, 100), (2, 1, 85), (3, 2, 70)])
    assert scores(data, half_life_days=10) == pytest.approx([1.5, 0.5**1.5, 0.125, 0])


def test_window_and_half_life_work_together() -> None:
    data = dataset([(0, 0, 80), (1, 0, 100), (2, 1, 85)])
    assert scores(data, half_life_days=10, window_days=16) == pytest.approx([1, 0.5**1.5, 0, 0])


@pytest.mark.parametrize("settings", [{"window_days": 3}, {"half_life_days": 3}])
def test_a_log_without_times_has_no_popularity_of_a_time(settings: dict[str, float]) -> None:
    data = dataset([(0, 0, 0), (1, 1, 0)])
    assert scores(data) == [1, 1, 0, 0]
    with pytest.raises(DataError, match="no-times: popularity of a time is asked of a log without times; leave"):
        Popularity(**settings).fit(data)
