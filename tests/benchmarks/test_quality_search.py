"""Tuning: the same search space for all, the defaults first, nothing twice, and a journal to go on from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchmarks.quality import tune
from benchmarks.quality.search import place_of, proposal, value_at

import matinee
from matinee import durable
from matinee.errors import DataError

SEARCH: dict[str, Any] = {"l2": {"low": 1.0, "high": 10_000.0, "log": True}, "dim": {"low": 8, "high": 64},
                          "kind": ["cosine", "jaccard"], "window": {"choices": [None, 30]}}
FIRST = {"l2": 500.0, "dim": 32, "kind": "cosine", "window": None}


def search(count: int, value: Any, space: dict[str, Any] = SEARCH, first: dict[str, Any] = FIRST) -> list[Any]:
    trials: list[Any] = []
    while len(trials) < count and (settings := proposal(space, first, trials, seed=0)) is not None:
        trials.append({"settings": settings, **value(settings)})
    return trials


def test_the_defaults_come_first_and_nothing_twice() -> None:
    trials = search(60, lambda settings: {"value": settings["l2"]})
    assert trials[0]["settings"] == FIRST
    tried = [trial["settings"] for trial in trials]
    assert len(tried) == 60 == len({str(settings) for settings in tried})
    for settings in tried[1:]:
        assert 1 <= settings["l2"] <= 10_000
        assert isinstance(settings["dim"], int)
        assert 8 <= settings["dim"] <= 64
        assert settings["kind"] in SEARCH["kind"]
        assert settings["window"] in (None, 30)


def test_it_draws_near_to_the_best() -> None:
    def value(settings: dict[str, Any]) -> dict[str, float]:
        return {"value": -abs(np.log(settings["l2"] / 40)) - abs(settings["dim"] - 50) / 10}

    best = max(search(40, value), key=lambda trial: trial["value"])
    even = max(search(40, lambda settings: {"error": "none"}), key=lambda trial: value(trial["settings"])["value"])
    assert best["value"] > -0.4
    assert best["value"] > value(even["settings"])["value"]


def test_a_search_that_was_stopped_makes_the_trials_it_would_have_made() -> None:
    trials = search(20, lambda settings: {"value": settings["dim"]})
    assert proposal(SEARCH, FIRST, trials[:13], seed=0) == trials[13]["settings"]
    assert proposal(SEARCH, FIRST, trials[:13], seed=1) != trials[13]["settings"]


def test_a_space_with_nothing_new_ends_the_search() -> None:
    trials = search(60, lambda settings: {"value": 0.0}, {"kind": ["a", "b", "c"]}, {"kind": "b"})
    assert sorted(trial["settings"]["kind"] for trial in trials) == ["a", "b", "c"]


@pytest.mark.parametrize(("space", "value"), [(SEARCH["l2"], 100.0), (SEARCH["dim"], 20), (SEARCH["kind"], "jaccard"),
                                              (SEARCH["window"], 30), ({"low": 0.0, "high": 2.0}, 0.5)])
def test_a_value_is_found_at_its_place(space: Any, value: Any) -> None:
    assert value_at(space, place_of(space, value)) == value


def test_a_value_outside_the_space_is_put_inside() -> None:
    assert place_of(SEARCH["l2"], 0.0) == 0
    assert place_of(SEARCH["dim"], 1000) == 1
    assert place_of(SEARCH["kind"], "dice") == 0.5
    assert place_of({"low": 1, "high": 9}, None) == 0.5


BLOCK = {"split": {"protocol": "gap_and_tail"}, "seeds": [0], "main": "recall@10"}


def test_the_journal_holds_every_trial_and_the_budget_counts_their_seconds(tmp_path: Path) -> None:
    data, journal = matinee.load("synthetic:300x80"), tmp_path / "gap_and_tail" / "popularity.jsonl"
    space = tune.search_of("popularity")
    tune.tune("popularity", space, BLOCK, data, journal, budget=1e-9)
    (first,) = durable.read_lines(journal)
    assert first["settings"] == {"window_days": None, "half_life_days": None}
    assert 0 < first["value"] < 1
    tune.tune("popularity", space, BLOCK, data, journal, budget=first["seconds"])
    assert len(durable.read_lines(journal)) == 1, "the budget is spent already"
    tune.tune("popularity", space, BLOCK, data, journal, budget=1e9)
    trials = durable.read_lines(journal)
    assert len(trials) == 4 * 5, "the whole of a small space"
    assert [trial["trial"] for trial in trials] == list(range(20))
    lines = "\n".join(tune.best("popularity", "gap_and_tail", BLOCK, trials))
    assert "  gap_and_tail:\n    recipe: {" in lines
    assert f"recall@10 {max(trial['value'] for trial in trials):.4f}, {first['value']:.4f} at the defaults." in lines


def test_a_trial_that_fails_is_journalled_with_its_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def diverged(*_: object) -> None:
        raise DataError("diverged", "the loss is no number", "lower it")

    monkeypatch.setattr(tune, "MOST", 1)
    monkeypatch.setattr("matinee.models.popularity.Popularity.fit", diverged)
    journal = tmp_path / "popularity.jsonl"
    tune.tune("popularity", tune.search_of("popularity"), BLOCK, matinee.load("synthetic:300x80"), journal, 1e-9)
    (trial,) = durable.read_lines(journal)
    assert "diverged: the loss is no number" in trial["error"]
    assert "value" not in trial
    assert tune.best("popularity", "gap_and_tail", BLOCK, [trial])[0].endswith("nothing that ended well")
