"""leave_last, random_ratio, by_time, cold_items and unseen_users on logs small enough to read."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from matinee.errors import ConfigError, DataError
from matinee.split.by_time import ByTime
from matinee.split.cold_items import ColdItems
from matinee.split.leave_last import LeaveLast
from matinee.split.random_ratio import RandomRatio
from matinee.split.unseen_users import UnseenUsers
from tests.split.logs import dataset_of, hidden_of, history_of, steady

DAY = 86400


def test_leave_last_hides_the_newest_and_drops_nobody() -> None:
    lengths = {"one": 1, "two": 2, "three": 3, "six": 6}
    dataset = dataset_of([(user, f"film{at}", at) for user, n in lengths.items() for at in range(n)])
    split = LeaveLast().split(dataset)
    assert hidden_of(dataset, split, "test") == {
        "six": {"film5": "tail"}, "three": {"film2": "tail"}, "two": {"film1": "tail"}}
    assert hidden_of(dataset, split, "valid") == {"six": {"film4": "tail"}, "three": {"film1": "tail"}}
    assert history_of(dataset, split, "test", "six") == ["film0", "film1", "film2", "film3", "film4"]
    assert history_of(dataset, split, "test", "one") == ["film0"]
    assert split.notes["test"]["users_with_nothing_hidden"] == 1
    assert "other users" in split.notes["warnings"][0]


def test_leave_last_of_several() -> None:
    dataset = dataset_of([("u", f"film{at}", at) for at in range(6)] + [("v", "film0", 0), ("v", "film1", 1)])
    split = LeaveLast(valid=2, test=3).split(dataset)
    assert sorted(hidden_of(dataset, split, "test")["u"]) == ["film3", "film4", "film5"]
    assert sorted(hidden_of(dataset, split, "valid")["u"]) == ["film1", "film2"]
    assert "v" not in hidden_of(dataset, split, "test")


@pytest.mark.parametrize(
    ("n", "expected"), [(1, (0, 0)), (2, (0, 1)), (3, (1, 1)), (19, (1, 1)), (20, (2, 2)), (57, (5, 5))])
def test_random_ratio_takes_shares_of_each_user(n: int, expected: tuple[int, int]) -> None:
    dataset = dataset_of([("u", f"film{at:02}", at) for at in range(n)] + steady(2, 10))
    split = RandomRatio().split(dataset)
    assert tuple(len(hidden_of(dataset, split, stage).get("u", {})) for stage in ("valid", "test")) == expected
    assert set(hidden_of(dataset, split, "test")["user0000"].values()) == {"all"}


def test_a_share_is_not_rounded_down_twice() -> None:
    assert 0.29 * 100 < 29  # the nearest double is below
    dataset = dataset_of(steady(1, 100))
    split = RandomRatio(valid=0.29, test=0.29).split(dataset)
    assert [split.notes[stage]["hidden_items"] for stage in ("valid", "test")] == [29, 29]


def test_random_ratio_draws_from_the_whole_history() -> None:
    dataset = dataset_of(steady(1000, 10))
    log, split = dataset.log, RandomRatio().split(dataset)
    positions = (np.arange(len(log)) - np.repeat(log.indptr[:-1], log.counts))[~split.stages["test"].given]
    counts = np.bincount(positions, minlength=10)
    assert counts.sum() == 1000
    assert abs(counts - 100).max() < 50


@pytest.mark.parametrize("protocol", [RandomRatio, ByTime])
def test_shares_must_leave_something(protocol) -> None:
    with pytest.raises(ConfigError, match=r"no-train-part: valid 0\.5 and test 0\.5 leave nothing to learn from"):
        protocol(valid=0.5, test=0.5)


def test_by_time_cuts_everybody_at_the_same_moments() -> None:
    dataset = dataset_of([(f"user{at % 3}", f"film{at:02}", 100 * at) for at in range(20)])
    split = ByTime(valid=0.2, test=0.1).split(dataset)
    assert hidden_of(dataset, split, "valid") == {
        "user0": {"film15": "tail"}, "user1": {"film16": "tail"}, "user2": {"film14": "tail", "film17": "tail"}}
    assert hidden_of(dataset, split, "test") == {"user0": {"film18": "tail"}, "user1": {"film19": "tail"}}
    assert history_of(dataset, split, "test", "user0") == ["film00", "film03", "film06", "film09", "film12", "film15"]
    assert split.notes["cuts"] == {"valid": 1301, "test": 1701}
    assert split.notes["warnings"] == []


def test_by_time_keeps_events_of_one_second_together() -> None:
    dataset = dataset_of([("u", f"film{at}", time) for at, time in enumerate([1, 2, 3, 3, 5, 5, 5, 8, 9, 9])])
    split = ByTime(valid=0.5, test=0.2).split(dataset)
    assert split.notes["cuts"] == {"valid": 4, "test": 9}  # 7 of 10 would cut through second 3
    assert len(split.stages["valid"].truth.items) == 4
    with pytest.raises(DataError, match="nothing-hidden: by_time on 10 events: the test part would be empty"):
        ByTime(valid=0.5, test=0.1).split(dataset)  # the newest two share a second


def test_by_time_takes_days() -> None:
    dataset = dataset_of([("u", f"film{day}", day * DAY + 3600) for day in range(10)])
    split = ByTime(valid=date(1970, 1, 8), test=date(1970, 1, 10)).split(dataset)
    assert sorted(hidden_of(dataset, split, "valid")["u"]) == ["film7", "film8"]
    assert sorted(hidden_of(dataset, split, "test")["u"]) == ["film9"]
    assert (split.settings["valid"], split.settings["test"]) == ("1970-01-08", "1970-01-10")
    with pytest.raises(ConfigError, match=r"bad-dates: valid begins 2015-02-01, test 2015-01-01"):
        ByTime(valid=date(2015, 2, 1), test=date(2015, 1, 1))
    with pytest.raises(ConfigError, match=r"bad-dates: valid is 2015-02-01, test 0\.1; give two shares or two dates"):
        ByTime(valid=date(2015, 2, 1))


def test_by_time_leaves_out_what_a_user_has_again() -> None:
    tenths = [("u", "a", 0), ("u", "b", 10), ("u", "a", 21), ("u", "c", 22), ("u", "c", 31), ("u", "d", 32),
              ("v", "a", 33)]
    rows = [(user, item, time * DAY // 10) for user, item, time in tenths]
    days = {"valid": date(1970, 1, 3), "test": date(1970, 1, 4)}
    dataset = dataset_of(rows)
    split = ByTime(**days).split(dataset)
    assert hidden_of(dataset, split, "valid") == {"u": {"c": "tail"}}
    assert hidden_of(dataset, split, "test") == {"u": {"d": "tail"}, "v": {"a": "tail"}}
    assert split.notes["again_and_left_out"] == {"valid": 1, "test": 1}
    assert split.notes["test"]["users_new_to_fit"] == split.notes["test"]["users_without_history"] == 1
    repeated = dataset_of(rows, repeats=True)
    again = ByTime(**days).split(repeated)
    assert hidden_of(repeated, again, "valid") == {"u": {"a": "tail", "c": "tail"}}
    assert again.notes["again_and_left_out"] == {"valid": 0, "test": 0}


def test_by_time_refits_on_what_came_before_test() -> None:
    dataset = dataset_of([("u", f"film{at:02}", at) for at in range(20)])
    plain, refitted = (ByTime(refit=refit).split(dataset).stages["test"] for refit in (False, True))
    assert (plain.fit.sum(), plain.given.sum()) == (16, 18)
    assert np.array_equal(refitted.fit, plain.given)


def test_by_time_needs_times() -> None:
    with pytest.raises(DataError, match="no-times: all 2 events have the time 0; by_time needs times"):
        ByTime().split(dataset_of([("u", "a", 0), ("v", "b", 0)]))


def test_cold_items_are_hidden_whole() -> None:
    dataset = dataset_of(steady(40, 25))
    log = dataset.log
    split = ColdItems(valid=0.2, test=0.4).split(dataset)
    items = {name: set(stage.truth.items.tolist()) for name, stage in split.stages.items()}
    assert (len(items["valid"]), len(items["test"])) == (
        int(0.2 * dataset.n_items + 1e-9), int(0.4 * dataset.n_items + 1e-9))
    assert not items["valid"] & items["test"]
    for name, stage in split.stages.items():
        assert not items[name] & set(log.items[stage.fit].tolist())
        assert not items[name] & set(log.items[stage.given].tolist())
        assert len(stage.truth.items) == np.isin(log.items, list(items[name])).sum()
    assert split.notes["test"]["cold_items"] == len(items["test"])
    assert items["valid"] <= set(log.items[split.stages["test"].given].tolist())
    assert not items["valid"] & set(log.items[split.stages["test"].fit].tolist())
    refitted = ColdItems(valid=0.2, test=0.4, refit=True).split(dataset).stages["test"]
    assert items["valid"] <= set(log.items[refitted.fit].tolist())
    assert ColdItems(valid=0.2, test=0.4, seed=1).split(dataset).hash != split.hash


def test_an_item_that_too_few_had_is_not_drawn_as_cold() -> None:
    dataset = dataset_of(steady(40, 25) + [("u", "rare", 99)])
    for seed in range(5):
        split = ColdItems(valid=0.4, test=0.5, least=2, seed=seed).split(dataset)
        assert all("rare" not in hidden_of(dataset, split, stage).get("u", {}) for stage in ("valid", "test"))
    with pytest.raises(ConfigError, match="no-train-part"):
        ColdItems(valid=0.5, test=0.5)


def test_unseen_users_are_not_learned_from() -> None:
    dataset = dataset_of([*steady(30, 12), ("short", "film001", 1)])
    split = UnseenUsers(valid_users=5, test_users=0.2, targets=0.2).split(dataset)
    users = dataset.log.users
    test, valid = (set(split.stages[stage].truth.users.tolist()) for stage in ("test", "valid"))
    assert (len(test), len(valid)) == (6, 5)
    assert not test & valid
    fit = split.stages["test"].fit
    assert set(users[fit].tolist()) == set(range(dataset.n_users)) - test - valid
    for stage, held_out in (("valid", valid), ("test", test)):
        hidden = hidden_of(dataset, split, stage)
        assert {len(items) for items in hidden.values()} == {2}  # floor(0.2 x 12)
        asked = np.bincount(users[split.stages[stage].given], minlength=dataset.n_users)
        assert {int(asked[user]) for user in held_out} == {10}
        assert split.notes[stage]["users_new_to_fit"] == len(held_out)
    assert np.bincount(users[split.stages["valid"].given], minlength=dataset.n_users)[list(test)].sum() == 0
    refitted = UnseenUsers(valid_users=5, test_users=0.2, refit=True).split(dataset).stages["test"]
    assert set(users[refitted.fit].tolist()) == set(range(dataset.n_users)) - test


def test_unseen_users_with_short_histories_have_nothing_hidden() -> None:
    dataset = dataset_of([(f"user{n}", f"film{at}", at) for n in range(10) for at in range(4 if n % 2 else 5)])
    split = UnseenUsers(valid_users=4, test_users=4).split(dataset)
    assert split.notes["held_out_users"] == {"valid": 4, "test": 4}
    assert {len(items) for items in hidden_of(dataset, split, "test").values()} == {1}
    assert len(split.stages["test"].truth) < 4


def test_nothing_may_be_left_of_unseen_users() -> None:
    dataset = dataset_of(steady(30, 12))
    split = UnseenUsers(valid_users=5, test_users=6, targets=1.0).split(dataset)
    for stage, users in (("valid", 5), ("test", 6)):
        assert [len(items) for items in hidden_of(dataset, split, stage).values()] == [12] * users
        assert split.notes[stage]["users_without_history"] == users


def test_holding_out_everybody_is_refused() -> None:
    with pytest.raises(DataError, match="too-few-users: 3 valid and 2 test users of 5 leave nobody to learn from"):
        UnseenUsers(valid_users=3, test_users=2).split(dataset_of(steady(5, 10)))


def test_users_without_any_event_are_not_counted() -> None:
    dataset = dataset_of([*steady(3, 10), ("gone", "film001", 1)])
    gone = dataset.users.find("gone")
    split = RandomRatio().split(dataset.with_log(dataset.log.select(dataset.log.users != gone)))
    assert split.notes["test"]["users_with_nothing_hidden"] == 0


def test_cold_hidden_items_are_counted() -> None:
    dataset = dataset_of([("u", "a", 1), ("u", "b", 2), ("u", "new", 3), ("v", "a", 1), ("v", "b", 2), ("v", "new", 3)])
    notes = LeaveLast().split(dataset).notes
    assert (notes["test"]["cold_hidden_items"], notes["test"]["cold_items"]) == (2, 1)
    assert (notes["valid"]["cold_hidden_items"], notes["valid"]["cold_items"]) == (2, 1)
