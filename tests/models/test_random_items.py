"""Random lists: seeded, the same for the same history whoever owns it, and even over the catalogue."""

from __future__ import annotations

import numpy as np
import pytest

from matinee.contract import Masks, Queries, Run
from matinee.data.interactions import Interactions
from matinee.errors import ModelError
from matinee.models.random_items import RandomItems
from matinee.ranking.topk import top_k
from matinee.scoring.lookup import Lookup, history_hash
from matinee.testing import planted
from tests.numerics.logs import random_log


def scores(seed: int = 0, **settings: int) -> np.ndarray:
    return RandomItems(**settings).fit(planted().data, Run(seed=seed)).score(planted().queries())


def test_the_seed_decides() -> None:
    np.testing.assert_array_equal(scores(3), scores(3))
    assert not np.array_equal(scores(3), scores(4))


def test_the_set_of_items_decides_the_list_not_order_repeats_or_owner() -> None:
    histories = [[3, 1, 2], [1, 2, 3], [2, 2, 3, 1, 1], [1, 2, 4]]
    users = np.repeat(np.arange(4), [len(items) for items in histories])
    times = np.concatenate([np.arange(len(items)) for items in histories])
    log = Interactions.from_events(users, np.concatenate(histories), times, n_users=4, n_items=48)
    first, second, third, other = RandomItems().fit(planted().data).score(Queries.of(log))
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(first, third)
    assert not np.array_equal(first, other)


def test_histories_spread_evenly_over_the_tables() -> None:
    log = random_log(0, 20_000, 50, 60_000, weighted=False)
    log = log.take(np.flatnonzero(log.counts > 2))
    counts = np.bincount(history_hash(log, 16), minlength=16)
    expected = log.n_users / 16
    assert np.all(np.abs(counts - expected) < 6 * np.sqrt(expected))


def test_every_item_is_offered_about_equally_often() -> None:
    tables = RandomItems(tables=5_000).fit(planted().data, Run(seed=1)).tables
    items, _ = top_k(tables, 10, Masks.none(len(tables)))
    counts = np.bincount(items.ravel(), minlength=48)
    assert np.all(np.abs(counts - items.size / 48) < 6 * np.sqrt(items.size / 48))


@pytest.mark.parametrize("tables", [np.zeros((0, 3), np.float32), np.zeros((2, 3), np.float32)])
def test_a_lookup_of_nothing_or_by_an_unknown_rule_is_refused(tables: np.ndarray) -> None:
    rule = "zodiac" if len(tables) else "history_hash"
    with pytest.raises(ModelError, match=f"bad-form: no rule '{rule}' for {len(tables)} segments; known: history_hash"):
        Lookup(tables, rule)
