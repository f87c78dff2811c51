"""How histories are cut into windows, and windows put into batches."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Literal

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from matinee.contract import Run
from matinee.data.interactions import Interactions
from matinee.nn.windows import dropout, windows

LENGTHS = st.lists(st.integers(0, 23), min_size=1, max_size=12)


def log_of(lengths: list[int]) -> Interactions:
    """User u has items 0, 1, ... in this order; the confidence of an event is its place + 1."""
    events = sum(lengths)
    places = np.concatenate([np.arange(n) for n in lengths] or [[]]).astype(np.int64)
    return Interactions.from_events(np.repeat(np.arange(len(lengths)), lengths), places, np.arange(events),
                                    places + 1.0, n_users=len(lengths), n_items=max([1, *lengths]))


@given(LENGTHS, st.integers(1, 9))
def test_every_event_but_a_users_first_is_a_target_once(lengths: list[int], length: int) -> None:
    made = windows(log_of(lengths), length, "all")
    batch = made.batch(np.arange(len(made)))
    asked = sorted(zip(made.users[batch.owners].tolist(), batch.targets.tolist(), strict=True))
    assert asked == [(user, item) for user, n in enumerate(lengths) for item in range(1, n)]
    assert (batch.weights == batch.targets + 1).all()


@given(LENGTHS, st.integers(1, 9))
def test_the_newest_window_has_the_newest_events(lengths: list[int], length: int) -> None:
    made = windows(log_of(lengths), length, "newest")
    assert made.users.tolist() == [user for user, n in enumerate(lengths) if n > 1]
    batch = made.batch(np.arange(len(made)))
    for row, user in enumerate(made.users):
        own = batch.owners == row
        due = list(range(max(1, lengths[user] - length), lengths[user]))
        assert batch.targets[own].tolist() == due
        read = batch.items[row, : batch.lengths[row]].tolist()
        assert read == [target - 1 for target in due]  # what came right before each
        assert not batch.items[row, batch.lengths[row] :].any()
    flat = batch.items.reshape(-1)[batch.real]
    assert (flat.numpy() + 1 == batch.targets).all()


@given(LENGTHS, st.integers(1, 9), st.integers(1, 5), st.integers(0, 5))
def test_batches_have_every_window_once(lengths: list[int], length: int, size: int, seed: int) -> None:
    made = windows(log_of(lengths), length, "all")
    batches = made.batches(size, np.random.default_rng(seed))
    assert sorted(row for batch in batches for row in batch) == list(range(len(made)))
    assert len(batches) == made.count(size) == len(made.batches(size, np.random.default_rng(seed + 1)))


def test_batches_are_alike_in_length_and_new_each_time() -> None:
    lengths = np.random.default_rng(1).integers(2, 200, 4000).tolist()
    made = windows(log_of(lengths), 200, "newest")
    first, second = (made.batches(64, np.random.default_rng(seed)) for seed in (1, 2))
    padded = sum(made.lengths[rows].max() * len(rows) for rows in first)
    assert padded < 1.1 * made.lengths.sum() < sum(200 * len(rows) for rows in first)
    met = [{frozenset((int(a), int(b))) for rows in batches for a, b in pairwise(rows)}
           for batches in (first, second)]
    assert len(met[0] & met[1]) < 0.2 * len(met[0])  # others meet each time


@pytest.mark.parametrize("rate", [0.2, 0.5])
def test_dropout_keeps_what_is_to_be_expected(rate: float) -> None:
    values = torch.ones(400, 500)
    found = dropout(values, rate, np.random.default_rng(1))
    share = round(rate * 256) / 256
    assert abs(float((found == 0).float().mean()) - share) < 0.005
    assert abs(float(found.mean()) - 1) < 0.01
    assert found.unique().tolist() == pytest.approx([0, 1 / (1 - share)])
    assert dropout(values, rate, None) is values
    assert dropout(values, 0.0, np.random.default_rng(1)) is values


@given(LENGTHS, st.integers(1, 9), st.sampled_from(["newest", "all"]), st.integers(0, 1))
def test_events_that_are_too_old_are_counted_and_told(
    lengths: list[int], length: int, cut: Literal["newest", "all"], ahead: int
) -> None:
    found = windows(log_of(lengths), length, cut, ahead)
    held = {event for first, stop in zip(found.first.tolist(), found.stop.tolist(), strict=True)
            for event in range(first, stop + ahead)}
    events = [event for event, user in enumerate(np.repeat(np.arange(len(lengths)), lengths).tolist())
              if lengths[user] > ahead]
    assert found.older == len(set(events) - held)
    assert cut == "newest" or found.older == 0
    lines: list[Any] = []
    found.tell_unread(Run(journal=lines.append))
    share = found.older / max(1, sum(lengths))
    assert lines == ([{"event": "unread", "share": round(share, 4)}] if share > 0.1 else [])
