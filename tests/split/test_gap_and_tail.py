"""How much of each user is hidden, where, and what the presets make of it."""

from __future__ import annotations

import numpy as np
import pytest

from matinee.errors import ConfigError, DataError
from matinee.split.gap_and_tail import GapAndTail
from matinee.split.parts import PARTS
from tests.split.logs import dataset_of, hidden_of, history_of, steady


def sizes(dataset, split, stage: str) -> dict[str, tuple[int, int]]:
    """Raw user -> (gap, tail)."""
    return {user: (list(parts.values()).count("gap"), list(parts.values()).count("tail"))
            for user, parts in hidden_of(dataset, split, stage).items()}


def test_hidden_counts_follow_the_rule() -> None:
    lengths = {f"user{n:03}": n for n in (1, 2, 3, 4, 5, 19, 25, 35, 164, 250, 400)}
    dataset = dataset_of([(user, f"film{at:03}", at) for user, n in lengths.items() for at in range(n)])
    split = GapAndTail().split(dataset)
    # round(0.1 x 25) is 2 and round(0.1 x 35) is 4: halves go to the even number
    assert sizes(dataset, split, "test") == {
        "user002": (0, 1), "user003": (0, 1), "user004": (1, 1), "user005": (1, 1), "user019": (1, 1),
        "user025": (1, 1), "user035": (2, 2), "user164": (8, 8), "user250": (10, 10), "user400": (10, 10),
    }
    assert sizes(dataset, split, "valid") == {
        "user003": (0, 1), "user004": (0, 1), "user005": (0, 1), "user019": (1, 1),
        "user025": (1, 1), "user035": (1, 2), "user164": (7, 8), "user250": (10, 10), "user400": (10, 10),
    }
    notes = split.notes
    assert (notes["test"]["users"], notes["test"]["users_with_nothing_hidden"]) == (10, 1)
    assert (notes["valid"]["users"], notes["valid"]["users_with_nothing_hidden"]) == (9, 2)
    assert notes["test"]["hidden_gap"] == 34
    assert notes["test"]["hidden_tail"] == 36
    assert notes["test"]["hidden_items"] == 70


def test_tail_is_the_newest_and_test_comes_first() -> None:
    dataset = dataset_of([("u", f"film{at:02}", at) for at in range(40)])
    split = GapAndTail(tail=1).split(dataset)
    assert sorted(hidden_of(dataset, split, "test")["u"]) == ["film36", "film37", "film38", "film39"]
    assert sorted(hidden_of(dataset, split, "valid")["u"]) == ["film32", "film33", "film34", "film35"]
    assert history_of(dataset, split, "test", "u") == [f"film{at:02}" for at in range(36)]
    assert history_of(dataset, split, "valid", "u") == [f"film{at:02}" for at in range(32)]


@pytest.mark.parametrize(("tail", "newest"), [(0.0, 0), (0.28, 7), (0.3, 8), (0.5, 13), (1.0, 25)])
def test_the_tail_is_rounded_up(tail: float, newest: int) -> None:
    dataset = dataset_of([("u", f"film{at:03}", at) for at in range(250)])
    split = GapAndTail(tail=tail, most_hidden=30).split(dataset)
    assert sizes(dataset, split, "test") == {"u": (25 - newest, newest)}


def test_equal_times_stand_in_the_order_of_the_file() -> None:
    rows = [("u", item, 5) for item in ("c", "a", "d", "b")]
    for order in (rows, rows[::-1]):
        dataset = dataset_of(order)
        split = GapAndTail(tail=1).split(dataset)
        assert set(hidden_of(dataset, split, "test")["u"]) == {order[-1][1], order[-2][1]}


def test_all_events_of_a_pair_fall_on_one_side() -> None:
    rows = [("u", "again", 0), *(("u", f"film{at}", at) for at in range(1, 10)), ("u", "again", 10)]
    dataset = dataset_of(rows)
    split = GapAndTail(tail=1).split(dataset)
    assert "again" in hidden_of(dataset, split, "test")["u"]
    assert "again" not in history_of(dataset, split, "test", "u")
    assert split.stages["test"].given.sum() == 8  # ten films, two of them hidden, one of these seen twice


def test_where_items_repeat_sides_are_disjoint_by_event() -> None:
    rows = [("u", "again", at) for at in range(20)]
    dataset = dataset_of(rows, repeats=True)
    split = GapAndTail().split(dataset)
    assert hidden_of(dataset, split, "test") == {"u": {"again": "tail"}}  # one distinct item, in both parts
    assert history_of(dataset, split, "test", "u") == ["again"] * 18
    assert history_of(dataset, split, "valid", "u") == ["again"] * 16


def test_fixed10() -> None:
    lengths = {f"user{n:03}": n for n in (4, 14, 15, 24, 25, 200)}
    dataset = dataset_of([(user, f"film{at:03}", at) for user, n in lengths.items() for at in range(n)])
    split = GapAndTail(preset="fixed10", tail=0.4).split(dataset)
    assert sizes(dataset, split, "test") == {
        "user004": (1, 1), "user014": (4, 3), "user015": (6, 4), "user024": (6, 4),
        "user025": (6, 4), "user200": (6, 4)}
    assert sizes(dataset, split, "valid") == {
        "user004": (0, 1), "user014": (1, 2), "user015": (1, 1), "user024": (4, 3),
        "user025": (6, 4), "user200": (6, 4)}


def test_global_time_hides_what_is_younger_than_one_moment() -> None:
    rows = [("early", f"film{at:03}", at) for at in range(170)]
    rows += [("both", f"film{at:03}", at + 100) for at in range(0, 120, 4)]
    rows += [("late", f"film{at:03}", 300 + at) for at in range(5)]
    dataset = dataset_of(rows)
    split = GapAndTail(preset="global_time", fraction=0.1).split(dataset)
    moment = sorted(row[2] for row in rows)[194]  # 205 events: 10 are younger than the 95 % quantile
    late = {user: [item for u, item, time in rows if u == user and time > moment] for user in ("early", "both", "late")}
    hidden = hidden_of(dataset, split, "test")
    assert [item for item, part in hidden["both"].items() if part == "tail"] == sorted(late["both"])
    assert set(hidden["late"]) == {f"film{at:03}" for at in range(1, 5)}  # the oldest is kept
    assert history_of(dataset, split, "test", "late") == ["film000"]
    assert late["early"] == []
    assert sizes(dataset, split, "test")["early"] == (17, 0)
    assert split.notes["test"]["users_without_history"] == 0
    assert sum(tail for _, tail in sizes(dataset, split, "valid").values()) > 0


def test_global_time_empties_nobody() -> None:
    dataset = dataset_of([(f"user{n}", f"film{at}", 10 * at) for n in range(1, 6) for at in range(n)] + steady(1, 90))
    split = GapAndTail(preset="global_time", fraction=0.9).split(dataset)
    assert hidden_of(dataset, split, "test")["user4"].keys() == {f"film{at}" for at in range(4)} - {
        *history_of(dataset, split, "test", "user4")}
    assert [len(history_of(dataset, split, "test", f"user{n}")) for n in range(1, 6)] == [1, 1, 1, 1, 1]


def test_gap_positions_are_uniform() -> None:
    """3,000 users of 20 events: each earlier position is drawn as often as any other, in test and in valid."""
    dataset = dataset_of(steady(3000, 20))
    split = GapAndTail(seed=1).split(dataset)
    log = dataset.log
    for stage, places in (("test", 19), ("valid", 17)):
        truth = split.stages[stage].truth
        gap = truth.parts == PARTS.index("gap")
        pairs = (np.repeat(truth.users, truth.counts) * log.n_items + truth.items)[gap]
        drawn = np.isin(log.users * log.n_items + log.items, pairs)
        positions = (np.arange(len(log)) - np.repeat(log.indptr[:-1], log.counts))[drawn]
        counts = np.bincount(positions, minlength=20)[:places]
        assert abs(counts - counts.mean()).max() < 4 * np.sqrt(3000 / 20)


def test_refit_learns_from_valid_before_testing() -> None:
    dataset = dataset_of(steady(20, 30))
    plain, refitted = (GapAndTail(refit=refit).split(dataset) for refit in (False, True))
    assert np.array_equal(plain.stages["test"].fit, plain.stages["valid"].fit)
    assert np.array_equal(refitted.stages["test"].fit, refitted.stages["test"].given)
    assert refitted.stages["test"].fit.sum() > refitted.stages["valid"].fit.sum()
    assert refitted.stages["test"].truth.hash == plain.stages["test"].truth.hash


def test_it_says_that_it_leaks_across_users_and_what_it_did() -> None:
    split = GapAndTail(seed=7).split(dataset_of(steady(5, 30)))
    assert "nothing about the future" in split.notes["warnings"][0]
    assert split.settings == {"protocol": "gap_and_tail", "seed": 7, "refit": False, "fraction": 0.1,
                              "most_hidden": 20, "tail": 0.5, "preset": None}


@pytest.mark.parametrize(("preset", "key", "value"), [
    ("fixed10", "fraction", 0.2), ("fixed10", "most_hidden", 10), ("global_time", "tail", 1.0)])
def test_a_key_without_effect_is_refused(preset, key: str, value: float) -> None:
    with pytest.raises(ConfigError, match=f"idle-key: {key}: {value} has no effect with preset {preset}"):
        GapAndTail(preset=preset, **{key: value})


def test_a_log_in_which_nothing_can_be_hidden_is_refused() -> None:
    for protocol in (GapAndTail(), GapAndTail(preset="global_time"), GapAndTail(preset="fixed10")):
        with pytest.raises(DataError, match=r"nothing-hidden: gap_and_tail on 2 events: the valid part would be empty"):
            protocol.split(dataset_of([("u", "a", 1), ("v", "b", 2)]))
