"""Splits of real logs: one that is published line by line, and one of each protocol."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

import numpy as np
import pytest

from matinee.data.load import load
from matinee.split import PROTOCOLS
from matinee.split.leave_last import LeaveLast
from matinee.split.unseen_users import UnseenUsers
from tests.paths import data_folder

MOVIES = "ml-1m"


def test_leave_last_is_the_published_next_item_split_of_ml_1m() -> None:
    """Also the same with the item filter repeated until nothing changes: no user falls below anything."""
    dataset = load(data_folder(MOVIES), min_item_events=5)
    assert (dataset.n_users, dataset.n_items, len(dataset.log)) == (6040, 3416, 999_611)
    split = LeaveLast().split(dataset)
    items = {stage: split.stages[stage].truth.items for stage in ("valid", "test")}
    for stage in split.stages.values():
        assert np.array_equal(stage.truth.users, np.arange(6040))
        assert (stage.truth.counts == 1).all()
    valid, test = (dataset.items.decode(items[stage]).to_list() for stage in ("valid", "test"))
    rows = sorted((int(user), a, b) for user, a, b in zip(dataset.users.series.to_list(), valid, test, strict=True))
    text = "".join(f"{user} {a} {b}\n" for user, a, b in rows)
    assert text.startswith("1 1907 48\n")
    assert sha256(text.encode()).hexdigest() == "b224dfec6f17a708ef10398ffc813654aa639ee5e40474cee3bbf33a15c0c17f"
    assert any("other users" in warning for warning in split.notes["warnings"])


@pytest.mark.parametrize("name", sorted(set(PROTOCOLS) - {"given"}))
def test_every_protocol_splits_movietweetings(name: str) -> None:
    dataset = load(data_folder("movietweetings"), min_user_events=5, min_item_events=5, duplicates="last")
    protocol = PROTOCOLS[name]()
    split = protocol.split(dataset)
    valid, test = split.stages["valid"], split.stages["test"]
    assert split.hash == replace(protocol).split(dataset).hash
    assert valid.fit.sum() > 0.5 * len(dataset.log)
    assert len(test.truth.items) > 100
    assert len(valid.truth.items) > 100
    for stage in split.stages.values():
        truth = stage.truth
        pairs = np.repeat(truth.users, truth.counts) * dataset.n_items + truth.items
        known = dataset.log.users * dataset.n_items + dataset.log.items
        assert not np.isin(known[stage.fit | stage.given], pairs).any()
    if name == "by_time":
        assert dataset.log.times[valid.fit].max() < dataset.log.times[~test.given].min()
    if isinstance(protocol, UnseenUsers):
        learned = set(dataset.log.users[test.fit].tolist())
        assert not learned & set(test.truth.users.tolist())
