"""What is true of every split of every log."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matinee.data.dataset import Dataset
from matinee.errors import DataError
from matinee.split import PROTOCOLS
from matinee.split.by_time import ByTime
from matinee.split.cold_items import ColdItems
from matinee.split.gap_and_tail import GapAndTail
from matinee.split.leave_last import LeaveLast
from matinee.split.parts import Split
from matinee.split.protocol import Protocol
from matinee.split.random_ratio import RandomRatio
from matinee.split.unseen_users import UnseenUsers
from tests.reference import splits as reference
from tests.split.logs import Row, dataset_of, hidden_of

USERS, ITEMS = ["u1", "10", "9", "민지", "é", "u 2"], [f"film {n}" for n in range(12)] + ["기생충"]

rows_of_logs = st.lists(
    st.tuples(st.sampled_from(USERS), st.sampled_from(ITEMS), st.integers(-5, 40)), min_size=1, max_size=120
)
protocols = st.one_of(
    st.builds(GapAndTail, seed=st.integers(0, 3), fraction=st.sampled_from([0.1, 0.28, 0.5]),
              most_hidden=st.integers(2, 5), tail=st.sampled_from([0.0, 0.28, 0.5, 1.0]), refit=st.booleans()),
    st.builds(GapAndTail, seed=st.integers(0, 3), preset=st.just("fixed10")),
    st.builds(GapAndTail, preset=st.just("global_time"), fraction=st.sampled_from([0.1, 0.9])),
    st.builds(LeaveLast, valid=st.integers(1, 3), test=st.integers(1, 3), refit=st.booleans()),
    st.builds(RandomRatio, seed=st.integers(0, 3), valid=st.sampled_from([0.1, 0.3]), refit=st.booleans()),
    st.builds(ColdItems, seed=st.integers(0, 3), valid=st.sampled_from([0.1, 0.3]), refit=st.booleans()),
    st.builds(ByTime, valid=st.sampled_from([0.1, 0.3]), test=st.sampled_from([0.1, 0.3]), refit=st.booleans()),
    st.builds(UnseenUsers, seed=st.integers(0, 3), valid_users=st.sampled_from([1, 0.3]), test_users=st.just(1),
              targets=st.sampled_from([0.2, 0.5]), refit=st.booleans()),
)
checked = settings(max_examples=50, deadline=None)


def split_or_none(protocol: Protocol, dataset: Dataset) -> Split | None:
    """None where the log is too small for this protocol, which must be said and not met by an empty part."""
    try:
        return protocol.split(dataset)
    except DataError as error:
        if error.code in {"nothing-hidden", "nothing-left", "no-times", "too-few-users"}:
            return None
        raise


def hidden_events(dataset: Dataset, split: Split, stage: str) -> np.ndarray:
    """(E,) events on items that the stage hides of their user."""
    truth = split.stages[stage].truth
    pairs = np.repeat(truth.users, truth.counts) * dataset.n_items + truth.items
    return np.isin(dataset.log.users * dataset.n_items + dataset.log.items, pairs)


@checked
@given(rows_of_logs, protocols, st.booleans())
def test_stages_are_disjoint_and_truth_is_sorted(rows: list[Row], protocol: Protocol, repeats: bool) -> None:
    dataset = dataset_of(rows, repeats=repeats)
    split = split_or_none(protocol, dataset)
    if split is None:
        return
    valid, test = split.stages["valid"], split.stages["test"]
    assert not (valid.fit & ~valid.given).any() or isinstance(protocol, UnseenUsers)
    assert not (test.fit & ~test.given).any()
    assert not (valid.fit & ~test.fit).any()
    assert np.array_equal(test.fit, test.given if protocol.refit else valid.fit) or isinstance(protocol, UnseenUsers)
    if not isinstance(protocol, ByTime):
        assert split.notes["valid"]["users_without_history"] == split.notes["test"]["users_without_history"] == 0
    for name, stage in split.stages.items():
        truth = stage.truth
        assert len(truth) > 0
        assert (np.diff(truth.users) > 0).all()
        assert (truth.counts > 0).all()
        assert truth.indptr[-1] == len(truth.items) == len(truth.parts)
        for at in range(len(truth)):
            assert (np.diff(truth.items[truth.indptr[at] : truth.indptr[at + 1]]) > 0).all()
        if not repeats:
            hidden = hidden_events(dataset, split, name)
            assert not (hidden & (stage.fit | stage.given)).any()
            assert not (hidden_events(dataset, split, "test") & split.stages["valid"].given).any()
        else:
            assert (~stage.given).sum() >= len(truth.items)


@checked
@given(rows_of_logs, protocols, st.booleans())
def test_every_event_is_learned_from_or_hidden_once(rows: list[Row], protocol: Protocol, repeats: bool) -> None:
    if isinstance(protocol, UnseenUsers | ByTime):
        return  # the first keeps whole users apart, the second counts what it leaves out
    dataset = dataset_of(rows, repeats=repeats)
    split = split_or_none(protocol, dataset)
    if split is None:
        return
    valid, test = split.stages["valid"], split.stages["test"]
    hidden_in_test = ~test.given
    hidden_in_valid = test.given & ~valid.fit
    assert (valid.fit.astype(int) + hidden_in_valid + hidden_in_test == 1).all()
    if not repeats:
        assert np.array_equal(hidden_in_test, hidden_events(dataset, split, "test"))
        assert np.array_equal(hidden_in_valid, hidden_events(dataset, split, "valid"))


@checked
@given(rows_of_logs, st.integers(0, 9), st.sampled_from([0.1, 0.35, 0.5]), st.integers(2, 6),
       st.sampled_from([0.0, 0.28, 0.5, 1.0]), st.booleans())
def test_gap_and_tail_is_the_obvious_one(
    rows: list[Row], seed: int, fraction: float, most_hidden: int, tail: float, repeats: bool
) -> None:
    rows = list(dict.fromkeys(rows))  # the loops cannot tell two equal rows apart
    dataset = dataset_of(rows, repeats=repeats)
    settings_ = {"seed": seed, "fraction": fraction, "most_hidden": most_hidden, "tail": tail}
    split = split_or_none(GapAndTail(**settings_), dataset)
    expected = reference.gap_and_tail(rows, **settings_, repeats=repeats)
    if split is None:
        assert not expected["valid"] or not expected["test"]
        return
    assert {stage: hidden_of(dataset, split, stage) for stage in split.stages} == expected


@checked
@given(rows_of_logs, st.integers(1, 3), st.integers(1, 3))
def test_leave_last_is_the_obvious_one(rows: list[Row], valid: int, test: int) -> None:
    dataset = dataset_of(rows)
    split = split_or_none(LeaveLast(valid=valid, test=test), dataset)
    expected = reference.leave_last(rows, valid=valid, test=test)
    if split is None:
        assert not expected["valid"] or not expected["test"]
        return
    assert {stage: hidden_of(dataset, split, stage) for stage in split.stages} == expected


@checked
@given(rows_of_logs, protocols, st.randoms(use_true_random=False), st.booleans())
def test_the_order_of_rows_does_not_matter(rows: list[Row], protocol: Protocol, random, repeats: bool) -> None:
    """Where no two events of a user share a time; among equal times the order of the file decides what is newest."""
    rows = list({(user, time): (user, item, time) for user, item, time in rows}.values())
    shuffled = list(rows)
    random.shuffle(shuffled)
    one, other = (split_or_none(protocol, dataset_of(each, repeats=repeats)) for each in (rows, shuffled))
    assert (one and one.hash) == (other and other.hash)


@checked
@given(rows_of_logs, st.integers(0, 3), st.randoms(use_true_random=False))
def test_random_draws_ignore_the_order_of_equal_times(rows: list[Row], seed: int, random) -> None:
    rows = list(dict.fromkeys((user, item, 0) for user, item, _ in rows))
    shuffled = list(rows)
    random.shuffle(shuffled)
    for protocol in (RandomRatio(seed=seed), UnseenUsers(seed=seed, valid_users=1, test_users=1, targets=0.5),
                     GapAndTail(seed=seed, tail=0.0)):
        hidden = []
        for each in (rows, shuffled):
            dataset = dataset_of(each)
            split = split_or_none(protocol, dataset)
            hidden.append(split and {stage: hidden_of(dataset, split, stage) for stage in split.stages})
        assert hidden[0] == hidden[1]


@checked
@given(rows_of_logs, st.sampled_from([GapAndTail(), GapAndTail(preset="fixed10"), LeaveLast(), RandomRatio(seed=2)]),
       st.sampled_from(["", "zzz", "새 사람"]))
def test_another_user_changes_nobody_elses_split(rows: list[Row], protocol: Protocol, name: str) -> None:
    name = name or "0"
    others = [(name, f"0 another film {n}", n) for n in range(30)]
    hidden = []
    for each in (rows, others + rows):
        dataset = dataset_of(each)
        split = split_or_none(protocol, dataset)
        if split is None:
            return
        hidden.append({stage: hidden_of(dataset, split, stage) for stage in split.stages})
    for stage in hidden[1].values():
        stage.pop(name)
    assert hidden[0] == hidden[1]


@checked
@given(rows_of_logs, st.builds(ByTime, valid=st.sampled_from([0.1, 0.3]), test=st.sampled_from([0.1, 0.3])),
       st.booleans())
def test_by_time_learns_nothing_younger_than_what_it_hides(rows: list[Row], protocol: Protocol, repeats: bool) -> None:
    dataset = dataset_of(rows, repeats=repeats)
    split = split_or_none(protocol, dataset)
    if split is None:
        return
    times = dataset.log.times
    cuts = split.notes["cuts"]
    for name, stage in split.stages.items():
        assert times[stage.fit].max() < times[stage.given].max() + 1 <= cuts[name]
        begin, end = cuts[name], cuts["test"] if name == "valid" else 10**6
        expected: dict[str, set[str]] = {}
        for user, item, time in rows:
            had = any(u == user and i == item and t < begin for u, i, t in rows)
            if begin <= time < end and (repeats or not had):
                expected.setdefault(user, set()).add(item)
        assert {user: set(items) for user, items in hidden_of(dataset, split, name).items()} == expected


def test_each_protocol_is_covered() -> None:
    covered = {GapAndTail, LeaveLast, RandomRatio, ByTime, UnseenUsers, ColdItems}
    assert {name for name, kind in PROTOCOLS.items() if kind not in covered} == {"given"}


@pytest.mark.parametrize("protocol", [GapAndTail(), RandomRatio(), UnseenUsers(valid_users=1, test_users=2)],
                         ids=lambda protocol: type(protocol).__name__)
def test_the_seed_is_real(protocol: Protocol) -> None:
    from dataclasses import replace

    rows = [(user, item, at) for user in USERS for at, item in enumerate(ITEMS)]
    dataset = dataset_of(rows)
    hashes = [replace(protocol, seed=seed).split(dataset).hash for seed in (0, 0, 1)]
    assert hashes[0] == hashes[1] != hashes[2]
